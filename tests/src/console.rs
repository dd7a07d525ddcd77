//! Documentation that is run: the `console` blocks of a Markdown file are typed into a shell, in order, in one empty
//! folder, and what they print must be what the page shows.
//!
//! In a block, a line `$ command` is typed (a `\` at its end goes on with the next line), the lines below it are what it
//! prints on both outputs, `? N` is its exit status unless that is 0. `[..]` stands for any text within a line, a
//! line `...` for any number of lines. With `TOUCHMARK_WRITE_PAGES` set, the pages are rewritten instead: for whoever
//! changed what is printed, and looks at the difference before committing it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A command of a page, and what the page says that it prints.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    line: usize,
    command: String,
    status: i32,
    output: Vec<String>,
}

/// Runs the page at `page`; panics with the first difference. `files` are copied into the folder before.
pub fn run_page(page: &Path, files: &[(&Path, &str)]) {
    let text = std::fs::read_to_string(page).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{} shows no command", page.display());
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    for (from, to) in files {
        copy(from, &folder.path().join(to));
    }
    if std::env::var_os("TOUCHMARK_WRITE_PAGES").is_some() {
        let page_now = rewritten(&text, &steps, folder.path());
        std::fs::write(page, page_now).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        return;
    }
    for step in &steps {
        let (status, output) = type_in(&step.command, folder.path());
        let place = format!("{}:{}: $ {}", page.display(), step.line, step.command);
        assert_eq!(status, step.status, "{place}\nended with another status; it printed:\n{output}");
        let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
        let expected: Vec<&str> = step.output.iter().map(String::as_str).collect();
        assert!(
            matches(&expected, &lines),
            "{place}\nprinted\n{}\nwhere the page shows\n{}",
            lines.join("\n"),
            expected.join("\n")
        );
    }
}

/// The page with what its commands print now, where that is not what it shows.
fn rewritten(text: &str, steps: &[Step], folder: &Path) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (mut out, mut copied): (Vec<String>, usize) = (Vec::new(), 0);
    let mut copy_to = |out: &mut Vec<String>, to: usize| {
        out.extend(lines[copied..to].iter().map(ToString::to_string));
        copied = to;
    };
    for step in steps {
        let (status, output) = type_in(&step.command, folder);
        let printed: Vec<&str> = output.lines().map(str::trim_end).collect();
        let expected: Vec<&str> = step.output.iter().map(String::as_str).collect();
        let first = step.line - 1 + step.command.lines().count();
        copy_to(&mut out, first);
        if status != step.status || !matches(&expected, &printed) {
            out.extend(printed.iter().map(ToString::to_string));
            out.extend((status != 0).then(|| format!("? {status}")));
            copy_to(&mut Vec::new(), first + step.output.len() + usize::from(step.status != 0));
        }
    }
    copy_to(&mut out, lines.len());
    out.join("\n") + "\n"
}

fn copy(from: &Path, to: &Path) {
    let fail = |e| panic!("cannot copy {}: {e}", from.display());
    if !from.is_dir() {
        std::fs::copy(from, to).unwrap_or_else(fail);
        return;
    }
    std::fs::create_dir_all(to).unwrap_or_else(|e| panic!("{e}"));
    for entry in std::fs::read_dir(from).unwrap_or_else(|e| panic!("{e}")) {
        let entry = entry.unwrap_or_else(|e| panic!("{e}"));
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

fn type_in(command: &str, folder: &Path) -> (i32, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", binaries().display()))
        .env("HOME", folder)
        .env("TOUCHMARK_STATE", folder.join(".state"))
        .env_remove("TOUCHMARK_PASSPHRASE")
        .output()
        .unwrap_or_else(|e| panic!("cannot run a shell: {e}"));
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The folder of both binaries, built as this test was.
#[must_use]
pub fn binaries() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BUILT
        .get_or_init(|| {
            let exe = std::env::current_exe().unwrap_or_else(|e| panic!("{e}"));
            let folder = exe.ancestors().find(|p| p.ends_with("debug") || p.ends_with("release"));
            let folder = folder.unwrap_or_else(|| panic!("{} is not in a target folder", exe.display())).to_owned();
            // Who has just built everything says so, for another selection of packages is built anew, with other features.
            let built = ["touchmark-sign", "touchmark-verify"].iter().all(|name| folder.join(name).exists());
            if built && std::env::var_os("TOUCHMARK_BUILT").is_some() {
                return folder;
            }
            let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            build.args(["build", "--quiet", "--bins", "-p", "touchmark-signer", "-p", "touchmark-verifier"]);
            if folder.ends_with("release") {
                build.arg("--release");
            }
            // What cargo tells this test of its package is nothing to the packages that are built.
            let own = std::env::vars_os().map(|(name, _)| name).filter(|name| {
                let name = name.to_string_lossy();
                ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|own| name.starts_with(own))
            });
            own.for_each(|name| {
                build.env_remove(name);
            });
            let status = build.current_dir(root()).status().unwrap_or_else(|e| panic!("cannot run cargo: {e}"));
            assert!(status.success(), "the binaries do not build");
            folder
        })
        .clone()
}

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for (number, line) in page.lines().enumerate() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            (false, _) => {}
            (true, line) => match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) if !goes_on => {
                    steps.push(Step { line: number + 1, command: command.to_owned(), ..Step::default() });
                }
                (_, Some(step)) if goes_on => step.command += &format!("\n{line}"),
                (_, Some(step)) => match line.strip_prefix("? ").and_then(|n| n.parse().ok()) {
                    Some(status) => step.status = status,
                    None => step.output.push(line.trim_end().to_owned()),
                },
                (_, None) => panic!("line {}: output without a command", number + 1),
            },
        }
        goes_on = inside && steps.last().is_some_and(|s| s.output.is_empty()) && line.ends_with('\\');
    }
    steps
}

fn matches(expected: &[&str], lines: &[&str]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((&"...", expected)), _) => (0..=lines.len()).any(|skipped| matches(expected, &lines[skipped..])),
        (Some((first, expected)), Some((line, lines))) => matches_line(first, line) && matches(expected, lines),
        (Some(_), None) => false,
    }
}

fn matches_line(pattern: &str, line: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            line.char_indices().map(|(at, _)| at).chain([line.len()]).any(|at| matches_line(rest, &line[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart() {
        let page = "text\n```console\n$ a \\\n  b\nout\n? 3\n$ c\n```\n$ no\n";
        let step = |line, command: &str, status, output: &[&str]| Step {
            line,
            command: command.into(),
            status,
            output: output.iter().map(|o| (*o).to_owned()).collect(),
        };
        assert_eq!(steps(page), [step(3, "a \\\n  b", 3, &["out"]), step(7, "c", 0, &[])]);
    }

    #[test]
    fn patterns_stand_for_what_varies_and_nothing_else() {
        assert!(matches(&["a [..] c", "..."], &["a b c", "x", "y"]));
        assert!(matches(&["...", "z"], &["z"]));
        assert!(!matches(&["a [..] c"], &["a b d"]));
        assert!(!matches(&["a"], &["a", "b"]));
        assert!(!matches(&["a", "b"], &["a"]));
    }
}
