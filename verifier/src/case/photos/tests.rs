use crate::case::bag;
use crate::case::check::check;
use crate::case::folder::FolderError;
use crate::case::record::PhotoResult;
use crate::case::report::Language;
use crate::case::sample::Sample;
use crate::case::{report, table};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What the photos of the sample hold.
const CONTENTS: [&str; 3] = ["one", "two", "none"];

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A case whose photos are called so below its folder, and are no longer where they were.
fn sample(names: [&str; 3]) -> Sample {
    let sample = Sample::new();
    let folder = sample.folder();
    let mut results: Vec<PhotoResult> = folder.results().unwrap().map(Result::unwrap).collect();
    for (result, name) in results.iter_mut().zip(names) {
        result.photo.path = sample.path(name).to_str().unwrap().to_owned();
    }
    folder.write_results(results.into_iter().map(Ok::<_, FolderError>)).unwrap();
    table::write(&folder).unwrap();
    report::write(&folder, Language::En).unwrap();
    std::fs::remove_dir_all(sample.path("photos")).unwrap();
    sample
}

/// The photos of its bag: the endings of their names, and what they hold.
fn packed(sample: &Sample) -> Vec<(String, String)> {
    let bag = sample.path("bag");
    assert_eq!(check(&bag).unwrap().problems, Vec::<String>::new());
    let names = match bag.join("data/photos").exists() {
        true => bag::files_below(&bag, &bag.join("data/photos")).unwrap(),
        false => Vec::new(),
    };
    let read =
        |name: &String| (name.rsplit('.').next().unwrap().to_owned(), std::fs::read_to_string(bag.join(name)).unwrap());
    let mut all: Vec<(String, String)> = names.iter().map(read).collect();
    all.sort();
    all
}

fn expected(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(ending, content)| ((*ending).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn photos_are_taken_out_of_archives() {
    let files = [("a.jpg", "one"), ("x/../b.PNG", "two"), ("notes.txt", "no photo"), ("c.jpg", "none")];
    let archives =
        [("e.zip", zip(&files)), ("e.tar", tar(&files)), ("e.tar.gz", gz(&tar(&files))), ("e.tgz", gz(&tar(&files)))];
    for (archive, bytes) in archives {
        let names = ["a.jpg", "x/../b.PNG", "c.jpg"].map(|name| format!("{archive}!/{name}"));
        let sample = sample(names.each_ref().map(String::as_str));
        std::fs::write(sample.path(archive), bytes).unwrap();
        let said = sample.packed(true);
        assert_eq!((said.photos, said.without), (3, Vec::new()), "{archive}");
        assert_eq!(packed(&sample), expected(&[("jpg", "none"), ("jpg", "one"), ("png", "two")]), "{archive}");
    }
}

#[test]
fn entries_of_one_name_are_photos_of_their_own() {
    let sample = sample(["e.tar!/a.jpg", "e.tar!/a.jpg#2", "e.tar!/a.jpg#3"]);
    std::fs::write(sample.path("e.tar"), tar(&CONTENTS.map(|content| ("a.jpg", content)))).unwrap();
    assert_eq!(sample.packed(true).photos, 3);
    assert_eq!(packed(&sample), expected(&[("jpg", "none"), ("jpg", "one"), ("jpg", "two")]));
}

#[test]
fn what_changed_in_an_archive_or_went_is_named() {
    let names = ["e.zip!/a.jpg", "e.zip!/gone.jpg", "gone.tar!/c.jpg"];
    let sample = sample(names);
    std::fs::write(sample.path("e.zip"), zip(&[("a.jpg", "another"), ("b.jpg", "two")])).unwrap();
    let said = sample.packed(true);
    assert_eq!(said.photos, 0);
    let mut without = said.without;
    without.sort();
    assert_eq!(without, names.map(|name| sample.path(name).to_str().unwrap().to_owned()));
    assert_eq!(packed(&sample), Vec::new());
}

#[test]
fn an_archive_that_is_cut_short_gives_what_is_whole() {
    let sample = sample(["e.tar!/a.jpg", "e.tar!/b.jpg", "e.tar!/c.jpg"]);
    let whole = tar(&[("a.jpg", "one"), ("b.jpg", "two"), ("c.jpg", "none")]);
    // A header of 512 bytes and as much for its content.
    std::fs::write(sample.path("e.tar"), &whole[..1024 + 512 + 1]).unwrap();
    let said = sample.packed(true);
    assert_eq!((said.photos, said.without.len()), (1, 2));
    assert_eq!(packed(&sample), expected(&[("jpg", "one")]));
}

#[test]
fn a_folder_may_be_called_as_an_archive_is() {
    let sample = sample(["e.zip!/a.jpg", "e.zip!/f.tar!/b.jpg", "none.jpg"]);
    std::fs::create_dir(sample.path("e.zip!")).unwrap();
    std::fs::write(sample.path("e.zip!/a.jpg"), "one").unwrap();
    std::fs::write(sample.path("e.zip!/f.tar"), tar(&[("b.jpg", "two")])).unwrap();
    // Twice the same, once in a file.
    std::fs::write(sample.path("none.jpg"), "none").unwrap();
    assert_eq!(sample.packed(true).photos, 3);
    assert_eq!(packed(&sample), expected(&[("jpg", "none"), ("jpg", "one"), ("jpg", "two")]));
}
