//! What the pages show is what the programs do: every `console` block is typed into a shell.

use testkit::console::{root, run_page};

#[test]
fn the_readme() {
    run_page(&root().join("README.md"), &[(&root().join("tests/photos"), "tests/photos")]);
}

#[test]
fn the_investigators_page() {
    run_page(&root().join("docs/investigator.md"), &[(&root().join("tests/photos"), "photos")]);
}

#[test]
fn the_page_on_print_quality() {
    run_page(&root().join("docs/grading.md"), &[(&root().join("tests/photos"), "photos")]);
}

#[test]
fn the_page_on_security_modules() {
    let there = std::process::Command::new("softhsm2-util").arg("--version").output().is_ok();
    if there && std::path::Path::new("/usr/lib/softhsm/libsofthsm2.so").exists() {
        run_page(&root().join("docs/hsm.md"), &[]);
    } else {
        println!("skipped: SoftHSM2 is not installed (Debian: softhsm2)");
    }
}

#[test]
fn the_page_on_strips_reels_and_closed_lots() {
    run_page(&root().join("docs/packing.md"), &[(&root().join("docs/line/strip.xml"), "strip.xml")]);
}

#[test]
fn the_page_on_ways_into_the_line() {
    run_page(&root().join("docs/line-ways-in.md"), &[]);
}

#[test]
fn the_page_of_the_line() {
    run_page(&root().join("docs/line.md"), &[(&root().join("docs/line"), "line")]);
}

#[test]
fn the_makers_page() {
    run_page(&root().join("docs/maker.md"), &[(&root().join("tests/it/pages/grind.py"), "grind.py")]);
}

#[test]
fn the_authoritys_page() {
    let files = [("tests/photos/identity.txt", "identity.txt"), ("tests/it/pages/grind.py", "grind.py")];
    let files = files.map(|(from, to)| (root().join(from), to));
    run_page(&root().join("docs/authority.md"), &files.each_ref().map(|(from, to)| (from.as_path(), *to)));
}
