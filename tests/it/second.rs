//! The second implementation, which was written from SPEC.md alone, agrees on every vector.

use std::path::Path;
use std::process::Command;

#[test]
fn a_second_implementation_agrees_on_every_vector() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("second/touchmark.py");
    let Ok(output) = Command::new("python3").arg(&script).output() else {
        println!("skipped: python3 is not there to run {}", script.display());
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.lines().count(), 10, "one line for each file of vectors: {said}");
}
