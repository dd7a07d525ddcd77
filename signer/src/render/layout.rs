//! Artwork in millimetres, whatever it is written as: x to the right, y down, the origin at the top left of the page.

use super::RenderError;
use super::area::Area;
use super::options::{Artwork, ArtworkOptions, Caption, ModuleShape, Place, Placed, Polarity, SheetOptions, Turn};
use std::borrow::Cow;
use touchmark_formats::font;
use touchmark_formats::symbol::Matrix;

/// What one sheet, page or label shows.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What the whole page is made of, where it is more than paper between the marks.
    pub(crate) ground: Option<Polarity>,
    pub(crate) drawings: Vec<Drawing<'a>>,
}

/// One mark: a frame of background, and what the marking process puts on it.
#[derive(Debug)]
pub(crate) struct Drawing<'a> {
    pub(crate) frame: Rect,
    pub(crate) polarity: Polarity,
    /// Side of a module, and of a single one as it is drawn.
    pub(crate) module_mm: f64,
    pub(crate) drawn_mm: f64,
    pub(crate) modules: Modules<'a>,
    pub(crate) text: Vec<Stroke>,
    pub(crate) stroke_mm: f64,
}

/// The modules to be marked.
#[derive(Debug)]
pub(crate) enum Modules<'a> {
    /// An area of squares that touch.
    Squares(Area<'a>),
    /// Centres of dots.
    Dots { centres: Vec<Point>, radius: f64 },
}

pub(crate) type Point = (f64, f64);

/// An open line from point to point, drawn with a round pen.
pub(crate) type Stroke = Vec<Point>;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl<'a> Page<'a> {
    /// A page the size of one mark.
    pub(crate) fn single(artwork: &'a Artwork) -> Self {
        let (width, height) = size(artwork);
        Self { width, height, ground: None, drawings: vec![draw(artwork, (0.0, 0.0))] }
    }

    /// All marks on one page, row by row, at the pitch of the largest.
    pub(crate) fn grid(artworks: &'a [Artwork], sheet: &SheetOptions) -> Self {
        let largest = artworks.iter().map(size).fold((0.0, 0.0), |a: Point, b| (a.0.max(b.0), a.1.max(b.1)));
        let grid = Grid::new(largest, artworks.len(), sheet);
        let drawings = artworks.iter().enumerate().map(|(i, artwork)| draw(artwork, grid.place(i))).collect();
        let (width, height) = grid.size();
        Self { width, height, ground: None, drawings }
    }

    /// A substrate of this size, every mark in its place.
    pub(crate) fn substrate(marks: &'a [Placed], (width, height): Point) -> Result<Self, RenderError> {
        let drawings = marks.iter().map(|mark| place(mark, height)).collect::<Vec<_>>();
        // A hair of tolerance: places are sums of rounded numbers.
        let inside = |rect: &Rect| {
            rect.left >= -1e-6 && rect.top >= -1e-6 && rect.right <= width + 1e-6 && rect.bottom <= height + 1e-6
        };
        if let Some((mark, _)) = marks.iter().zip(&drawings).find(|(_, drawing)| !inside(&drawing.frame)) {
            return Err(RenderError::Outside { mm: mark.middle_mm });
        }
        let ground = drawings.first().map(|drawing| drawing.polarity);
        Ok(Self { width, height, ground, drawings })
    }
}

/// A mark turned about its middle, on a page of this height.
fn place(mark: &Placed, page_height: f64) -> Drawing<'_> {
    let drawing = draw(&mark.artwork, (0.0, 0.0));
    let (width, height) = (drawing.frame.right, drawing.frame.bottom);
    let (x, y) = (mark.middle_mm.0, page_height - mark.middle_mm.1);
    let to = |(px, py): Point| {
        let (dx, dy) = mark.turn.of((px - width / 2.0, py - height / 2.0));
        (x + dx, y + dy)
    };
    let Drawing { frame, polarity, module_mm, drawn_mm, modules, text, stroke_mm } = drawing;
    Drawing {
        frame: frame.mapped(to),
        polarity,
        module_mm,
        drawn_mm,
        modules: match modules {
            Modules::Squares(area) => Modules::Squares(area.turned(mark.turn, to)),
            Modules::Dots { centres, radius } => {
                Modules::Dots { centres: centres.into_iter().map(to).collect(), radius }
            }
        },
        text: text.into_iter().map(|stroke| stroke.into_iter().map(to).collect()).collect(),
        stroke_mm,
    }
}

impl Rect {
    /// The rectangle between where two opposite corners go.
    pub(crate) fn mapped(self, to: impl Fn(Point) -> Point) -> Self {
        let (a, b) = (to((self.left, self.top)), to((self.right, self.bottom)));
        Self { left: a.0.min(b.0), top: a.1.min(b.1), right: a.0.max(b.0), bottom: a.1.max(b.1) }
    }
}

impl Turn {
    /// Where a point goes that is so far from the middle, on a page whose y axis runs down.
    fn of(self, (x, y): Point) -> Point {
        match self {
            Self::None => (x, y),
            Self::Quarter => (y, -x),
            Self::Half => (-x, -y),
            Self::ThreeQuarters => (-y, x),
        }
    }

    /// The same modules, turned.
    pub(crate) fn matrix(self, matrix: Cow<'_, Matrix>) -> Cow<'_, Matrix> {
        let (width, height) = (matrix.width(), matrix.height());
        let (wide, high) = match self {
            Self::None => return matrix,
            Self::Half => (width, height),
            Self::Quarter | Self::ThreeQuarters => (height, width),
        };
        let from = |x: usize, y: usize| match self {
            Self::None => (x, y),
            Self::Quarter => (width - 1 - y, x),
            Self::Half => (width - 1 - x, height - 1 - y),
            Self::ThreeQuarters => (y, height - 1 - x),
        };
        let modules = (0..high).flat_map(|y| (0..wide).map(move |x| (x, y)));
        let modules = modules.map(|(x, y)| from(x, y)).map(|(x, y)| matrix.is_dark(x, y)).collect();
        Matrix::new(wide, high, modules).map_or(matrix, Cow::Owned)
    }
}

/// Rows and columns of marks.
pub(crate) struct Grid {
    cell: Point,
    gap: f64,
    columns: usize,
    rows: usize,
}

impl Grid {
    /// A grid of `count` cells, the size of the largest mark.
    pub(crate) fn new(cell: Point, count: usize, sheet: &SheetOptions) -> Self {
        let count = count.max(1);
        let columns = sheet.columns.unwrap_or_else(|| count.isqrt() + usize::from(count.isqrt().pow(2) < count));
        let columns = columns.clamp(1, count);
        Self { cell, gap: sheet.gap_mm, columns, rows: count.div_ceil(columns) }
    }

    /// Width and height of the whole.
    pub(crate) fn size(&self) -> Point {
        let last = self.at(self.columns - 1, self.rows - 1);
        (last.0 + self.cell.0, last.1 + self.cell.1)
    }

    /// The top left corner of a cell, counted row by row.
    fn place(&self, cell: usize) -> Point {
        self.at(cell % self.columns, cell / self.columns)
    }

    fn at(&self, column: usize, row: usize) -> Point {
        (column as f64 * (self.cell.0 + self.gap), row as f64 * (self.cell.1 + self.gap))
    }
}

/// Width and height of a mark with its quiet zone and caption.
pub(crate) fn size(artwork: &Artwork) -> Point {
    let symbol = symbol_size(artwork);
    let Some(text) = TextBlock::new(artwork) else { return symbol };
    let (beside, margins) = (text.gap + text.margin, 2.0 * text.margin);
    match text.caption.place {
        Place::Right => (symbol.0 + text.width + beside, symbol.1.max(text.height + margins)),
        Place::Below => (symbol.0.max(text.width + margins), symbol.1 + text.height + beside),
    }
}

/// The symbol with its quiet zone.
fn symbol_size(artwork: &Artwork) -> Point {
    let side = |modules: usize| (modules as f64 + 2.0 * f64::from(artwork.quiet_zone)) * artwork.options.module_mm;
    (side(artwork.matrix.width()), side(artwork.matrix.height()))
}

fn draw(artwork: &Artwork, origin: Point) -> Drawing<'_> {
    let options = &artwork.options;
    let (width, height) = size(artwork);
    let symbol = symbol_size(artwork);
    let text = TextBlock::new(artwork);
    let centred = text.as_ref().is_some_and(|text| text.caption.place == Place::Right);
    let lowered = if centred { (height - symbol.1) / 2.0 } else { 0.0 };
    let quiet = f64::from(artwork.quiet_zone) * options.module_mm;
    let corner = (origin.0 + quiet, origin.1 + lowered + quiet);
    Drawing {
        frame: Rect { left: origin.0, top: origin.1, right: origin.0 + width, bottom: origin.1 + height },
        polarity: options.polarity,
        module_mm: options.module_mm,
        drawn_mm: options.module_mm - 2.0 * options.dot_gain_mm,
        modules: match options.shape {
            ModuleShape::Square => Modules::Squares(squares(artwork, corner)),
            ModuleShape::Dot => dots(artwork, corner),
        },
        stroke_mm: text.as_ref().map_or(0.0, |text| text.caption.height_mm * font::STROKE_SHARE),
        text: text.map_or(Vec::new(), |text| text.strokes(origin, symbol, height)),
    }
}

fn squares(artwork: &Artwork, corner: Point) -> Area<'_> {
    let ArtworkOptions { module_mm, dot_gain_mm, .. } = artwork.options;
    Area { matrix: Cow::Borrowed(&artwork.matrix), corner, module_mm, dot_gain_mm }
}

fn dots(artwork: &Artwork, corner: Point) -> Modules<'static> {
    let module = artwork.options.module_mm;
    let middle = |(x, y): (usize, usize)| (corner.0 + (x as f64 + 0.5) * module, corner.1 + (y as f64 + 0.5) * module);
    let (width, height) = (artwork.matrix.width(), artwork.matrix.height());
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let centres = all.filter(|&(x, y)| artwork.matrix.is_dark(x, y)).map(middle).collect();
    Modules::Dots { centres, radius: module / 2.0 - artwork.options.dot_gain_mm }
}

/// A caption with the room that it needs.
struct TextBlock<'a> {
    caption: &'a Caption,
    width: f64,
    height: f64,
    /// From the quiet zone to the text.
    gap: f64,
    /// From the text to the frame.
    margin: f64,
}

impl<'a> TextBlock<'a> {
    fn new(artwork: &'a Artwork) -> Option<Self> {
        let caption = artwork.options.caption.as_ref().filter(|caption| !caption.lines.is_empty())?;
        let longest = caption.lines.iter().map(|line| font::width(line)).fold(0.0, f64::max);
        let half = caption.height_mm / 2.0;
        let below_first = (caption.lines.len() - 1) as f64 * font::LINE_PITCH;
        Some(Self {
            caption,
            width: longest * caption.height_mm,
            height: (1.0 + below_first + font::DESCENT) * caption.height_mm,
            gap: half,
            margin: half.max(f64::from(artwork.quiet_zone) * artwork.options.module_mm),
        })
    }

    fn strokes(&self, origin: Point, symbol: Point, height: f64) -> Vec<Stroke> {
        let (left, top) = match self.caption.place {
            Place::Right => (origin.0 + symbol.0 + self.gap, origin.1 + (height - self.height) / 2.0),
            Place::Below => (origin.0 + self.margin, origin.1 + symbol.1 + self.gap),
        };
        let scale = self.caption.height_mm;
        let lines = self.caption.lines.iter().enumerate();
        let strokes = lines.flat_map(|(number, line)| {
            let baseline = top + (1.0 + number as f64 * font::LINE_PITCH) * scale;
            let place = move |(x, y): Point| (left + x * scale, baseline - y * scale);
            font::strokes(line).map(move |stroke| stroke.into_iter().map(place).collect())
        });
        strokes.collect()
    }
}
