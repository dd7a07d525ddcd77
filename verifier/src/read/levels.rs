//! A photo at several scales and smoothings, each made when it is first asked for and kept.

use super::lively::{Area, Lively};
use super::picture::Picture;
use super::qr::Sight;
use super::work::Work;
use super::{Luma, Symbol};
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
    /// That scale, smoothed until dots flow together: of six pixels a module and more, where the first shows three.
    FinerSmoother,
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
    sights: Vec<(Level, usize, Rc<Sight>)>,
    lively: Option<Lively>,
    work: Work,
}

impl<'a> Levels<'a> {
    /// Those of a photo, at the cost of `work`.
    pub(super) fn new(photo: &'a Luma, work: Work) -> Self {
        Self { photo, made: Vec::new(), sights: Vec::new(), lively: None, work }
    }

    /// The photo as it is.
    pub(super) fn photo(&self) -> &'a Luma {
        self.photo
    }

    /// Where what is looked at is counted.
    pub(super) fn work(&self) -> &Work {
        &self.work
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

    /// What shows in a level by the mean over this share of its shorter side.
    pub(super) fn sight(&mut self, level: Level, share: f32) -> Option<Rc<Sight>> {
        let (picture, _) = self.get(level)?;
        let radius = ((picture.width.min(picture.height) as f32 * share) as usize).max(4);
        self.sight_within(level, radius)
    }

    /// What shows in a level by the mean over this many pixels to all sides.
    pub(super) fn sight_within(&mut self, level: Level, radius: usize) -> Option<Rc<Sight>> {
        if let Some((_, _, sight)) = self.sights.iter().find(|(l, r, _)| (*l, *r) == (level, radius)) {
            return Some(Rc::clone(sight));
        }
        let sight = Rc::new(Sight::new(self.get(level)?.0.threshold(radius)));
        self.sights.push((level, radius, Rc::clone(&sight)));
        Some(sight)
    }

    /// Where further symbols may be beside those that were read; `None` if that is nowhere.
    pub(super) fn beside(&mut self, symbols: &[Symbol]) -> Option<Area> {
        if self.lively.is_none() {
            let (first, scale) = self.get(Level::First)?;
            self.lively = Some(Lively::of(first.luma(), scale));
        }
        self.lively.as_ref()?.beside(symbols)
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
            Level::FinerSmoother => {
                let (finer, scale) = self.get(Level::Finer)?;
                (Cow::Owned(finer.luma().blurred(2)), scale)
            }
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
        Some((Picture::new(luma)?.counted(&self.work), scale))
    }
}

fn halved(photo: &Luma, times: u32) -> (Cow<'_, Luma>, f32) {
    let luma = (0..times).fold(Cow::Borrowed(photo), |luma, _| Cow::Owned(luma.halved()));
    (luma, (1u32 << times) as f32)
}
