//! How far each module is from the threshold between dark and light, as a grade.

use super::scale::{Grade, thresholds};
use super::surface::Reflectances;
use touchmark_formats::symbol::anatomy::Anatomy;

/// What the distance from the threshold is measured in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// Half the symbol contrast (ISO/IEC 15415, clause 7.8.4).
    SymbolContrast {
        /// Midway between the lowest and the highest reflectance.
        threshold: f32,
        /// Highest less lowest reflectance.
        contrast: f32,
    },
    /// The distance of the mean dark or the mean light module (ISO/IEC 29158).
    Cells {
        /// Where the two kinds of modules are best told apart.
        threshold: f32,
        /// Mean reflectance of dark modules.
        dark: f32,
        /// Mean reflectance of light modules.
        light: f32,
    },
}

/// The modules of a symbol and around it, measured.
pub(super) struct Margins<'a> {
    pub(super) reflectances: &'a Reflectances,
    pub(super) scale: Scale,
    /// Modules that are dark in the ordinary form are light.
    pub(super) reversed: bool,
}

impl Margins<'_> {
    /// Distance from the threshold: positive on the light side.
    fn signed(&self, x: i32, y: i32) -> f32 {
        let reflectance = self.reflectances.at(x, y);
        match self.scale {
            Scale::SymbolContrast { threshold, contrast } => 2.0 * (reflectance - threshold) / contrast.max(1e-6),
            Scale::Cells { threshold, dark, light } => {
                let reach = if reflectance < threshold { threshold - dark } else { light - threshold };
                (reflectance - threshold) / reach.max(1e-6)
            }
        }
    }

    /// Grade of a module that should be dark in the ordinary form, or light; F if it is on the wrong side.
    pub(super) fn of(&self, x: i32, y: i32, dark: bool) -> Grade {
        let margin = self.signed(x, y) * if dark == self.reversed { 1.0 } else { -1.0 };
        Grade::at_least(margin, thresholds::MODULATION)
    }

    /// Whether a module is on the wrong side.
    fn wrong(&self, x: i32, y: i32, dark: bool) -> bool {
        (self.signed(x, y) > 0.0) != (dark == self.reversed)
    }

    /// For each codeword its lowest grade, without regard to what it should be and with it, and whether it was misread.
    fn codewords(&self, anatomy: &Anatomy) -> Vec<Codeword> {
        let count = anatomy.codeword.iter().flatten().max().map_or(0, |last| last + 1);
        let mut out = vec![Codeword { modulation: Grade::A, margin: Grade::A, wrong: false }; count];
        for (i, (codeword, truth)) in anatomy.codeword.iter().zip(&anatomy.truth).enumerate() {
            let (Some(codeword), Some(dark)) = (codeword, truth) else { continue };
            let (x, y) = ((i % anatomy.columns) as i32, (i / anatomy.columns) as i32);
            let Some(known) = out.get_mut(*codeword) else { continue };
            known.modulation = known.modulation.min(Grade::at_least(self.signed(x, y).abs(), thresholds::MODULATION));
            known.margin = known.margin.min(self.of(x, y, *dark));
            known.wrong |= self.wrong(x, y, *dark);
        }
        out
    }

    /// Modulation, reflectance margin and unused error correction of a symbol.
    pub(super) fn correction(&self, anatomy: &Anatomy) -> Correction {
        let codewords = self.codewords(anatomy);
        let overlay = |of: fn(&Codeword) -> Grade| {
            let notional = |level: Grade| {
                let unused = unused(anatomy, |at| codewords.get(at).is_none_or(|codeword| of(codeword) < level));
                level.min(Grade::at_least(unused, thresholds::UNUSED))
            };
            Grade::ALL.into_iter().map(notional).max().unwrap_or(Grade::F)
        };
        Correction {
            modulation: overlay(|codeword| codeword.modulation),
            margin: overlay(|codeword| codeword.margin),
            unused: unused(anatomy, |at| codewords.get(at).is_none_or(|codeword| codeword.wrong)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Codeword {
    modulation: Grade,
    margin: Grade,
    wrong: bool,
}

/// What codewords say of a symbol.
pub(super) struct Correction {
    pub(super) modulation: Grade,
    pub(super) margin: Grade,
    /// The share of error correction that is left, of the block with least, 1 to 0.
    pub(super) unused: f32,
}

/// The share of error correction that is left where some codewords are errors, of the block with least.
fn unused(anatomy: &Anatomy, error: impl Fn(usize) -> bool) -> f32 {
    let left = anatomy.blocks.iter().map(|block| {
        let errors = block.codewords.iter().filter(|at| error(**at)).count();
        1.0 - (2 * errors) as f32 / block.correction.max(1) as f32
    });
    left.fold(1.0, f32::min).max(0.0)
}
