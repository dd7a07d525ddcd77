//! How large the HEVC pictures of a file claim to be. It is by these claims that their decoder takes its memory, whatever the
//! container around them says.

/// Bytes of a sequence parameter set in which its size stands.
const LENGTH: usize = 160;
/// Beyond as many pixels a row or rows a decoder gives up by itself.
const MOST: u64 = 1 << 17;

/// Width and height of the largest picture that any sequence parameter set in `bytes` claims, wherever it stands: of `hvcC`
/// boxes or among the slices (ITU-T H.265, 7.3.1.2 and 7.3.2.2). What merely looks like one claims something large once in
/// a million files.
pub(super) fn largest(bytes: &[u8]) -> Option<(u64, u64)> {
    // Type 33, layer 0, any temporal sub-layer.
    let begins = |pair: &[u8]| matches!(pair, [0x42, 1..=7]);
    let places = bytes.windows(2).enumerate().filter(|(_, pair)| begins(pair)).map(|(at, _)| at + 2);
    let sizes = places.filter_map(|at| size(bytes.get(at..bytes.len().min(at + LENGTH))?));
    sizes.max_by_key(|(width, height)| width * height)
}

/// `pic_width_in_luma_samples` and `pic_height_in_luma_samples`.
fn size(payload: &[u8]) -> Option<(u64, u64)> {
    let payload = unescaped(payload);
    let mut bits = Bits { of: &payload, at: 0 };
    bits.read(4)?;
    let sub_layers = bits.read(3)?;
    bits.read(1)?;
    // profile_tier_level: of the whole, then of each sub-layer what it says to be there (7.3.3).
    bits.skip(96);
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present.push((bits.read(1)?, bits.read(1)?));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers as usize));
    }
    for (profile, level) in present {
        bits.skip(88 * profile as usize + 8 * level as usize);
    }
    bits.exp_golomb()?;
    if bits.exp_golomb()? == 3 {
        bits.read(1)?;
    }
    let (width, height) = (bits.exp_golomb()?, bits.exp_golomb()?);
    (width > 0 && height > 0 && width < MOST && height < MOST).then_some((width, height))
}

/// Without the bytes that keep start codes from occurring (7.4.2).
fn unescaped(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

struct Bits<'a> {
    of: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn skip(&mut self, bits: usize) {
        self.at += bits;
    }

    fn read(&mut self, bits: u32) -> Option<u64> {
        (0..bits).try_fold(0, |value, _| {
            let byte = self.of.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u64::from(bit))
        })
    }

    /// `ue(v)` (9.2).
    fn exp_golomb(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            if zeros > 32 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence parameter set up to its size, with so many sub-layers.
    fn set(width: u64, height: u64, sub_layers: u64) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |value: u64, count: u32| bits.extend((0..count).rev().map(|n| value >> n & 1 == 1));
        put(0, 4);
        put(sub_layers, 3);
        put(1, 1);
        // Zeros, so that emulation prevention is needed.
        put(0x0160_0000, 32);
        put(0, 56);
        put(93, 8);
        (0..sub_layers).for_each(|_| put(3, 2));
        if sub_layers > 0 {
            put(0, 2 * (8 - sub_layers as u32));
        }
        (0..sub_layers).for_each(|_| {
            put(0, 64);
            put(u64::MAX, 24);
            put(30, 8);
        });
        for value in [0, 1, width, height] {
            let length = 64 - (value + 1).leading_zeros();
            put(value + 1, 2 * length - 1);
        }
        put(1, 1);
        let bytes = bits
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0, |byte, (n, bit)| byte | u8::from(*bit) << (7 - n)));
        let (mut out, mut zeros) = (vec![0x42, 0x01], 0);
        for byte in bytes {
            if zeros >= 2 && byte <= 3 {
                out.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            out.push(byte);
        }
        out
    }

    #[test]
    fn the_largest_claim_counts_wherever_it_stands() {
        for (width, height, sub_layers) in [(8, 8, 0), (900, 674, 0), (65_535, 65_535, 0), (4032, 3024, 6)] {
            let bytes = [b"ftyp".as_slice(), &set(width, height, sub_layers), &set(2, 2, 0)].concat();
            assert_eq!(largest(&bytes), Some((width, height)), "{sub_layers} sub-layers");
        }
        assert_eq!(largest(include_bytes!("../../../tests/phone.heic")), Some((680, 904)));
        let bytes = set(900, 674, 2);
        for cut in 0..bytes.len() {
            let _ = largest(&bytes[..cut]);
        }
        assert_eq!(largest(&set(1 << 20, 1 << 20, 0)), None);
    }
}
