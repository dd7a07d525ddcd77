//! A plane, how steep it is, and how bent.

use crate::read::datamatrix::plane::Plane;

/// In what a grid of modules shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// In how steep the picture is: squares, whose edges stand only where modules meet.
    Edges,
    /// In the picture itself: dots.
    Tones,
    /// In how bent the picture is: what is out of focus, of which only the middles of modules stand out.
    Bends,
}

/// Grey levels, and how they change from pixel to pixel.
pub(super) struct Relief<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    tones: &'a [u8],
    /// Length of the gradient at the lower right corner of each pixel, in quarters of a grey level a pixel.
    edges: Vec<u8>,
    /// How far each pixel is from the mean of the four beside it, in quarters of a grey level.
    bends: Vec<u8>,
}

/// What the steepness and the bend of the picture are multiplied with.
pub(super) const FINE: f32 = 4.0;

impl<'a> Relief<'a> {
    pub(super) fn of(plane: &'a Plane) -> Self {
        let (width, height) = (plane.width, plane.height);
        let (mut edges, mut bends) = (vec![0; plane.data.len()], vec![0; plane.data.len()]);
        let row = |y: usize| &plane.data[y * width..(y + 1) * width];
        for (y, to) in edges.chunks_exact_mut(width).take(height - 1).enumerate() {
            for ((a, b), to) in row(y).windows(2).zip(row(y + 1).windows(2)).zip(to) {
                // The two diagonals of four pixels.
                let (d, e) = (f32::from(a[0]) - f32::from(b[1]), f32::from(a[1]) - f32::from(b[0]));
                *to = (FINE * (0.5 * (d * d + e * e)).sqrt()) as u8;
            }
        }
        for (y, to) in bends.chunks_exact_mut(width).enumerate().take(height - 1).skip(1) {
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            for (x, to) in to.iter_mut().enumerate().take(width - 1).skip(1) {
                let around = [above[x], below[x], here[x - 1], here[x + 1]].map(u16::from).iter().sum::<u16>();
                *to = (4 * u16::from(here[x])).abs_diff(around).min(255) as u8;
            }
        }
        Self { width, height, tones: &plane.data, edges, bends }
    }

    /// Where a trace shows, and how far from the upper left corner of a pixel, along both axes, its value is measured.
    pub(super) fn trace(&self, trace: Trace) -> (&[u8], f32) {
        match trace {
            Trace::Edges => (&self.edges, 1.0),
            Trace::Tones => (self.tones, 0.5),
            Trace::Bends => (&self.bends, 0.5),
        }
    }
}
