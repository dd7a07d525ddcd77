//! PDF: one page a mark, as large as the artwork, in vectors.

use super::layout::{Drawing, Modules, Page, Point, Rect};
use super::options::{Artwork, Polarity};
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Finish, Pdf, Ref};

const POINTS_PER_MM: f64 = 72.0 / 25.4;

pub(crate) fn write(artworks: &[Artwork]) -> Vec<u8> {
    let (catalog, tree) = (Ref::new(1), Ref::new(2));
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    // MAX_ARTWORKS keeps these numbers small.
    let ids: Vec<(Ref, Ref)> = (1..).take(artworks.len()).map(|i| (Ref::new(2 * i + 1), Ref::new(2 * i + 2))).collect();
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    for ((page_id, content_id), artwork) in ids.into_iter().zip(artworks) {
        let layout = Page::single(artwork);
        let mut page = pdf.page(page_id);
        let points = |mm: f64| (mm * POINTS_PER_MM) as f32;
        page.media_box(pdf_writer::Rect::new(0.0, 0.0, points(layout.width), points(layout.height)));
        page.parent(tree).contents(content_id).resources();
        page.finish();
        pdf.stream(content_id, &content(&layout));
    }
    pdf.finish()
}

fn content(page: &Page) -> Vec<u8> {
    let mut content = Content::new();
    // Millimetres with y down from here on.
    let scale = POINTS_PER_MM as f32;
    content.transform([scale, 0.0, 0.0, -scale, 0.0, (page.height * POINTS_PER_MM) as f32]);
    page.drawings.iter().for_each(|drawing| draw(&mut content, drawing));
    content.finish().into_vec()
}

fn draw(content: &mut Content, drawing: &Drawing) {
    let (ground, mark) = match drawing.polarity {
        Polarity::DarkOnLight => (1.0, 0.0),
        Polarity::LightOnDark => (0.0, 1.0),
    };
    content.set_fill_gray(ground);
    rect(content, &drawing.frame);
    content.fill_nonzero();
    content.set_fill_gray(mark);
    match &drawing.modules {
        Modules::Squares(area) => area.outlines().iter().for_each(|corners| {
            line(content, corners);
            content.close_path();
        }),
        Modules::Dots { centres, radius } => centres.iter().for_each(|centre| dot(content, *centre, *radius)),
    }
    content.fill_nonzero();
    content.set_stroke_gray(mark).set_line_width(drawing.stroke_mm as f32);
    content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
    for stroke in &drawing.text {
        line(content, stroke);
        content.stroke();
    }
}

fn line(content: &mut Content, points: &[Point]) {
    for (number, (x, y)) in points.iter().enumerate() {
        match number {
            0 => content.move_to(*x as f32, *y as f32),
            _ => content.line_to(*x as f32, *y as f32),
        };
    }
}

fn rect(content: &mut Content, rect: &Rect) {
    let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
    content.rect(rect.left as f32, rect.top as f32, width as f32, height as f32);
}

/// A circle as four Bézier curves; their handles make the error 0.03 % of the radius.
fn dot(content: &mut Content, (x, y): Point, radius: f64) {
    let handle = radius * 0.552_285;
    let at = |dx: f64, dy: f64| ((x + dx) as f32, (y + dy) as f32);
    let (start_x, start_y) = at(radius, 0.0);
    content.move_to(start_x, start_y);
    for (dx, dy) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)] {
        // From the point in direction (dx, dy) to the one a quarter turn on, (-dy, dx).
        let (x1, y1) = at(radius * dx - handle * dy, radius * dy + handle * dx);
        let (x2, y2) = at(handle * dx - radius * dy, handle * dy + radius * dx);
        let (x3, y3) = at(-radius * dy, radius * dx);
        content.cubic_to(x1, y1, x2, y2, x3, y3);
    }
    content.close_path();
}
