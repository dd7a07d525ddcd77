//! Several photos of one part: what each of them says of a module is added up, so that glare that moves with the light,
//! noise and the worst of each photo cancel out.

use crate::read::{DecodeError, Decoded, ModuleGrid, Symbol};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::decode::decode;

/// A symbol as several photos show it.
#[derive(Debug, Clone)]
pub struct Fused {
    /// Kind of symbol.
    pub symbology: Symbology,
    /// Ways to add the photos up, the best first; all of one size.
    pub samplings: Vec<ModuleGrid>,
    /// The photos that contribute, by their place in the order given.
    pub photos: Vec<usize>,
}

impl Fused {
    /// What error correction makes of it.
    ///
    /// # Errors
    /// [`DecodeError`] of the best sampling if none decodes.
    pub fn decode(&self) -> Result<Decoded, DecodeError> {
        let mut results = self.samplings.iter().map(|grid| decode(self.symbology, grid.height, grid.width, &grid.llr));
        let first = results.next().unwrap_or(Err(DecodeError::Size));
        first.or_else(|e| results.find_map(Result::ok).ok_or(e))
    }
}

/// Rounds in which each photo's sampling is chosen by what the other photos say.
const ROUNDS: usize = 3;

/// Puts the symbols of several photos, one slice each, together by kind and size: those that most photos show first.
/// Symbols that were decoded are left out: nothing is to be added to them.
#[must_use]
pub fn fuse(photos: &[&[Symbol]]) -> Vec<Fused> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (photo, symbols) in photos.iter().enumerate() {
        for symbol in symbols.iter().filter(|symbol| symbol.decoded.is_err()) {
            for grid in symbol.samplings() {
                let shape = (symbol.located.symbology, grid.width, grid.height);
                match groups.iter_mut().find(|group| group.shape == shape) {
                    Some(group) => group.add(photo, grid),
                    None => groups.push(Group { shape, photos: vec![(photo, vec![grid])] }),
                }
            }
        }
    }
    groups.retain(|group| group.photos.len() > 1);
    groups.sort_by_key(|group| std::cmp::Reverse(group.photos.len()));
    groups.iter().map(Group::fused).collect()
}

/// Samplings of one kind and size, by photo.
struct Group<'a> {
    shape: (Symbology, usize, usize),
    photos: Vec<(usize, Vec<&'a ModuleGrid>)>,
}

impl<'a> Group<'a> {
    fn add(&mut self, photo: usize, grid: &'a ModuleGrid) {
        match self.photos.last_mut().filter(|(last, _)| *last == photo) {
            Some((_, grids)) => grids.push(grid),
            None => self.photos.push((photo, vec![grid])),
        }
    }

    fn fused(&self) -> Fused {
        let firsts: Vec<&ModuleGrid> = self.photos.iter().filter_map(|(_, grids)| grids.first().copied()).collect();
        let all: Vec<&ModuleGrid> = self.photos.iter().flat_map(|(_, grids)| grids.iter().copied()).collect();
        let mut chosen: Vec<&ModuleGrid> = firsts.clone();
        for _ in 0..ROUNDS {
            for (at, (_, grids)) in self.photos.iter().enumerate() {
                let others = chosen.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, grid)| *grid);
                let others = self.sum(others);
                let agreement = |grid: &ModuleGrid| agreement(grid, &others);
                let best = grids.iter().max_by(|a, b| agreement(a).total_cmp(&agreement(b)));
                chosen[at] = best.copied().unwrap_or(chosen[at]);
            }
        }
        let (symbology, ..) = self.shape;
        let samplings = vec![self.sum(chosen), self.sum(firsts), self.sum(all)];
        Fused { symbology, samplings, photos: self.photos.iter().map(|(photo, _)| *photo).collect() }
    }

    fn sum(&self, grids: impl IntoIterator<Item = &'a ModuleGrid>) -> ModuleGrid {
        let (_, width, height) = self.shape;
        let mut llr = vec![0.0; width * height];
        for grid in grids {
            llr.iter_mut().zip(&grid.llr).for_each(|(sum, value)| *sum += value);
        }
        ModuleGrid { width, height, llr }
    }
}

/// From -1 to 1: how far `grid` says what the others say, each module counting as much as it is certain.
fn agreement(grid: &ModuleGrid, others: &ModuleGrid) -> f32 {
    let product = |a: &ModuleGrid, b: &ModuleGrid| a.llr.iter().zip(&b.llr).map(|(a, b)| a * b).sum::<f32>();
    product(grid, others) / (product(grid, grid) * product(others, others)).sqrt().max(f32::MIN_POSITIVE)
}
