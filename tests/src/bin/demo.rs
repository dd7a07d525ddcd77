//! `cargo demo [FOLDER]`: the whole path in one go. A maker marks parts for three consignees, worn photos of them are
//! made, a bystander and an investigator verify these; every command is shown as one would type it.

#![allow(clippy::panic, clippy::print_stdout)] // A demonstration prints, and stops where something is wrong.

use age::x25519::Identity;
use jiff::Timestamp;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use testkit::maker::TestMaker;
use testkit::simulate::{Scene, jpeg, simulate};
use touchmark_formats::symbol::{Matrix, Request, Shape, encode};
use touchmark_signer::cli as signer;
use touchmark_verifier::cli as verifier;

/// Consignee, serials and wear of the parts: what the mark must tell in the end.
const PARTS: [(u64, u64, &str); 6] = [
    (104_233, 48_213_077, "clean"),
    (104_233, 48_213_078, "worn"),
    (104_871, 48_213_079, "dots"),
    (104_871, 48_213_080, "worn"),
    (105_002, 48_213_081, "label"),
    (105_002, 48_213_082, "sooty"),
];
const CONSIGNEES: &str = "number,name,country,address
104233,Noordzee Instruments,NL,\"Kade 12, Vlissingen\"
104871,Alpenblick Medizintechnik,AT,\"Talweg 3, Bludenz\"
105002,Pinheiro Distribuicao,PT,\"Rua Nova 88, Braga\"
";
/// Beside every folder that this program made, and may make again.
const STAMP: &str = "made-by-demo.txt";

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("demo"), PathBuf::from);
    match run(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("\nthe demonstration failed: {e}");
            ExitCode::FAILURE
        }
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn run(folder: &Path) -> Outcome<()> {
    prepare(folder)?;
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let home = at("maker");

    println!("1. A maker: root key, disclosure secret, a line key, a trust bundle.\n");
    sign(&["init", &home, "--maker", "Example Semiconductors", "--country", "NL", "--no-passphrase"])?;
    std::fs::write(folder.join("maker/consignees.csv"), CONSIGNEES)?;

    println!("\n2. Six parts for three consignees: artwork for the laser, and the text form.\n");
    let row = |(consignee, serial, _): &(u64, u64, &str)| format!("{serial},{consignee}\n");
    std::fs::write(
        folder.join("parts.csv"),
        "serial,consignee\n".to_owned() + &PARTS.iter().map(row).collect::<String>(),
    )?;
    let csv = at("parts.csv");
    let mark =
        ["mark", "--home", &home, "--part", "STM32F407VGT6", "--lot", "A2B347K", "--date", "2026-11-23", "--csv", &csv];
    for (format, out) in
        [("svg", "artwork/{serial}.svg"), ("matrix", "artwork/{serial}.modules"), ("text", "codes.txt")]
    {
        sign(&[&mark[..], &["--format", format, "--out", &at(out)]].concat())?;
    }

    println!("\n3. Photos of the parts, worn; one of a stranger's part, one without a mark.\n");
    let photos = photograph(folder)?;
    println!("   {} photos in {}", photos.len(), at("photos"));

    println!("\n4. A bystander with the trust bundle: genuine or not, and no word of the consignee.\n");
    let trust = at("maker/trust.json");
    verify(&["photo", &photos[1], "--trust", &trust])?;

    println!("\n5. The maker discloses the lot to one investigator.\n");
    let identity = Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    std::fs::write(folder.join("investigator.txt"), format!("# public key: {}\n{secret}\n", identity.to_public()))?;
    let (to, disclosure) = (identity.to_public().to_string(), at("disclosure.age"));
    sign(&["disclose", "--home", &home, "--lot", "A2B347K", "--to", &to, "--case", "2026/17", "--out", &disclosure])?;

    println!("\n6. The investigator verifies all photos.\n");
    let (identity, annotated) = (at("investigator.txt"), at("annotated"));
    let mut command = vec!["photo"];
    command.extend(photos.iter().map(String::as_str));
    command.extend([
        "--trust",
        &trust,
        "--disclosure",
        &disclosure,
        "--identity",
        &identity,
        "--annotate",
        &annotated,
        "--json",
    ]);
    let lines = verify(&command)?;
    table(&lines)?;
    println!("\nOpen {} for the photos with their verdicts, {} for the artwork.", annotated, at("artwork"));
    Ok(())
}

/// Makes an empty folder; one that this program made before is made anew, any other is left alone.
fn prepare(folder: &Path) -> Outcome<()> {
    if folder.join(STAMP).is_file() {
        std::fs::remove_dir_all(folder)?;
    } else if folder.exists() {
        return Err(format!("{} exists and was not made by this program; name another folder", folder.display()).into());
    }
    std::fs::create_dir_all(folder.join("artwork"))?;
    std::fs::create_dir_all(folder.join("photos"))?;
    Ok(std::fs::write(folder.join(STAMP), "cargo demo makes this folder anew each time\n")?)
}

/// Renders a photo of each part, and of what else investigators meet.
fn photograph(folder: &Path) -> Outcome<Vec<String>> {
    let caption = vec!["STM32F407VGT6".to_owned(), "LOT A2B347K".to_owned(), "2026-11-23".to_owned()];
    let mut photos = Vec::new();
    let mut shoot = |name: String, matrix: &Matrix, scene: &Scene, seed: u64| -> Outcome<()> {
        let path = folder.join("photos").join(name);
        std::fs::write(&path, jpeg(&simulate(matrix, scene, seed), 88))?;
        photos.push(path.to_string_lossy().into_owned());
        Ok(())
    };
    for (_, serial, wear) in PARTS {
        let matrix = modules(&folder.join(format!("artwork/{serial}.modules")))?;
        let scene = Scene { caption: caption.clone(), ..scene(wear) };
        shoot(format!("{serial}-{wear}.jpg"), &matrix, &scene, serial)?;
    }
    let stranger = TestMaker::new(77);
    let bytes = stranger.sign(stranger.usual_mark()).to_bytes();
    let matrix = encode(&bytes, &Request::DataMatrix { shape: Shape::Square })?.matrix;
    shoot("stranger.jpg".into(), &matrix, &Scene { caption: caption.clone(), ..Scene::worn() }, 8)?;
    let blank = Matrix::new(40, 40, vec![false; 1600]).ok_or("no matrix")?;
    shoot("no-mark.jpg".into(), &blank, &Scene { caption, ..Scene::worn() }, 9)?;
    Ok(photos)
}

fn scene(wear: &str) -> Scene {
    let worn = Scene::worn();
    match wear {
        "clean" => Scene::clean(),
        "dots" => Scene { dots: Some(0.8), ..worn },
        "label" => Scene { light_on_dark: false, contrast: 0.65, abrasion: 0.0, ..worn },
        "sooty" => Scene { soot: 0.13, scratches: 25, rotation: 28.0, ..worn },
        _ => worn,
    }
}

/// The modules in a file of lines of 0 and 1.
fn modules(path: &Path) -> Outcome<Matrix> {
    let text = std::fs::read_to_string(path)?;
    let height = text.lines().count();
    let dark: Vec<bool> = text.lines().flat_map(str::bytes).map(|b| b == b'1').collect();
    Ok(Matrix::new(dark.len() / height.max(1), height, dark).ok_or("not a rectangle of modules")?)
}

/// Shows a command as it would be typed, long lists of photos cut short.
fn show(program: &str, args: &[&str]) {
    let quote = |arg: &&str| if arg.contains([' ', '{']) { format!("'{arg}'") } else { (*arg).to_owned() };
    let photos = args.iter().filter(|a| a.ends_with(".jpg")).count();
    let mut typed: Vec<String> = Vec::new();
    for arg in args {
        match (arg.ends_with(".jpg") && photos > 1, arg.rsplit_once('/')) {
            (true, Some((folder, _))) if !typed.iter().any(|t| t.ends_with("*.jpg")) => {
                typed.push(format!("{folder}/*.jpg"))
            }
            (true, _) => {}
            _ => typed.push(quote(arg)),
        }
    }
    println!("   $ {program} {}", typed.join(" "));
}

fn print_indented(output: &[u8]) {
    String::from_utf8_lossy(output).lines().for_each(|line| println!("   {line}"));
}

fn arguments(program: &str, args: &[&str]) -> Vec<OsString> {
    std::iter::once(program).chain(args.iter().copied()).map(OsString::from).collect()
}

fn sign(args: &[&str]) -> Outcome<()> {
    show("touchmark-sign", args);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut stdin = std::io::empty();
    let mut io = signer::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
    // How far its line got is kept in the home itself, which goes when the demonstration is thrown away.
    io.state = None;
    let status = signer::run(arguments("touchmark-sign", args), &mut io);
    print_indented(&stdout);
    print_indented(&stderr);
    if status == signer::ExitStatus::Done {
        Ok(())
    } else {
        Err(format!("touchmark-sign ended with {status:?}").into())
    }
}

/// Runs the verifier and gives what it printed; of JSON nothing is shown.
fn verify(args: &[&str]) -> Outcome<String> {
    show("touchmark-verify", args);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut io = verifier::Io {
        stdin: &mut std::io::empty(),
        stdout: &mut stdout,
        stderr: &mut stderr,
        progress: false,
        terminal: false,
        now: Timestamp::now(),
        state: None,
    };
    verifier::run(arguments("touchmark-verify", args), &mut io);
    if !args.contains(&"--json") {
        print_indented(&stdout);
    }
    Ok(String::from_utf8(stdout)?)
}

/// Prints a line a photo, and holds each against what was marked.
fn table(lines: &str) -> Outcome<()> {
    println!("\n   {:<22} {:<15} {:>9}  consignee", "photo", "verdict", "serial");
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let seen: serde_json::Value = serde_json::from_str(line)?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let file = text(&seen["file"]).rsplit('/').next().unwrap_or_default().to_owned();
        let (verdict, consignee) = (text(&seen["verdict"]), &seen["consignee"]);
        let name = if consignee["name"].is_string() {
            format!("{} ({})", text(&consignee["name"]), text(&consignee["country"]))
        } else {
            "-".to_owned()
        };
        println!(
            "   {file:<22} {verdict:<15} {:>9}  {name}",
            seen["serial"].as_u64().map_or("-".into(), |s| s.to_string())
        );
        let part = PARTS.iter().find(|(_, serial, wear)| file == format!("{serial}-{wear}.jpg"));
        let expected = match part {
            Some((number, serial, _)) => {
                verdict == "authentic" && seen["serial"] == *serial && consignee["number"] == *number
            }
            None => verdict == if file == "stranger.jpg" { "unknown-issuer" } else { "nothing-found" },
        };
        if !expected {
            wrong.push(file);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not as marked: {}", wrong.join(", ")).into()) }
}
