//! A picture of a mark for the report: the mark and its surroundings in grey, as the reader saw them, with its outline.
//!
//! Grey, for the grey levels of a photo are decoded anyway, and its colours would cost as much again.

use crate::annotate::outline;
use crate::examine::FoundMark;
use crate::read::Luma;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{GrayImage, Rgb, RgbImage};

/// Of a crop, the longer side at most, in pixels.
const SIDE: u32 = 360;
/// What is shown around the mark, as a share of its size.
const AROUND: f32 = 0.6;
/// JPEG quality, of 100.
const QUALITY: u8 = 80;

/// The mark as a JPEG file; `None` where it has no place in the picture.
#[must_use]
pub(super) fn crop(luma: &Luma, mark: &FoundMark) -> Option<Vec<u8>> {
    let area = Area::around(luma, &mark.corners)?;
    let scale = (SIDE as f32 / area.width.max(area.height) as f32).min(1.0);
    let size = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    let grey = area.cut(luma)?;
    let grey = match scale < 1.0 {
        true => imageops::resize(&grey, size(area.width), size(area.height), FilterType::Triangle),
        false => grey,
    };
    let mut picture = RgbImage::from_fn(grey.width(), grey.height(), |x, y| Rgb([grey.get_pixel(x, y)[0]; 3]));
    let corners = mark.corners.map(|[x, y]| [(x - area.left as f32) * scale, (y - area.top as f32) * scale]);
    outline(&mut picture, corners, mark.judged.assessment.verdict, 2.5);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&picture).ok()?;
    Some(jpeg)
}

/// A rectangle of whole pixels within a picture.
struct Area {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Area {
    fn around(luma: &Luma, corners: &[[f32; 2]; 4]) -> Option<Self> {
        let range = |axis: usize, all: usize| {
            let of = corners.iter().map(|corner| corner[axis]);
            let (low, high) = of.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
            let more = (high - low) * AROUND;
            let whole = |x: f32| x.clamp(0.0, all as f32) as u32;
            let (from, to) = (whole(low - more), whole((high + more).ceil()));
            to.checked_sub(from).filter(|size| *size > 0).map(|size| (from, size))
        };
        let ((left, width), (top, height)) = (range(0, luma.width)?, range(1, luma.height)?);
        Some(Self { left, top, width, height })
    }

    fn cut(&self, luma: &Luma) -> Option<GrayImage> {
        let rows = self.top as usize..(self.top + self.height) as usize;
        let row = |y: usize| {
            let start = y * luma.width + self.left as usize;
            luma.data.get(start..start + self.width as usize)
        };
        let pixels: Vec<u8> = rows.map(row).collect::<Option<Vec<_>>>()?.concat();
        GrayImage::from_raw(self.width, self.height, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examine::Judged;
    use crate::verdict::Verdict;
    use crate::verify::Assessment;

    fn mark(corners: [[f32; 2]; 4]) -> FoundMark {
        let assessment = Assessment::without_mark(Verdict::Unreadable, "");
        let judged = Judged {
            assessment,
            symbology: "QRCode",
            modules: [21, 21],
            repaired: None,
            codewords: None,
            recovered: false,
        };
        FoundMark { judged, corners }
    }

    #[test]
    fn a_crop_is_small_and_shows_the_mark() {
        let (width, height) = (4000, 3000);
        let mut luma = Luma { width, height, data: vec![200; width * height] };
        (1000..1400).for_each(|y| luma.data[y * width + 2000..y * width + 2400].fill(0));
        let found = mark([[2000.0, 1000.0], [2400.0, 1000.0], [2400.0, 1400.0], [2000.0, 1400.0]]);
        let picture = image::load_from_memory(&crop(&luma, &found).unwrap()).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (360, 360));
        let (inside, outside) = (picture.get_pixel(180, 180), picture.get_pixel(20, 20));
        assert!(inside.0.iter().all(|c| *c < 30) && outside.0.iter().all(|c| *c > 180), "{inside:?} {outside:?}");
        let coloured = (85..98).any(|y| picture.get_pixel(180, y)[0] > picture.get_pixel(180, y)[2].saturating_add(60));
        assert!(coloured, "the outline is there, above the mark");
    }

    #[test]
    fn marks_at_the_edge_or_beyond_it_harm_nothing() {
        let luma = Luma { width: 50, height: 40, data: vec![9; 2000] };
        let corners = |x: f32, y: f32, side: f32| [[x, y], [x + side, y], [x + side, y + side], [x, y + side]];
        assert!(crop(&luma, &mark(corners(-20.0, -20.0, 45.0))).is_some());
        assert!(crop(&luma, &mark(corners(200.0, 10.0, 5.0))).is_none());
        assert!(crop(&luma, &mark(corners(f32::NAN, 10.0, 5.0))).is_none());
        assert!(crop(&luma, &mark(corners(-1e30, -1e30, 2e30))).is_some());
    }
}
