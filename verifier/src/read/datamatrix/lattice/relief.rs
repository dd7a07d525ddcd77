//! A plane and how steep it is.

use crate::read::datamatrix::plane::Plane;

/// Grey levels, and how much they change from pixel to pixel.
pub(super) struct Relief<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) tones: &'a [u8],
    /// Length of the gradient at the lower right corner of each pixel, in grey levels a pixel.
    pub(super) steepness: Vec<u8>,
}

impl<'a> Relief<'a> {
    pub(super) fn of(plane: &'a Plane) -> Self {
        let width = plane.width;
        let mut steepness = vec![0; plane.data.len()];
        let rows = plane.data.chunks_exact(width).zip(plane.data.chunks_exact(width).skip(1));
        for ((above, below), to) in rows.zip(steepness.chunks_exact_mut(width)) {
            for ((a, b), to) in above.windows(2).zip(below.windows(2)).zip(to) {
                // The two diagonals of four pixels.
                let (d, e) = (f32::from(a[0]) - f32::from(b[1]), f32::from(a[1]) - f32::from(b[0]));
                *to = (0.5 * (d * d + e * e)).sqrt() as u8;
            }
        }
        Self { width, height: plane.height, tones: &plane.data, steepness }
    }
}
