//! The service as its clients see it: every request goes through curl, and every answer is held against the OpenAPI document.

use super::super::tests::Running;
use super::*;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

struct Service {
    folder: tempfile::TempDir,
    url: String,
    stop: Stop,
    thread: Option<std::thread::JoinHandle<()>>,
    running: Option<Running>,
}

impl Service {
    fn start(token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = token.map(|token| {
            let path = private(folder.path(), token);
            Token::read(&path).unwrap()
        });
        let running = Running::start(folder.path(), 1000);
        let server = Server::bind(Options { address: "127.0.0.1:0".parse().unwrap(), token }).unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let (desk, stop) = (running.desk.clone(), Stop::default());
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || server.run(desk, &stop).unwrap()
        });
        Self { folder, url, stop, thread: Some(thread), running: Some(running) }
    }

    /// The status code and the body of what curl gets with `args`.
    fn curl(&self, path: &str, args: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["-sS", "--noproxy", "*", "-m", "20", "-w", "\n%{http_code}"]).args(args);
        let output = command.arg(format!("{}{path}", self.url)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.rsplit_once('\n').unwrap();
        let code = code.parse().unwrap();
        assert_ne!(code, 0, "curl: {}", String::from_utf8_lossy(&output.stderr));
        (code, body.to_owned())
    }

    /// The answer to a request, checked against the description of `template`.
    #[track_caller]
    fn get(&self, path: &str, template: &str) -> (u16, Value) {
        let (code, body) = self.curl(path, &[]);
        (code, fits(template, "get", code, &body))
    }

    #[track_caller]
    fn post(&self, path: &str, template: &str, body: &Value) -> (u16, Value) {
        let text = body.to_string();
        let (code, body) = self.curl(path, &["--json", &text]);
        (code, fits(template, "post", code, &body))
    }

    #[track_caller]
    fn issue(&self, body: &Value) -> (u16, Value) {
        self.post("/marks", "/marks", body)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.say();
        self.thread.take().unwrap().join().unwrap();
        drop(self.running.take());
        assert!(self.folder.path().join("serials.db").exists());
    }
}

fn private(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("token");
    crate::files::write(&path, text.as_bytes(), crate::files::Access::Private).unwrap();
    path
}

/// The body, if it is what the description says of this answer.
#[track_caller]
fn fits(template: &str, method: &str, code: u16, body: &str) -> Value {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let responses = &document["paths"][template][method]["responses"];
    let response = &responses[code.to_string()];
    assert!(response.is_object(), "{method} {template} answers {code}, which is not described: {body}");
    let value: Value = serde_json::from_str(body).unwrap();
    check(&document, &response["content"]["application/json"]["schema"], &value, template);
    value
}

/// Checks a value against a schema, of which this knows the keywords that the description uses.
#[track_caller]
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return check(document, document.pointer(&name[1..]).unwrap(), value, place);
    }
    for key in schema.as_object().unwrap().keys() {
        let known =
            ["type", "description", "properties", "required", "additionalProperties", "items", "enum", "minimum"];
        let also = ["maximum", "format", "default", "maxItems", "contentEncoding"];
        assert!(known.contains(&key.as_str()) || also.contains(&key.as_str()), "{place}: keyword {key}");
    }
    let kind = schema["type"].as_str().unwrap_or_default();
    let right = match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => panic!("{place}: {schema}"),
    };
    assert!(right, "{place} is no {kind}: {value}");
    if let Some(list) = schema["enum"].as_array() {
        assert!(list.contains(value), "{place}: {value}");
    }
    for (number, wrong) in
        [(schema["minimum"].as_f64(), f64::lt as fn(&f64, &f64) -> bool), (schema["maximum"].as_f64(), f64::gt)]
    {
        assert!(!number.is_some_and(|limit| wrong(&value.as_f64().unwrap(), &limit)), "{place}: {value}");
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item, place);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{place} has no {name}: {value}");
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => check(document, schema, inner, &format!("{place}.{name}")),
            None => assert!(schema["additionalProperties"] != false, "{place} has a field {name}"),
        }
    }
}

#[test]
fn marks_are_issued_once_and_looked_up() {
    let service = Service::start(None);
    let (code, answer) = service.issue(&json!({"id": "a", "part": "TM-1", "date": "2026-11-23", "count": 2}));
    assert_eq!(
        (code, answer["marks"][0]["serial"].as_u64(), answer["marks"][1]["serial"].as_u64()),
        (200, Some(1), Some(2))
    );
    let (_, again) = service.issue(&json!({"id": "a", "part": "TM-1", "date": "2026-11-23", "count": 2}));
    assert_eq!((&again["marks"], again["again"].as_bool()), (&answer["marks"], Some(true)));
    let (code, other) = service.issue(&json!({"id": "a", "part": "TM-2", "date": "2026-11-23"}));
    assert_eq!((code, other["error"]["kind"].as_str()), (409, Some("refused")));

    let (code, found) = service.get("/marks/2", "/marks/{serial}");
    assert_eq!((code, found["found"]["part"].as_str(), found["state"].as_str()), (200, Some("TM-1"), Some("issued")));
    assert_eq!(service.get("/marks/3", "/marks/{serial}").0, 409);
    let (code, void) = service.post("/marks/2/void", "/marks/{serial}/void", &json!({"reason": "smeared"}));
    assert_eq!((code, void["state"].as_str()), (200, Some("void")));
    let (code, _) = service.post("/marks/1/verify", "/marks/{serial}/verify", &json!({"grade": 3.5}));
    assert_eq!(code, 200);
    let text = &answer["marks"][0]["text"];
    let (code, read) = service.post("/marks/1/read", "/marks/{serial}/read", &json!({"text": text}));
    assert_eq!((code, read["state"].as_str()), (200, Some("verified")));
    assert_eq!(service.post("/marks/1/read", "/marks/{serial}/read", &json!({"serial": 2})).0, 400);

    let (code, many) = service.post("/requests", "/requests", &json!([{"part": "TM-1"}, {"do": "find", "serial": 9}]));
    assert_eq!(
        (code, many[0]["marks"][0]["serial"].as_u64(), many[1]["error"]["kind"].as_str()),
        (200, Some(3), Some("refused"))
    );
    // One that is none does not touch the others, and has its id in its answer.
    let list = json!([{"part": "TM-1"}, {"do": "nope", "id": "b"}, ["issue", "c", null, null, "TM-1"]]);
    let (code, many) = service.post("/requests", "/requests", &list);
    assert_eq!((code, many[0]["marks"][0]["serial"].as_u64()), (200, Some(4)));
    assert_eq!((&many[1]["id"], many[1]["error"]["kind"].as_str()), (&json!("b"), Some("unusable")));
    assert_eq!(many[2]["error"]["message"], "not a request: it is no JSON object");
}

#[test]
fn the_service_tells_how_it_is() {
    let service = Service::start(None);
    service.issue(&json!({"part": "TM-1", "count": 3}));
    assert_eq!(service.get("/health", "/health").0, 200);
    assert_eq!(service.get("/ready", "/ready"), (200, json!({"ready": true})));
    let description = service.get("/openapi.json", "/openapi.json").1;
    assert_eq!(description["openapi"], "3.1.0");
    // The counts are of the last second.
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while service.get("/status", "/status").1["issued"] != 3 {
        assert!(std::time::Instant::now() < until);
    }
    let (code, text) = service.curl("/metrics", &[]);
    assert_eq!(code, 200);
    assert!(text.contains("\ntouchmark_line_issued_total{line=\"L\",key=\""), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("touchmark_line_serials_left{") && line.ends_with(" 997")),
        "{text}"
    );
    let syncs = text.lines().find(|line| line.contains("_count{") && line.contains("stage=\"sync\"")).unwrap();
    assert!(!syncs.ends_with(" 0"), "{syncs}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok() && name.ends_with("\"}"), "{line}");
        let name = name.split('{').next().unwrap();
        let name = ["_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(text.contains(&format!("# TYPE {name} ")) && text.contains(&format!("# HELP {name} ")), "{line}");
    }
}

#[test]
fn what_cannot_be_done_says_why_and_leaves_the_service_as_it_was() {
    let service = Service::start(None);
    let wrong = |path: &str, args: &[&str], template: &str, method: &str| {
        let (code, body) = service.curl(path, args);
        let answer = fits(template, method, code, &body);
        format!("{code} {}", answer["error"]["message"].as_str().unwrap())
    };
    let issue = |args: &[&str]| wrong("/marks", args, "/marks", "post");
    assert!(issue(&["--json", "{"]).starts_with("400 not a request: "));
    assert!(issue(&["--json", r#"{"prat":"TM-1"}"#]).starts_with("400 not a request: unknown field `prat`"));
    assert_eq!(issue(&["--json", r#"{"do":"void","serial":1}"#]), "400 `do` is not for this path");
    assert_eq!(issue(&["-d", r#"{"part":"TM-1"}"#]), "415 the body is not said to be JSON");
    assert_eq!(
        issue(&["--json", r#"{"part":"TM-1"}"#, "-H", "Host: evil.example"]),
        "421 the Host header does not name this machine"
    );
    assert!(issue(&["--json", r#"{"part":"TM-1","count":0}"#]).starts_with("400 "));
    let large = private(service.folder.path(), &" ".repeat(MAX_BODY + 1));
    assert_eq!(issue(&["--json", &format!("@{}", large.display())]), "413 the body is too large");
    let (code, body) = service.curl("/nothing", &[]);
    assert_eq!(code, 404);
    check(
        &serde_json::from_str(OPENAPI).unwrap(),
        &json!({"$ref": "#/components/schemas/Answer"}),
        &serde_json::from_str(&body).unwrap(),
        "404",
    );
    let (code, headers) = service.curl("/marks", &["-X", "DELETE", "-i"]);
    assert!(code == 405 && headers.contains("allow: POST"), "{headers}");
    assert_eq!(service.issue(&json!({"part": "TM-1"})).1["marks"][0]["serial"], 1);
}

#[test]
fn a_token_is_asked_for_and_kept_to_its_owner() {
    let service = Service::start(Some("0123456789abcdef\n"));
    assert_eq!(service.get("/status", "/status").0, 401);
    assert_eq!(service.curl("/status", &["-H", "Authorization: Bearer 0123456789abcdeF"]).0, 401);
    assert_eq!(service.curl("/status", &["-H", "Authorization: Bearer 0123456789abcdef"]).0, 200);
    assert_eq!(service.get("/health", "/health").0, 200);

    let address = "0.0.0.0:0".parse().unwrap();
    let open = Server::bind(Options { address, token: None }).err().unwrap();
    assert_eq!(open.message, "0.0.0.0:0 can be reached from other machines, and there is no token");
    let path = private(service.folder.path(), "short");
    assert!(Token::read(&path).unwrap_err().message.ends_with("token: a token has at least 16 letters"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Token::read(&path).unwrap_err().message.ends_with("token: others can read this secret"));
    }
}

#[test]
fn names_of_this_machine() {
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"] {
        assert!(is_this_machine(host), "{host}");
    }
    for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "[::2]", "[::1"]
    {
        assert!(!is_this_machine(host), "{host}");
    }
}

#[test]
fn an_answer_under_way_is_finished_when_the_line_ends() {
    let service = Service::start(None);
    let url = service.url.clone();
    let client = std::thread::spawn(move || {
        let body = r#"{"id":"last","part":"TM-1","count":900,"as":"svg"}"#;
        Command::new("curl").args(["-sS", "--noproxy", "*", "--json", body, &format!("{url}/marks")]).output().unwrap()
    });
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while service.running.as_ref().unwrap().desk.status().requests == 0 {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(service);
    let answer: Value = serde_json::from_slice(&client.join().unwrap().stdout).unwrap();
    assert_eq!(answer["marks"].as_array().unwrap().len(), 900);
}
