//! A photo at several scales and smoothings, each made when it is first asked for and kept.

use super::Luma;
use super::picture::Picture;
use super::tones::Tones;
use std::borrow::Cow;
use std::rc::Rc;

/// The size, in pixels, of the picture that is searched first: large photos are searched at a coarser scale, and at full
/// size only where that finds nothing.
const FIRST_PIXELS: usize = 1_000_000;
/// Pictures below this size are searched once more at twice the size.
const SMALL_PIXELS: usize = 700_000;
/// The picture that an attempt works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The first scale of at most [`FIRST_PIXELS`].
    First,
    /// Half of that: fewer pixels a module close the gaps between dots.
    Half,
    /// The first, smoothed.
    Smooth,
    /// The first, smoothed until dots flow together.
    Smoother,
    /// The next finer scale.
    Finer,
    /// The scale after that.
    Finest,
    /// Twice the size of the photo.
    Double,
    /// The photo itself, for ways with scales of their own.
    Full,
}

/// A level as it was made: `None` if this photo has no such level.
type Made<'a> = Option<(Picture<'a>, f32)>;

/// All levels of a photo.
pub(super) struct Levels<'a> {
    photo: &'a Luma,
    made: Vec<(Level, Made<'a>)>,
    tones: Vec<(Level, usize, Rc<Tones>)>,
}

impl<'a> Levels<'a> {
    pub(super) fn new(photo: &'a Luma) -> Self {
        Self { photo, made: Vec::new(), tones: Vec::new() }
    }

    /// The photo as it is.
    pub(super) fn photo(&self) -> &'a Luma {
        self.photo
    }

    /// A level and the pixels of the photo that one of its pixels is wide.
    pub(super) fn get(&mut self, level: Level) -> Option<(&Picture<'a>, f32)> {
        let at = self.made.iter().position(|(known, _)| *known == level).unwrap_or_else(|| {
            let made = self.make(level);
            self.made.push((level, made));
            self.made.len() - 1
        });
        self.made.get(at)?.1.as_ref().map(|(picture, scale)| (picture, *scale))
    }

    /// What is dark and light in a level by the mean over this share of its shorter side.
    pub(super) fn tones(&mut self, level: Level, share: f32) -> Option<Rc<Tones>> {
        let (picture, _) = self.get(level)?;
        let radius = ((picture.width.min(picture.height) as f32 * share) as usize).max(4);
        self.tones_within(level, radius)
    }

    /// What is dark and light in a level by the mean over this many pixels to all sides.
    pub(super) fn tones_within(&mut self, level: Level, radius: usize) -> Option<Rc<Tones>> {
        if let Some((_, _, tones)) = self.tones.iter().find(|(l, r, _)| (*l, *r) == (level, radius)) {
            return Some(Rc::clone(tones));
        }
        let tones = Rc::new(self.get(level)?.0.threshold(radius));
        self.tones.push((level, radius, Rc::clone(&tones)));
        Some(tones)
    }

    fn make(&mut self, level: Level) -> Made<'a> {
        let photo = self.photo;
        let halvings = (0u32..).find(|n| photo.data.len() >> (2 * n) <= FIRST_PIXELS)?;
        let (luma, scale) = match level {
            Level::Full => (Cow::Borrowed(photo), 1.0),
            Level::First => halved(photo, halvings),
            Level::Finer => halved(photo, halvings.checked_sub(1)?),
            Level::Finest => halved(photo, halvings.checked_sub(2)?),
            Level::Double if photo.data.len() <= SMALL_PIXELS => (Cow::Owned(photo.doubled()), 0.5),
            Level::Double => return None,
            Level::Half | Level::Smooth | Level::Smoother => {
                let (first, scale) = self.get(Level::First)?;
                let first = first.luma();
                match level {
                    Level::Half => (Cow::Owned(first.halved()), 2.0 * scale),
                    Level::Smooth => (Cow::Owned(first.blurred(1)), scale),
                    _ => (Cow::Owned(first.blurred(2)), scale),
                }
            }
        };
        Some((Picture::new(luma)?, scale))
    }
}

fn halved(photo: &Luma, times: u32) -> (Cow<'_, Luma>, f32) {
    let luma = (0..times).fold(Cow::Borrowed(photo), |luma, _| Cow::Owned(luma.halved()));
    (luma, (1u32 << times) as f32)
}
