//! A photo part by part: each is searched at its full size and at twice that, where the whole is too large for it, and by a
//! threshold of its own.

use super::Luma;
use super::geometry::Point;

/// Pixels of a photo above which it is not worth its full size, and of a part at most.
const MOST_PIXELS: usize = 3_200_000;
const MOST_OF_PART: f32 = 650_000.0;
/// Share of the photo's sides by which parts overlap: a symbol on the edge of one is whole in the next.
const OVERLAP: f32 = 0.2;

/// The parts of a photo, each with the place of its first pixel; none of one that is searched at its full size anyway. Large
/// photos are left to their first scale.
pub(super) fn parts(luma: &Luma) -> Vec<(Luma, Point)> {
    let pixels = luma.data.len();
    if pixels > MOST_PIXELS || pixels as f32 <= MOST_OF_PART {
        return Vec::new();
    }
    let fits = |n: &usize| (share(*n) * share(*n)) * pixels as f32 <= MOST_OF_PART;
    let n = (2..8).find(fits).unwrap_or(8);
    let start = |i: usize| i as f32 * (1.0 - share(n)) / (n - 1) as f32;
    let (width, height) = (luma.width as f32, luma.height as f32);
    let places = (0..n * n).map(|i| (start(i % n) * width, start(i / n) * height));
    let part = |(x, y): (f32, f32)| {
        let (right, bottom) = (x + share(n) * width, y + share(n) * height);
        luma.around(&[(x, y), (right, y), (right, bottom), (x, bottom)].map(|(x, y)| Point::new(x, y)), 0.0)
    };
    places.filter_map(part).collect()
}

fn share(n: usize) -> f32 {
    1.0 / n as f32 + OVERLAP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_photo_and_overlap() {
        for (width, height) in [(1200, 900), (900, 1200), (2000, 1500)] {
            let luma = Luma { width, height, data: vec![0; width * height] };
            let parts = parts(&luma);
            assert!(parts.iter().all(|(part, _)| part.data.len() < 700_000));
            for (x, y) in (0..400).map(|i| (i % 20 * width / 20, i / 20 * height / 20)) {
                // What is a tenth of the photo wide is whole in one of them.
                let whole = |(part, origin): &(Luma, Point)| {
                    let (left, top) = (origin.x as usize, origin.y as usize);
                    let right = (x + width / 10).min(width) <= left + part.width;
                    let below = (y + height / 10).min(height) <= top + part.height;
                    left <= x && top <= y && right && below
                };
                assert!(parts.iter().any(whole), "{x}, {y} of {width} by {height}");
            }
        }
        assert!(parts(&Luma { width: 640, height: 480, data: vec![0; 640 * 480] }).is_empty());
        assert!(parts(&Luma { width: 4000, height: 3000, data: vec![0; 4000 * 3000] }).is_empty());
    }
}
