use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Not by `set_path`, which refuses the names that are of interest here.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Seen = Vec<(String, Result<Vec<u8>, String>)>;

/// What is shown of an archive of which `left` bytes may come out, and how it ends.
fn within(archive: &[u8], kind: Kind, left: u64) -> (Seen, Result<(), String>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(archive).unwrap();
    file.rewind().unwrap();
    let mut seen = Seen::new();
    let end = entries_within(file, kind, left, &mut |entry| {
        let content = entry.content.map_err(str::to_owned).and_then(|content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
            Ok(bytes)
        });
        seen.push((String::from_utf8_lossy(&entry.name).into_owned(), content));
        ControlFlow::Continue(())
    });
    (seen, end)
}

fn shown(archive: &[u8], kind: Kind) -> (Seen, Result<(), String>) {
    within(archive, kind, u64::MAX)
}

const FILES: [(&str, &[u8]); 3] = [("a.jpg", b"one"), ("../../etc/b.jpg", b"two"), ("/c\\d.jpg", b"")];

#[test]
fn what_is_in_an_archive_is_shown_and_names_are_mere_text() {
    let expected: Seen = FILES.iter().map(|(name, bytes)| ((*name).to_owned(), Ok(bytes.to_vec()))).collect();
    for (archive, kind) in [(zip(&FILES), Kind::Zip), (tar(&FILES), Kind::Tar), (gz(&tar(&FILES)), Kind::TarGz)] {
        assert_eq!(shown(&archive, kind), (expected.clone(), Ok(())), "{kind:?}");
    }
}

#[test]
fn long_names_of_tar_files_are_read_and_endless_ones_are_not() {
    let long = format!("{}/x.jpg", "folder/".repeat(60));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    builder.append_data(&mut header, &long, &b"gnu"[..]).unwrap();
    let path = format!("{} path=pax.jpg\n", 16);
    let mut pax = tar::Header::new_ustar();
    pax.set_entry_type(EntryType::XHeader);
    pax.set_size(path.len() as u64);
    pax.set_cksum();
    builder.append(&pax, path.as_bytes()).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(3);
    header.set_cksum();
    builder.append(&header, &b"pax"[..]).unwrap();
    let archive = builder.into_inner().unwrap();
    let expected = vec![(long, Ok(b"gnu".to_vec())), ("pax.jpg".to_owned(), Ok(b"pax".to_vec()))];
    assert_eq!(shown(&archive, Kind::Tar), (expected, Ok(())));

    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    builder.append(&header, io::empty()).unwrap();
    let (seen, end) = shown(&builder.into_inner().unwrap(), Kind::Tar);
    assert_eq!((seen, end.unwrap_err().as_str()), (vec![], "the archive has a name that is too long to be one"));
}

#[test]
fn a_bomb_is_given_up() {
    let zeros = vec![0; 3 << 20];
    let files: [(&str, &[u8]); 3] = [("a.bmp", &zeros), ("b.bmp", &zeros), ("c.bmp", &zeros)];
    for (archive, kind) in [(zip(&files), Kind::Zip), (gz(&tar(&files)), Kind::TarGz)] {
        assert!(archive.len() < 20_000, "{kind:?}: {} bytes", archive.len());
        let (seen, end) = within(&archive, kind, 4 << 20);
        assert_eq!(end.unwrap_err(), BOMB, "{kind:?}");
        let whole = seen.iter().filter(|(_, content)| content.is_ok()).count();
        assert_eq!((whole, seen.len()), (1, 2), "{kind:?}");
    }
}

#[test]
fn cut_archives_end_with_a_sentence_wherever_they_are_cut() {
    for (archive, kind) in [(zip(&FILES), Kind::Zip), (tar(&FILES), Kind::Tar), (gz(&tar(&FILES)), Kind::TarGz)] {
        for cut in (0..archive.len()).step_by(if kind == Kind::Tar { 101 } else { 1 }) {
            let (seen, end) = shown(&archive[..cut], kind);
            // A tar file may end after any of its files.
            assert!(kind == Kind::Tar || end.is_err(), "{kind:?} cut at {cut}");
            assert!(seen.len() <= FILES.len());
            if let Err(message) = end {
                assert!(message.starts_with("the archive is damaged or cut short ("), "{message}");
            }
        }
    }
}

#[test]
fn damaged_archives_never_stop_the_program() {
    for (archive, kind) in [(zip(&FILES), Kind::Zip), (tar(&FILES), Kind::Tar)] {
        for at in 0..archive.len().min(700) {
            for change in [1, 0x80, 0xFF] {
                let mut damaged = archive.clone();
                damaged[at] ^= change;
                let _ = shown(&damaged, kind);
            }
        }
    }
}

#[test]
fn an_encrypted_file_says_so() {
    // Info-ZIP: `zip -P x e.zip a.jpg` sets this flag in both headers; the content matters no more.
    let mut archive = zip(&FILES[..1]);
    let directory = archive.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    archive[6] |= 1;
    archive[directory + 8] |= 1;
    let (seen, end) = shown(&archive, Kind::Zip);
    let message = "it is encrypted in its archive: unpack it, and name the folder".to_owned();
    assert_eq!((seen, end), (vec![("a.jpg".to_owned(), Err(message))], Ok(())));
}

#[test]
fn a_directory_that_promises_too_much_is_not_believed() {
    let mut archive = zip(&FILES[..1]);
    // A record of ZIP64 that promises 2^40 entries, in the comment of the archive.
    let record = [b"PK\x06\x06".to_vec(), vec![0; 28], (1_u64 << 40).to_le_bytes().to_vec(), vec![0; 16]].concat();
    let length = archive.len();
    archive[length - 2..].copy_from_slice(&u16::try_from(record.len()).unwrap().to_le_bytes());
    archive.extend(record);
    assert_eq!(shown(&archive, Kind::Zip), (vec![], Err(TOO_MANY.to_owned())));
}
