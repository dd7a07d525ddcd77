//! Reed-Solomon codes over GF(256), decoded with errors and erasures: syndromes, the Berlekamp-Massey algorithm started
//! from the erasure locator, Chien search, Forney's formula (Blahut, Algebraic Codes for Data Transmission, chapter 7).

/// A Reed-Solomon code: a field and the first root of its generator polynomial.
#[derive(Debug)]
pub struct Code {
    exp: [u8; 512],
    log: [u8; 256],
    first_root: usize,
}

/// QR Code: x^8 + x^4 + x^3 + x^2 + 1, roots from 2^0 on (ISO/IEC 18004, annex A).
pub static QR: Code = Code::new(0x11D, 0);
/// Data Matrix ECC 200: x^8 + x^5 + x^3 + x^2 + 1, roots from 2^1 on (ISO/IEC 16022, annex E).
pub static DATA_MATRIX: Code = Code::new(0x12D, 1);

/// More of a block is wrong than its error correction can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncorrectable;

impl std::fmt::Display for Uncorrectable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("more codewords are wrong than error correction can repair")
    }
}

impl std::error::Error for Uncorrectable {}

impl Code {
    const fn new(polynomial: u16, first_root: usize) -> Self {
        let (mut exp, mut log) = ([0u8; 512], [0u8; 256]);
        let mut value = 1u16;
        let mut power = 0;
        while power < 255 {
            exp[power] = value as u8;
            // Twice over, so that sums of two logarithms need no reduction.
            exp[power + 255] = value as u8;
            log[value as usize] = power as u8;
            value <<= 1;
            if value & 0x100 != 0 {
                value ^= polynomial;
            }
            power += 1;
        }
        Self { exp, log, first_root }
    }

    fn multiply(&self, a: u8, b: u8) -> u8 {
        if a == 0 || b == 0 {
            return 0;
        }
        self.exp[usize::from(self.log[usize::from(a)]) + usize::from(self.log[usize::from(b)])]
    }

    /// `a / b`; `b` is not 0.
    fn divide(&self, a: u8, b: u8) -> u8 {
        if a == 0 {
            return 0;
        }
        self.exp[usize::from(self.log[usize::from(a)]) + 255 - usize::from(self.log[usize::from(b)])]
    }

    /// The generator's power `n`, for any `n`.
    fn power(&self, n: usize) -> u8 {
        self.exp[n % 255]
    }

    /// What a codeword of `value`, so many places before the end of its block, adds to one of the parity checks.
    pub(super) fn in_check(&self, check: usize, before_end: usize, value: u8) -> u8 {
        self.multiply(value, self.power((self.first_root + check) * before_end))
    }

    /// The polynomial of which every block with `ec` codewords of error correction is a multiple, highest coefficient first.
    pub(super) fn generator(&self, ec: usize) -> Vec<u8> {
        let mut generator = vec![1u8];
        for j in 0..ec {
            generator.push(0);
            for i in (1..generator.len()).rev() {
                generator[i] ^= self.multiply(generator[i - 1], self.power(self.first_root + j));
            }
        }
        generator
    }

    /// Appends the error correction by a [`Code::generator`] to the data codewords of a block.
    pub(super) fn encode(&self, block: &mut Vec<u8>, generator: &[u8]) {
        let data = block.len();
        let mut rest = block.clone();
        rest.resize(data + generator.len() - 1, 0);
        for i in 0..data {
            let lead = rest[i];
            for (word, coefficient) in rest[i..].iter_mut().zip(generator) {
                *word ^= self.multiply(lead, *coefficient);
            }
        }
        block.extend_from_slice(&rest[data..]);
    }

    /// Corrects `block`, whose last `ec` codewords are error correction, in place, and says how many codewords changed.
    /// `erasures` are positions in the block that are not to be trusted. Any errors are corrected as long as twice their
    /// number and that of the erasures are together at most `ec`.
    ///
    /// # Errors
    /// [`Uncorrectable`]; the block is unchanged then. A block with more errors than that may be taken for another
    /// content; how unlikely that is follows from how much of `ec` is left over.
    pub fn correct(&self, block: &mut [u8], ec: usize, erasures: &[usize]) -> Result<usize, Uncorrectable> {
        let n = block.len();
        if n > 255 || ec >= n || erasures.len() > ec || erasures.iter().any(|&at| at >= n) {
            return Err(Uncorrectable);
        }
        let syndromes = self.syndromes(block, ec);
        if syndromes.iter().all(|s| *s == 0) {
            return Ok(0);
        }
        let locator = self.locator(&syndromes, n, erasures)?;
        let errors = self.errors(&syndromes, &locator, n)?;
        let mut corrected = block.to_vec();
        for (at, value) in &errors {
            corrected[*at] ^= value;
        }
        if self.syndromes(&corrected, ec).iter().any(|s| *s != 0) {
            return Err(Uncorrectable);
        }
        block.copy_from_slice(&corrected);
        Ok(errors.iter().filter(|(_, value)| *value != 0).count())
    }

    fn syndromes(&self, block: &[u8], ec: usize) -> Vec<u8> {
        let at = |root: u8| block.iter().fold(0, |sum, c| self.multiply(sum, root) ^ c);
        (0..ec).map(|j| at(self.power(self.first_root + j))).collect()
    }

    /// The polynomial whose roots are the inverse places of erasures and errors, lowest coefficient first.
    fn locator(&self, syndromes: &[u8], n: usize, erasures: &[usize]) -> Result<Vec<u8>, Uncorrectable> {
        let (ec, erased) = (syndromes.len(), erasures.len());
        let mut locator = vec![0u8; ec + 1];
        locator[0] = 1;
        for &at in erasures {
            let place = self.power(n - 1 - at);
            for i in (1..=ec).rev() {
                locator[i] ^= self.multiply(locator[i - 1], place);
            }
        }
        let mut previous = locator.clone();
        let mut length = erased;
        for r in erased + 1..=ec {
            let discrepancy = (0..r).fold(0, |sum, i| sum ^ self.multiply(locator[i], syndromes[r - 1 - i]));
            previous.rotate_right(1);
            previous[0] = 0;
            if discrepancy == 0 {
                continue;
            }
            let before = locator.clone();
            for (l, p) in locator.iter_mut().zip(&previous) {
                *l ^= self.multiply(discrepancy, *p);
            }
            if 2 * length < r + erased {
                previous = before.iter().map(|l| self.divide(*l, discrepancy)).collect();
                length = r + erased - length;
            }
        }
        let degree = locator.iter().rposition(|l| *l != 0).unwrap_or(0);
        if degree != length || 2 * (length.saturating_sub(erased)) + erased > ec {
            return Err(Uncorrectable);
        }
        locator.truncate(degree + 1);
        Ok(locator)
    }

    /// Places in the block and what to add there.
    fn errors(&self, syndromes: &[u8], locator: &[u8], n: usize) -> Result<Vec<(usize, u8)>, Uncorrectable> {
        let value_at = |polynomial: &[u8], x: u8| polynomial.iter().rev().fold(0, |sum, c| self.multiply(sum, x) ^ c);
        let product = |k: usize| {
            (0..=k.min(locator.len() - 1)).fold(0, |sum, i| sum ^ self.multiply(locator[i], syndromes[k - i]))
        };
        let evaluator: Vec<u8> = (0..syndromes.len()).map(product).collect();
        // In characteristic 2 the derivative keeps the odd coefficients, one place down.
        let derivative: Vec<u8> =
            locator.iter().skip(1).enumerate().map(|(i, c)| if i % 2 == 0 { *c } else { 0 }).collect();
        let mut errors = Vec::new();
        for at in 0..n {
            let place = n - 1 - at;
            let inverse = self.power(255 - place % 255);
            if value_at(locator, inverse) != 0 {
                continue;
            }
            let slope = value_at(&derivative, inverse);
            if slope == 0 {
                return Err(Uncorrectable);
            }
            // The place to the power 1 - first root.
            let scale = self.power(place * (256 - self.first_root));
            errors.push((at, self.multiply(scale, self.divide(value_at(&evaluator, inverse), slope))));
        }
        if errors.len() == locator.len() - 1 { Ok(errors) } else { Err(Uncorrectable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `data` and its error correction.
    fn encode(code: &Code, data: &[u8], ec: usize) -> Vec<u8> {
        let mut block = data.to_vec();
        code.encode(&mut block, &code.generator(ec));
        block
    }

    proptest! {
        #[test]
        fn twice_the_errors_and_the_erasures_up_to_ec_are_corrected(
            data in prop::collection::vec(any::<u8>(), 1..150),
            ec in 2usize..68,
            places in prop::sample::subsequence((0..219usize).collect::<Vec<_>>(), 0..68),
            noise in prop::collection::vec(1u8..=255, 68),
            erased in 0usize..68,
            second in any::<bool>(),
        ) {
            let code = if second { &DATA_MATRIX } else { &QR };
            let block = encode(code, &data, ec);
            let places: Vec<usize> = places.into_iter().filter(|p| *p < block.len()).collect();
            let erased = erased.min(places.len()).min(ec);
            let errors = (places.len() - erased).min((ec - erased) / 2);
            let mut damaged = block.clone();
            for (place, noise) in places[..erased + errors].iter().zip(&noise) {
                damaged[*place] ^= noise;
            }
            prop_assert_eq!(code.correct(&mut damaged, ec, &places[..erased]), Ok(erased + errors));
            prop_assert_eq!(damaged, block);
        }

        #[test]
        fn no_block_and_no_erasures_stop_it(
            mut block in prop::collection::vec(any::<u8>(), 0..300),
            ec in 0usize..300,
            erasures in prop::collection::vec(0usize..300, 0..80),
        ) {
            let before = block.clone();
            if QR.correct(&mut block, ec, &erasures).is_err() {
                prop_assert_eq!(block, before);
            }
        }
    }
}
