//! Chromium without a window, spoken to by its DevTools protocol: what a person with a browser would see, for tests and
//! benches. Only what these need of WebSocket (RFC 6455).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A browser with one page.
pub struct Browser {
    process: Child,
    socket: TcpStream,
    session: Option<String>,
    last: u64,
    /// What the page said on its console, and exceptions that nobody caught.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Starts one with a window of this size; `None` if there is no Chromium here.
    #[must_use]
    pub fn start(width: u32, height: u32) -> Option<Self> {
        let program = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find(|name| Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success()))?;
        let profile = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let mut process = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"])
            .args(["--hide-scrollbars", "--remote-debugging-port=0", &format!("--window-size={width},{height}")])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        let mut said = BufReader::new(process.stderr.take().unwrap_or_else(|| panic!("no standard error")));
        let address = loop {
            let mut line = String::new();
            assert!(said.read_line(&mut line).is_ok_and(|n| n > 0), "{program} ended before it listened");
            if let Some((_, address)) = line.split_once("DevTools listening on ws://") {
                break address.trim().to_owned();
            }
        };
        // It goes on complaining of what a machine without a desktop lacks.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let socket = connect(&address);
        let mut browser = Self { process, socket, session: None, last: 0, complaints: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.call(domain, &json!({}));
        }
        browser.resize(width, height);
        Some(browser)
    }

    /// Gives the page another size, in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Opens a file and gives the time until its own program says that it is ready, with all laid out.
    pub fn open(&mut self, file: &Path) -> Duration {
        let file = file.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let begun = Instant::now();
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        let ready = "document.readyState === 'complete' && document.documentElement.dataset.ready === 'yes' && document.body.offsetHeight > 0";
        while self.evaluate(ready) != json!(true) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the page is not ready: {:?}", self.complaints);
            std::thread::sleep(Duration::from_millis(10));
        }
        begun.elapsed()
    }

    /// The value of an expression in the page; of a promise what it comes to.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What the window shows, as PNG; with `all` the whole page.
    pub fn screenshot(&mut self, all: bool) -> Vec<u8> {
        let taken = self.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": all }));
        STANDARD.decode(taken["data"].as_str().unwrap_or_default()).unwrap_or_default()
    }

    /// The page as PDF.
    pub fn pdf(&mut self) -> Vec<u8> {
        let printed = self.call("Page.printToPDF", &json!({ "preferCSSPageSize": true, "printBackground": true }));
        STANDARD.decode(printed["data"].as_str().unwrap_or_default()).unwrap_or_default()
    }

    /// Asks for something, and waits for the answer.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        send(&mut self.socket, message.to_string().as_bytes());
        loop {
            let answer: Value = serde_json::from_slice(&receive(&mut self.socket)).unwrap_or_else(|e| panic!("{e}"));
            match answer["method"].as_str() {
                Some(
                    "Runtime.exceptionThrown"
                    | "Page.javascriptDialogOpening"
                    | "Log.entryAdded"
                    | "Runtime.consoleAPICalled",
                ) => {
                    self.complaints.push(answer["params"].to_string());
                }
                Some("Network.requestWillBeSent") => {
                    let url = answer["params"]["request"]["url"].as_str().unwrap_or_default();
                    if !url.starts_with("file:") && !url.starts_with("data:") {
                        self.complaints.push(format!("fetched {url}"));
                    }
                }
                _ => {}
            }
            if answer["id"] == json!(self.last) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

fn connect(address: &str) -> TcpStream {
    let (host, path) = address.split_once('/').unwrap_or_else(|| panic!("{address}"));
    let mut socket = TcpStream::connect(host).unwrap_or_else(|e| panic!("{host}: {e}"));
    let asked = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dG91Y2htYXJrIHRlc3RzIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.write_all(asked.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap_or_else(|e| panic!("{e}"));
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    socket
}

/// One text message, masked with zeros, which is a mask like any other.
fn send(socket: &mut TcpStream, text: &[u8]) {
    let mut frame = vec![0x81];
    match text.len() {
        n @ ..126 => frame.push(0x80 | n as u8),
        n @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((n as u16).to_be_bytes());
        }
        n => {
            frame.push(0x80 | 127);
            frame.extend((n as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    socket.write_all(&frame).unwrap_or_else(|e| panic!("{e}"));
}

/// The next whole message.
fn receive(socket: &mut TcpStream) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let mut read = |n: usize| {
            let mut bytes = vec![0; n];
            socket.read_exact(&mut bytes).unwrap_or_else(|e| panic!("the browser is gone: {e}"));
            bytes
        };
        let head = read(2);
        let length = match head[1] & 0x7f {
            126 => read(2).iter().fold(0, |n, b| n << 8 | usize::from(*b)),
            127 => read(8).iter().fold(0, |n, b| n << 8 | usize::from(*b)),
            n => usize::from(n),
        };
        let content = read(length);
        // Text, and what goes on with it; pings are of no account here.
        if head[0] & 0x0f <= 2 {
            message.extend(content);
            if head[0] & 0x80 != 0 {
                return message;
            }
        }
    }
}
