//! Makes the example photos in `tests/photos` anew: run `cargo run --release -p touchmark-tests --bin make-examples`.
//!
//! Keys and pictures come from fixed seeds; only the encryption of the disclosure is random.

#![allow(clippy::panic)] // A generator stops where its premise fails.

use age::x25519::Identity;
use std::path::Path;
use testkit::console::root;
use testkit::maker::{TestMaker, date, encrypted, label, public, signed};
use testkit::simulate::{Scene, jpeg, simulate};
use touchmark_formats::disclosure::{Consignee, DisclosedKey, Disclosure, Grant, Scope};
use touchmark_formats::mark::SignedMark;
use touchmark_formats::symbol::{EcLevel, Matrix, Request, Shape, encode};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = root().join("tests/photos");
    std::fs::create_dir_all(&folder)?;
    let maker = TestMaker::new(1);
    let mark =
        |serial, consignee| maker.sign(maker.mark(serial, "STM32F407VGT6", "A2B347K", "2026-11-23", Some(consignee)));
    let square = Request::DataMatrix { shape: Shape::Square };
    let qr = Request::Qr { ec: EcLevel::M, min_version: 1 };
    let stranger = TestMaker::new(77);
    let chips = [
        ("chip-1.jpg", mark(48_213_077, 104_233), square, Scene { rotation: 9.0, ..Scene::worn() }),
        ("chip-2.jpg", mark(48_213_078, 104_871), qr, Scene { dots: Some(0.85), soot: 0.05, ..Scene::worn() }),
        ("stranger.jpg", stranger.sign(stranger.usual_mark()), square, Scene::worn()),
    ];
    for (seed, (name, mark, request, scene)) in chips.into_iter().enumerate() {
        photograph(&folder.join(name), &matrix(&mark, &request)?, scene, seed as u64 + 4)?;
    }
    let blank = Matrix::new(40, 40, vec![false; 1600]).ok_or("no matrix")?;
    photograph(&folder.join("no-mark.jpg"), &blank, Scene::worn(), 9)?;
    let mut trust = maker.trust();
    trust.expires = "2036-11-23T00:00:00Z".parse()?;
    std::fs::write(folder.join("trust.json"), signed(trust, &[&maker.authority]).to_json())?;
    disclose(&folder, &maker)
}

fn matrix(mark: &SignedMark, request: &Request) -> Result<Matrix, Box<dyn std::error::Error>> {
    Ok(encode(&mark.to_bytes(), request)?.matrix)
}

fn photograph(path: &Path, matrix: &Matrix, scene: Scene, seed: u64) -> Outcome {
    let caption = vec!["STM32F407VGT6".to_owned(), "LOT A2B347K".to_owned(), "2026-11-23".to_owned()];
    Ok(std::fs::write(path, jpeg(&simulate(matrix, &Scene { caption, ..scene }, seed), 82))?)
}

fn disclose(folder: &Path, maker: &TestMaker) -> Outcome {
    // A key that everybody has: for these examples only.
    let path = folder.join("identity.txt");
    let identity = match std::fs::read_to_string(&path).ok().and_then(|text| text.lines().find_map(|l| l.parse().ok()))
    {
        Some(identity) => identity,
        None => {
            let identity = Identity::generate();
            let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
            std::fs::write(
                &path,
                format!("# public to all, for the examples only: {}\n{secret}\n", identity.to_public()),
            )?;
            identity
        }
    };
    let (day, lot) = (date("2026-11-23"), Some(label("A2B347K")));
    let key = DisclosedKey::new(*maker.year.day(day).lot(lot.as_ref()).expose());
    let consignee = |number, name, country: &str| Consignee {
        number,
        name: label(name),
        country: country.parse().ok(),
        address: None,
    };
    let disclosure = Disclosure {
        maker: public(&maker.root),
        recipient: identity.to_public().to_string(),
        case: "example".into(),
        created: "2026-11-24T09:00:00Z".parse()?,
        expires: "2036-11-24T09:00:00Z".parse()?,
        scope: Scope::Lot(label("A2B347K")),
        grants: vec![Grant::Lot { date: day, lot, key }],
        consignees: vec![
            consignee(104_233, "Noordzee Instruments", "NL"),
            consignee(104_871, "Alpenblick Medizintechnik", "AT"),
        ],
    };
    let json = signed(disclosure, &[&maker.root]).to_json();
    Ok(std::fs::write(folder.join("disclosure.age"), encrypted(json.as_bytes(), &identity.to_public()))?)
}
