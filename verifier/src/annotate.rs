//! The photo with its marks outlined and their verdicts beside them.

use crate::examine::FoundMark;
use crate::photo::{self, Limits, PhotoError};
use crate::verdict::Verdict;
use image::{ImageEncoder, Rgb, RgbImage};
use std::path::Path;
use touchmark_formats::font;

/// The photo at `path`, upright, with `marks` drawn on it, as PNG.
///
/// # Errors
/// [`PhotoError`] if the photo can no longer be read.
pub fn annotate(path: &Path, marks: &[FoundMark], limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let mut picture = photo::load_rgb(path, limits)?;
    for mark in marks {
        draw(&mut picture, mark);
    }
    let mut png = Vec::new();
    let (width, height) = picture.dimensions();
    // Pictures of the photo's size, into memory: the encoder has nothing to fail on.
    let _ = image::codecs::png::PngEncoder::new(&mut png).write_image(
        picture.as_raw(),
        width,
        height,
        image::ExtendedColorType::Rgb8,
    );
    Ok(png)
}

fn colour(verdict: Verdict) -> Rgb<u8> {
    match verdict {
        Verdict::Authentic => Rgb([0, 200, 83]),
        Verdict::Forged | Verdict::Revoked | Verdict::OutOfScope => Rgb([255, 40, 40]),
        _ => Rgb([255, 176, 0]),
    }
}

/// Draws the outline of a mark just outside of `corners`, its lines `pen` pixels wide, and gives its corners.
pub(crate) fn outline(picture: &mut RgbImage, corners: [[f32; 2]; 4], verdict: Verdict, pen: f32) -> [[f32; 2]; 4] {
    let corners = outwards(corners, pen * 1.5);
    for (n, corner) in corners.iter().enumerate() {
        line(picture, *corner, corners[(n + 1) % 4], pen, colour(verdict));
    }
    corners
}

fn draw(picture: &mut RgbImage, mark: &FoundMark) {
    let colour = colour(mark.judged.assessment.verdict);
    let short_side = picture.width().min(picture.height()) as f32;
    let pen = (short_side / 300.0).max(1.5);
    let corners = outline(picture, mark.corners, mark.judged.assessment.verdict, pen);
    label(picture, &words(mark), &corners, short_side / 36.0, colour);
}

fn words(mark: &FoundMark) -> Vec<String> {
    let assessment = &mark.judged.assessment;
    let mut lines = vec![assessment.verdict.name().to_uppercase()];
    if let Some(proven) = &assessment.proven {
        lines.push(proven.maker.to_string());
        lines.push(match (&proven.container, proven.serial) {
            (Some(held), _) => format!("{}: {} no. {} to {}", held.level, proven.part, held.first, held.last),
            (None, Some(serial)) => format!("{} no. {serial}", proven.part),
            (None, None) => proven.part.to_string(),
        });
    }
    lines
}

/// The corners moved away from their middle, so that the outline hides no module.
fn outwards(corners: [[f32; 2]; 4], by: f32) -> [[f32; 2]; 4] {
    let middle = [0, 1].map(|axis| corners.iter().map(|c| c[axis]).sum::<f32>() / 4.0);
    corners.map(|[x, y]| {
        let (dx, dy) = (x - middle[0], y - middle[1]);
        let far = 1.0 + by * 1.5 / dx.hypot(dy).max(1.0);
        [middle[0] + dx * far, middle[1] + dy * far]
    })
}

/// Lines of text in a dark box: below the mark if there is room, else above it.
fn label(picture: &mut RgbImage, lines: &[String], corners: &[[f32; 2]; 4], height: f32, colour: Rgb<u8>) {
    let height = height.max(8.0);
    let pitch = height * font::LINE_PITCH as f32;
    let margin = height * 0.6;
    let width = lines.iter().map(|l| font::width(l) as f32 * height).fold(0.0, f32::max) + 2.0 * margin;
    let box_height = pitch * lines.len() as f32 + margin;
    let edge = |axis: usize, pick: fn(f32, f32) -> f32, from: f32| corners.iter().map(|c| c[axis]).fold(from, pick);
    let (left, bottom, top) = (edge(0, f32::min, f32::MAX), edge(1, f32::max, f32::MIN), edge(1, f32::min, f32::MAX));
    let (room_x, room_y) = (picture.width() as f32, picture.height() as f32);
    let x = left.min(room_x - width).max(0.0);
    let below = bottom + margin;
    let y = if below + box_height <= room_y { below } else { (top - margin - box_height).max(0.0) };
    darken(picture, x, y, width, box_height);
    for (n, text) in lines.iter().enumerate() {
        let baseline = y + pitch * n as f32 + margin * 0.6 + height;
        for stroke in font::strokes(text) {
            let place = |p: &(f64, f64)| [x + margin + p.0 as f32 * height, baseline - p.1 as f32 * height];
            for pair in stroke.windows(2) {
                if let [from, to] = pair {
                    line(picture, place(from), place(to), height * 0.14, colour);
                }
            }
        }
    }
}

fn darken(picture: &mut RgbImage, x: f32, y: f32, width: f32, height: f32) {
    let (right, bottom) = ((x + width).min(picture.width() as f32), (y + height).min(picture.height() as f32));
    for row in y.max(0.0) as u32..bottom.max(0.0) as u32 {
        for column in x.max(0.0) as u32..right.max(0.0) as u32 {
            picture.get_pixel_mut(column, row).0.iter_mut().for_each(|channel| *channel /= 5);
        }
    }
}

/// A line with round ends and soft edges, `width` pixels wide.
fn line(picture: &mut RgbImage, from: [f32; 2], to: [f32; 2], width: f32, colour: Rgb<u8>) {
    let reach = width / 2.0 + 1.0;
    let span = |axis: usize, size: u32| {
        let low = (from[axis].min(to[axis]) - reach).clamp(0.0, size as f32);
        let high = (from[axis].max(to[axis]) + reach).clamp(0.0, size as f32);
        low as u32..(high.ceil() as u32).min(size)
    };
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length2 = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
    for row in span(1, picture.height()) {
        for column in span(0, picture.width()) {
            let (px, py) = (column as f32 + 0.5 - from[0], row as f32 + 0.5 - from[1]);
            let along = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
            let away = (px - along * dx).hypot(py - along * dy);
            let cover = (width / 2.0 + 0.5 - away).clamp(0.0, 1.0);
            if cover > 0.0 {
                let pixel = picture.get_pixel_mut(column, row);
                for (old, new) in pixel.0.iter_mut().zip(colour.0) {
                    *old = (f32::from(*old) * (1.0 - cover) + f32::from(new) * cover) as u8;
                }
            }
        }
    }
}
