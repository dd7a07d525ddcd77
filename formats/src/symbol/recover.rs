//! Contents that a symbol may have when its own error correction is not enough: for a judge that cannot be deceived, such
//! as a signature, with what is known of the content beforehand.

use super::view::View;
use super::{Symbology, datamatrix, qr};

/// A payload of which something is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Template {
    /// Its bytes from the first on, `None` where nothing is known.
    pub bytes: Vec<Option<u8>>,
    /// Whether it ends there; otherwise more follows, nobody knows how much.
    pub complete: bool,
}

/// A byte of a payload as it was seen, not corrected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The likeliest value.
    pub byte: u8,
    /// Log-likelihood ratio of its least certain bit, in nats, 0 or more.
    pub reliability: f32,
}

/// What was seen beside what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Bits that are known.
    pub known: u32,
    /// Those that were seen otherwise, or not at all.
    pub wrong: u32,
    /// Sum of the log-likelihood ratios in favour of what is known, in nats; about 0 for a symbol of something else.
    pub likelihood: f32,
}

impl Agreement {
    /// Negative binary logarithm of the probability that random bits agree as well.
    #[must_use]
    pub fn chance_bits(&self) -> f32 {
        let mut choices = 1.0f64;
        let mut sum = 1.0f64;
        for wrong in 0..self.wrong.min(self.known) {
            choices *= f64::from(self.known - wrong) / f64::from(wrong + 1);
            sum += choices;
        }
        (f64::from(self.known) - sum.log2()) as f32
    }
}

/// How far candidates are sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By erasures (generalised minimum distance, Forney 1966).
    Erasures,
    /// By trying both values of the least certain bits too (Chase 1972).
    Flips,
    /// By erasures, and bit by bit (ordered statistics, Fossorier and Lin 1995).
    Bits,
    /// In all these ways, at length.
    Everything,
}

impl Depth {
    /// The same without going bit by bit, which takes the longest.
    #[must_use]
    pub fn by_codewords(self) -> Self {
        match self {
            Self::Erasures | Self::Bits => Self::Erasures,
            Self::Flips | Self::Everything => Self::Flips,
        }
    }
}

/// A symbol that was sampled, to be decoded under a judge.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// For each way to see the symbol its looks; all have at least one, and the first speaks for them.
    ways: Vec<Vec<View>>,
}

impl Recovery {
    /// The symbol of `rows` by `columns` modules with these log-likelihood ratios, as for [`qr::decode::decode`] and
    /// [`datamatrix::decode::decode`]; of no size that exists it has no candidates.
    #[must_use]
    pub fn new(symbology: Symbology, rows: usize, columns: usize, llr: &[f32]) -> Self {
        Self::together(symbology, rows, columns, &[llr])
    }

    /// The same of one symbol that was sampled in several ways: what they say together comes first, and one may show a
    /// part of it that another does not.
    #[must_use]
    pub fn together(symbology: Symbology, rows: usize, columns: usize, samplings: &[&[f32]]) -> Self {
        Self { ways: ways(symbology, rows, columns, samplings).unwrap_or_default() }
    }

    /// Payloads that the symbol may carry, the likeliest first, at most `most` for each way to see it. Where `template`
    /// is given it is taken for certain. None of them is credible without a judge.
    #[must_use]
    pub fn candidates(&self, template: Option<&Template>, depth: Depth, most: usize) -> Vec<Vec<u8>> {
        let mut out: Vec<Vec<u8>> = Vec::new();
        for (way, looks) in self.ways.iter().enumerate() {
            let Some(view) = looks.first() else { continue };
            let depth = if way > 0 { depth.by_codewords() } else { depth };
            let informed = match template.map(|template| view.expected(template)) {
                None => View::candidates(looks, depth, most),
                Some(None) => continue,
                Some(Some(expected)) => {
                    let knowing: Vec<View> = looks.iter().map(|look| look.knowing(&expected)).collect();
                    View::candidates(&knowing, depth, most)
                }
            };
            for payload in informed.iter().filter_map(|data| view.bytes(data)) {
                if !out.contains(&payload) {
                    out.push(payload);
                }
            }
        }
        out
    }

    /// How well what is known agrees with what was seen, by the way to see the symbol that agrees best; `None` if the
    /// template does not fit into it.
    #[must_use]
    pub fn agreement(&self, template: &Template) -> Option<Agreement> {
        let fits = self.firsts().filter_map(|view| Some(view.agreement(&view.expected(template)?)));
        fits.max_by(|a, b| a.likelihood.total_cmp(&b.likelihood))
    }

    /// The payload as it was seen, for each way to see the symbol, the likeliest first: bytes that may be wrong, in as
    /// far as they were in one segment of bytes.
    pub fn seen(&self) -> impl Iterator<Item = Vec<Seen>> {
        let seen =
            |view: &View| view.seen().iter().map(|r| Seen { byte: r.codeword, reliability: r.reliability }).collect();
        self.firsts().map(seen)
    }

    fn firsts(&self) -> impl Iterator<Item = &View> {
        self.ways.iter().filter_map(|looks| looks.first())
    }
}

/// The ways to see a symbol of which there are several samplings: by each, its looks, the consensus first. `None` if there
/// is none of this size.
pub(super) fn ways(symbology: Symbology, rows: usize, columns: usize, samplings: &[&[f32]]) -> Option<Vec<Vec<View>>> {
    let consensus = consensus(samplings);
    let looks = || (samplings.len() > 1).then_some(consensus.as_slice()).into_iter().chain(samplings.iter().copied());
    let looks: Vec<Vec<View>> = match symbology {
        Symbology::QrCode if rows == columns => {
            let formats = qr::decode::formats(rows, &consensus);
            looks().map(|llr| qr::decode::views(rows, llr, &formats)).collect::<Option<_>>()
        }
        Symbology::DataMatrix => looks().map(|llr| datamatrix::decode::views(rows, columns, llr)).collect(),
        Symbology::QrCode | Symbology::MicroQrCode => None,
    }?;
    let count = looks.first().map_or(0, Vec::len);
    Some((0..count).map(|way| looks.iter().filter_map(|views| views.get(way).cloned()).collect()).collect())
}

/// The mean of several samplings: where they contradict each other little is left.
#[must_use]
pub fn consensus(samplings: &[&[f32]]) -> Vec<f32> {
    let [first, others @ ..] = samplings else { return Vec::new() };
    let mut sum = first.to_vec();
    for other in others {
        sum.iter_mut().zip(*other).for_each(|(sum, llr)| *sum += llr);
    }
    let count = samplings.len() as f32;
    sum.iter_mut().for_each(|llr| *llr /= count);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{EcLevel, Matrix, Request, Shape, encode};
    use proptest::prelude::*;

    const REQUESTS: [Request; 5] = [
        Request::Qr { ec: EcLevel::L, min_version: 1 },
        Request::Qr { ec: EcLevel::M, min_version: 1 },
        Request::Qr { ec: EcLevel::H, min_version: 12 },
        Request::DataMatrix { shape: Shape::Square },
        Request::DataMatrix { shape: Shape::Dmre },
    ];

    fn certain(matrix: &Matrix) -> Vec<f32> {
        let (width, height) = (matrix.width(), matrix.height());
        (0..width * height).map(|i| if matrix.is_dark(i % width, i / width) { 6.0 } else { -6.0 }).collect()
    }

    fn recovery(request: &Request, matrix: &Matrix, llr: &[f32]) -> Recovery {
        let symbology = match request {
            Request::Qr { .. } => Symbology::QrCode,
            Request::DataMatrix { .. } => Symbology::DataMatrix,
        };
        Recovery::new(symbology, matrix.height(), matrix.width(), llr)
    }

    fn payload(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 73 + 19) as u8).collect()
    }

    fn known(payload: &[u8], complete: bool) -> Template {
        Template { bytes: payload.iter().copied().map(Some).collect(), complete }
    }

    proptest! {
        #[test]
        fn what_is_known_is_what_the_encoder_writes(
            which in 0..REQUESTS.len(), length in 1usize..=116, cut in 0usize..=116, complete in any::<bool>(),
        ) {
            let (request, payload) = (&REQUESTS[which], payload(length));
            let matrix = encode(&payload, request).unwrap().matrix;
            let recovery = recovery(request, &matrix, &certain(&matrix));
            let whole = recovery.agreement(&known(&payload, true)).unwrap();
            prop_assert!(whole.wrong == 0 && whole.known as usize > 8 * length && whole.chance_bits() > 8.0);
            prop_assert_eq!(recovery.agreement(&known(&payload[..cut.min(length)], false)).unwrap().wrong, 0);
            let mut other = payload.clone();
            other[cut % length] ^= 0xFF;
            prop_assert!(recovery.agreement(&known(&other, complete)).unwrap().wrong > 0);
            let seen = recovery.seen().next().unwrap();
            prop_assert!(seen.iter().zip(&payload).all(|(seen, byte)| seen.byte == *byte && seen.reliability == 6.0));
        }

        #[test]
        fn any_template_and_likelihoods_are_answered(
            which in 0..REQUESTS.len(),
            bytes in prop::collection::vec(any::<Option<u8>>(), 0..300),
            complete in any::<bool>(),
            noise in prop::collection::vec(-8f32..8.0, 80 * 80),
        ) {
            let request = &REQUESTS[which];
            let matrix = encode(&payload(40), request).unwrap().matrix;
            let recovery = recovery(request, &matrix, &noise[..matrix.width() * matrix.height()]);
            let template = Template { bytes, complete };
            let _ = recovery.agreement(&template);
            prop_assert!(recovery.candidates(Some(&template), Depth::Erasures, 3).len() <= 9);
        }
    }

    /// Modules spoiled here and there: wrong, most of them doubtful, some of them surely so.
    fn spoiled(request: &Request, payload: &[u8], share: usize) -> (Recovery, bool) {
        let matrix = encode(payload, request).unwrap().matrix;
        let mut llr = certain(&matrix);
        for (i, value) in llr.iter_mut().enumerate() {
            let random = ((i * 2_654_435_761) >> 12) % 4000;
            if random < 4 * share {
                *value *= if random % 4 == 0 { -1.0 } else { -0.1 };
            }
        }
        let alone = match request {
            Request::Qr { .. } => qr::decode::decode(matrix.width(), &llr),
            Request::DataMatrix { .. } => datamatrix::decode::decode(matrix.height(), matrix.width(), &llr),
        };
        (recovery(request, &matrix, &llr), alone.is_ok_and(|content| content.bytes == payload))
    }

    #[test]
    fn what_is_known_helps_where_error_correction_alone_gives_up() {
        let payload = payload(84);
        let mut sums = (0, 0, 0);
        for request in &REQUESTS {
            let (mut bare, mut judged, mut informed) = (0, 0, 0);
            for share in (10..120).step_by(5) {
                let (recovery, alone) = spoiled(request, &payload, share);
                let template = Template { bytes: payload[..24].iter().copied().map(Some).collect(), complete: false };
                bare += usize::from(alone);
                judged += usize::from(recovery.candidates(None, Depth::Flips, 8).contains(&payload));
                informed += usize::from(recovery.candidates(Some(&template), Depth::Flips, 8).contains(&payload));
            }
            // The smallest symbols have least to gain.
            assert!(bare <= judged && judged <= informed, "{request:?}: {bare}, {judged}, {informed}");
            sums = (sums.0 + bare, sums.1 + judged, sums.2 + informed);
        }
        let (bare, judged, informed) = sums;
        assert!(bare < judged && judged < informed, "{bare}, {judged}, {informed}");
    }
}
