//! PDF and DXF.

use super::*;

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn pdf(artworks: &[Artwork]) -> String {
    String::from_utf8_lossy(&render(Format::Pdf, artworks, &SheetOptions::default()).unwrap()).into_owned()
}

fn media_boxes(pdf: &str) -> Vec<Vec<f64>> {
    pdf.split("/MediaBox [").skip(1).map(|rest| numbers(rest.split(']').next().unwrap())).collect()
}

#[test]
fn pdf_pages_have_the_size_of_their_marks() {
    let tall = ArtworkOptions { caption: caption(Place::Below), ..ArtworkOptions::default() };
    let marks = [artwork(&qr(), ArtworkOptions::default()), artwork(&data_matrix(), tall)];
    let pdf = pdf(&marks);
    let boxes = media_boxes(&pdf);
    assert_eq!(boxes.len(), 2);
    for (media_box, mark) in boxes.iter().zip(&marks) {
        let page = Page::single(mark);
        assert_eq!(media_box[..2], [0.0, 0.0]);
        assert_near(media_box[2] * 25.4 / 72.0, page.width, 1e-4);
        assert_near(media_box[3] * 25.4 / 72.0, page.height, 1e-4);
    }
    assert_near(boxes[0][2], 4.5 / 25.4 * 72.0, 1e-4);
    assert!(pdf.contains("/Count 2"));
}

#[test]
fn pdf_modules_cover_the_area_of_the_modules() {
    let encoded = qr();
    let pdf = pdf(&[artwork(&encoded, ArtworkOptions::default())]);
    let stream = pdf.split("stream\n").nth(1).unwrap().split("\nendstream").next().unwrap();
    // Millimetres with the origin at the top left: 72/25.4 points each.
    let matrix = numbers(stream.lines().find(|line| line.ends_with(" cm")).unwrap());
    assert_near(matrix[0], 72.0 / 25.4, 1e-5);
    assert_near(matrix[3], -72.0 / 25.4, 1e-5);
    assert_near(matrix[5], 4.5 * 72.0 / 25.4, 1e-4);
    assert!(stream.contains("\n0 0 4.5 4.5 re\n"));
    let mut outlines: Vec<Vec<(f64, f64)>> = Vec::new();
    for line in stream.lines().filter(|line| line.ends_with(" m") || line.ends_with(" l")) {
        if line.ends_with('m') {
            outlines.push(Vec::new());
        }
        let point = numbers(line);
        outlines.last_mut().unwrap().push((point[0], point[1]));
    }
    assert_near(enclosed(&outlines), dark(&encoded.matrix) as f64 * 0.01, 1e-4);
}

/// Pairs of group code and value.
pub(super) fn groups(dxf: &str) -> Vec<(u16, &str)> {
    let lines: Vec<&str> = dxf.lines().collect();
    lines.chunks_exact(2).map(|pair| (pair[0].parse().unwrap(), pair[1])).collect()
}

#[derive(Default)]
struct Entity {
    kind: String,
    layer: String,
    values: Vec<(u16, f64)>,
}

impl Entity {
    fn value(&self, code: u16) -> f64 {
        self.values.iter().find(|value| value.0 == code).unwrap().1
    }

    fn point(&self) -> (f64, f64) {
        (self.value(10), self.value(20))
    }
}

fn entities(dxf: &str) -> Vec<Entity> {
    let groups = groups(dxf);
    let start = groups.iter().position(|group| *group == (2, "ENTITIES")).unwrap() + 1;
    let mut entities: Vec<Entity> = Vec::new();
    for (code, value) in &groups[start..] {
        match (code, entities.last_mut()) {
            (0, _) => entities.push(Entity { kind: value.to_string(), ..Entity::default() }),
            (8, Some(entity)) => entity.layer = value.to_string(),
            (_, Some(entity)) => entity.values.push((*code, value.parse().unwrap())),
            (_, None) => panic!("group {code} before any entity"),
        }
    }
    entities
}

#[test]
fn dxf_is_in_millimetres_with_y_up() {
    let encoded = data_matrix();
    let dxf = text(Format::Dxf, &artwork(&encoded, ArtworkOptions::default()));
    let header: Vec<_> = groups(&dxf);
    let units = header.iter().position(|group| *group == (9, "$INSUNITS")).unwrap();
    assert_eq!(header[units + 1], (70, "4"));
    assert_eq!(header.last(), Some(&(0, "EOF")));
    let entities = entities(&dxf);
    let corners: Vec<_> = entities.iter().filter(|e| e.kind == "VERTEX").map(Entity::point).collect();
    assert_eq!(extent(&corners), (0.1, 0.1, 4.9, 2.7));
    // The solid edges of the finder pattern meet at the left and at the bottom.
    assert!([(0.1, 0.1), (4.9, 0.1), (0.1, 2.7)].iter().all(|corner| corners.contains(corner)));
    assert!(!corners.contains(&(4.9, 2.7)));
}

#[test]
fn dxf_squares_are_closed_polylines_of_the_modules_area() {
    let encoded = qr();
    let entities = entities(&text(Format::Dxf, &artwork(&encoded, ArtworkOptions::default())));
    let polylines = entities.split(|entity| entity.kind == "POLYLINE").skip(1);
    let outlines =
        polylines.map(|vertices| vertices.iter().filter(|e| e.kind == "VERTEX").map(Entity::point).collect());
    let outlines: Vec<Vec<_>> = outlines.collect();
    // With y up they run the other way round.
    assert_near(-enclosed(&outlines), dark(&encoded.matrix) as f64 * 0.01, 1e-6);
    assert!(entities.iter().filter(|e| e.kind == "POLYLINE").all(|e| e.value(70) == 1.0 && e.layer == "MODULES"));
}

#[test]
fn dxf_has_circles_for_dots_and_open_lines_for_text() {
    let encoded = qr();
    let options = ArtworkOptions {
        shape: ModuleShape::Dot,
        dot_gain_mm: 0.02,
        caption: caption(Place::Right),
        ..ArtworkOptions::default()
    };
    let entities = entities(&text(Format::Dxf, &artwork(&encoded, options)));
    let circles: Vec<_> = entities.iter().filter(|entity| entity.kind == "CIRCLE").collect();
    assert_eq!(circles.len(), dark(&encoded.matrix));
    assert!(circles.iter().all(|circle| circle.value(40) == 0.03 && circle.layer == "MODULES"));
    let lines: Vec<_> = entities.iter().filter(|entity| entity.kind == "POLYLINE").collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.value(70) == 0.0 && line.layer == "TEXT"));
}

#[test]
fn dxf_is_the_same_for_either_polarity() {
    let dxf = |polarity| text(Format::Dxf, &artwork(&qr(), ArtworkOptions { polarity, ..ArtworkOptions::default() }));
    assert_eq!(dxf(Polarity::DarkOnLight), dxf(Polarity::LightOnDark));
}
