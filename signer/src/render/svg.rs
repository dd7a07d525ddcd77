//! SVG 1.1 in which one user unit is one millimetre. All modules are one path, so that no seams show between them.

use super::layout::{Drawing, Modules, Page, Point, Rect};
use super::number::push_mm;
use super::options::Polarity;

pub(crate) fn write(page: &Page) -> String {
    let mut out = String::with_capacity(page.drawings.len() * 16_384);
    let (width, height) = (text(page.width), text(page.height));
    out.push_str("<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" ");
    out.push_str(&format!("width=\"{width}mm\" height=\"{height}mm\" viewBox=\"0 0 {width} {height}\">\n"));
    if let Some(polarity) = page.ground {
        let (ground, _) = colours(polarity);
        out.push_str(&format!("<rect fill=\"{ground}\" width=\"{width}\" height=\"{height}\"/>\n"));
    }
    for drawing in &page.drawings {
        push_drawing(&mut out, drawing);
    }
    out.push_str("</svg>\n");
    out
}

fn push_drawing(out: &mut String, drawing: &Drawing) {
    let (ground, mark) = colours(drawing.polarity);
    out.push_str(&format!("<path fill=\"{ground}\" d=\""));
    push_rect(out, &drawing.frame);
    out.push_str(&format!("\"/>\n<path fill=\"{mark}\" d=\""));
    match &drawing.modules {
        Modules::Squares(area) => area.outlines().iter().for_each(|outline| push_outline(out, outline)),
        Modules::Dots { centres, radius } => centres.iter().for_each(|centre| push_dot(out, *centre, *radius)),
    }
    out.push_str("\"/>\n");
    if !drawing.text.is_empty() {
        let pen = text(drawing.stroke_mm);
        out.push_str(&format!("<path fill=\"none\" stroke=\"{mark}\" stroke-width=\"{pen}\" "));
        out.push_str("stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"");
        drawing.text.iter().for_each(|stroke| push_stroke(out, stroke));
        out.push_str("\"/>\n");
    }
}

/// Of the ground and of what is marked on it.
fn colours(polarity: Polarity) -> (&'static str, &'static str) {
    match polarity {
        Polarity::DarkOnLight => ("#fff", "#000"),
        Polarity::LightOnDark => ("#000", "#fff"),
    }
}

fn push_rect(out: &mut String, rect: &Rect) {
    push_with(out, 'M', rect.left);
    push_with(out, ' ', rect.top);
    push_with(out, 'H', rect.right);
    push_with(out, 'V', rect.bottom);
    push_with(out, 'H', rect.left);
    out.push('z');
}

/// Edges are level and upright by turns.
fn push_outline(out: &mut String, corners: &[Point]) {
    let mut last = None;
    for &(x, y) in corners {
        match last {
            None => {
                push_with(out, 'M', x);
                push_with(out, ' ', y);
            }
            Some(level) if level == y => push_with(out, 'H', x),
            Some(_) => push_with(out, 'V', y),
        }
        last = Some(y);
    }
    out.push('z');
}

/// Two half circles.
fn push_dot(out: &mut String, (x, y): Point, radius: f64) {
    push_with(out, 'M', x - radius);
    push_with(out, ' ', y);
    for way in [2.0 * radius, -2.0 * radius] {
        push_with(out, 'a', radius);
        push_with(out, ' ', radius);
        out.push_str(" 0 1 0");
        push_with(out, ' ', way);
        out.push_str(" 0");
    }
    out.push('z');
}

fn push_stroke(out: &mut String, stroke: &[Point]) {
    for (number, (x, y)) in stroke.iter().enumerate() {
        push_with(out, if number == 0 { 'M' } else { 'L' }, *x);
        push_with(out, ' ', *y);
    }
}

fn push_with(out: &mut String, command: char, mm: f64) {
    out.push(command);
    push_mm(out, mm);
}

fn text(mm: f64) -> String {
    let mut out = String::new();
    push_mm(&mut out, mm);
    out
}
