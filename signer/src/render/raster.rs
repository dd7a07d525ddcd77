//! A page as pixels, for PNG and label printers. Edges fall on the nearest pixel boundary, so modules of a fractional
//! number of pixels differ by one among each other and the whole keeps its size to a pixel.

use super::RenderError;
use super::layout::{Drawing, Modules, Page, Point, Rect};
use super::options::Polarity;

/// Black and white pixels, row by row.
pub(crate) struct Raster {
    pub(crate) width: usize,
    pub(crate) height: usize,
    black: Vec<bool>,
}

/// Millimetres of an inch.
pub(crate) const MM_PER_INCH: f64 = 25.4;
const MAX_PIXELS: f64 = 64e6;
const MIN_PIXELS_PER_MODULE: f64 = 2.0;

impl Raster {
    pub(crate) fn new(page: &Page, dpi: f64) -> Result<Self, RenderError> {
        let scale = dpi / MM_PER_INCH;
        for drawing in &page.drawings {
            check_module(drawing, scale)?;
        }
        Self::check_size((page.width, page.height), dpi)?;
        let (width, height) = (pixels(page.width, scale) as usize, pixels(page.height, scale) as usize);
        let ground = page.ground == Some(Polarity::LightOnDark);
        let mut raster = Self { width, height, black: vec![ground; width * height] };
        page.drawings.iter().for_each(|drawing| raster.draw(drawing, scale));
        Ok(raster)
    }

    /// Refuses pages of more than 64 million pixels; their size is in millimetres.
    pub(crate) fn check_size(mm: Point, dpi: f64) -> Result<(), RenderError> {
        let scale = dpi / MM_PER_INCH;
        match pixels(mm.0, scale) * pixels(mm.1, scale) > MAX_PIXELS {
            true => Err(RenderError::TooLarge { mm }),
            false => Ok(()),
        }
    }

    /// Rows of packed bits, the leftmost pixel in the highest bit; 1 is `black_is_one`.
    pub(crate) fn packed_rows(&self, black_is_one: bool) -> impl Iterator<Item = Vec<u8>> {
        self.black.chunks(self.width).map(move |row| {
            let pack = |byte: u8, (bit, black): (usize, &bool)| byte | u8::from(*black == black_is_one) << (7 - bit);
            row.chunks(8).map(|eight| eight.iter().enumerate().fold(0, pack)).collect()
        })
    }

    fn draw(&mut self, drawing: &Drawing, scale: f64) {
        let mark_is_black = drawing.polarity == Polarity::DarkOnLight;
        self.fill(&drawing.frame, scale, !mark_is_black);
        match &drawing.modules {
            Modules::Squares(area) => area.rects().iter().for_each(|rect| self.fill(rect, scale, mark_is_black)),
            Modules::Dots { centres, radius } => {
                // No dot falls between the middles of four pixels.
                let radius = radius.max(0.708 / scale);
                centres.iter().for_each(|centre| self.line(&[*centre, *centre], radius, scale, mark_is_black));
            }
        }
        // A pen thinner than a pixel would leave gaps.
        let pen = (drawing.stroke_mm / 2.0).max(0.5 / scale);
        for stroke in &drawing.text {
            stroke.windows(2).for_each(|ends| self.line(ends, pen, scale, mark_is_black));
        }
    }

    fn fill(&mut self, rect: &Rect, scale: f64, black: bool) {
        let pixel = |mm: f64, limit: usize| ((mm * scale).round().max(0.0) as usize).min(limit);
        let (left, right) = (pixel(rect.left, self.width), pixel(rect.right, self.width));
        let (top, bottom) = (pixel(rect.top, self.height), pixel(rect.bottom, self.height));
        for y in top..bottom {
            let row = y * self.width;
            self.black.get_mut(row + left..row + right).into_iter().for_each(|row| row.fill(black));
        }
    }

    /// Colours the pixels whose middle is within `radius` millimetres of the line between two points.
    fn line(&mut self, ends: &[Point], radius: f64, scale: f64, black: bool) {
        let &[from, to] = ends else { return };
        let reach = |a: f64, b: f64, limit: usize| {
            let (low, high) = ((a.min(b) - radius) * scale, (a.max(b) + radius) * scale);
            (low.floor().max(0.0) as usize)..(high.ceil().max(0.0) as usize).min(limit)
        };
        for y in reach(from.1, to.1, self.height) {
            for x in reach(from.0, to.0, self.width) {
                let middle = ((x as f64 + 0.5) / scale, (y as f64 + 0.5) / scale);
                if distance(middle, from, to) <= radius {
                    self.black.get_mut(y * self.width + x).into_iter().for_each(|pixel| *pixel = black);
                }
            }
        }
    }
}

fn pixels(mm: f64, scale: f64) -> f64 {
    (mm * scale).round().max(1.0)
}

/// A module needs two pixels, and what the dot gain leaves of it one.
fn check_module(drawing: &Drawing, scale: f64) -> Result<(), RenderError> {
    let needed = (MIN_PIXELS_PER_MODULE / drawing.module_mm).max(1.0 / drawing.drawn_mm);
    // A hair of tolerance: 0.254 mm at 200 dpi are two pixels.
    match scale * (1.0 + 1e-9) < needed {
        true => Err(RenderError::TooCoarse { pixels: drawing.module_mm * scale, dpi_needed: needed * MM_PER_INCH }),
        false => Ok(()),
    }
}

/// From a point to the nearest point of the line between two others.
fn distance(point: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let squared = dx * dx + dy * dy;
    let along = if squared > 0.0 { ((point.0 - from.0) * dx + (point.1 - from.1) * dy) / squared } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (point.0 - from.0 - along * dx).hypot(point.1 - from.1 - along * dy)
}
