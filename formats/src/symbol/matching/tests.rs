use super::*;

const LENGTHS: [usize; 4] = [73, 84, 96, 112];
const REQUESTS: [Request; 6] = [
    Request::Qr { ec: EcLevel::L, min_version: 1 },
    Request::Qr { ec: EcLevel::M, min_version: 1 },
    Request::Qr { ec: EcLevel::Q, min_version: 9 },
    Request::Qr { ec: EcLevel::H, min_version: 10 },
    Request::DataMatrix { shape: Shape::Square },
    Request::DataMatrix { shape: Shape::Dmre },
];

/// Numbers without an order (SplitMix64: one that is linear in its bits would not be random to a linear code).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// From 0 to 1.
    fn share(&mut self) -> f32 {
        (self.next() % (1 << 24)) as f32 / (1 << 24) as f32
    }

    /// A mark of a lot: all have the same beginning, and a signature of their own.
    fn mark(&mut self, bytes: usize) -> Vec<u8> {
        let mut mark: Vec<u8> = (0..bytes - SIGNATURE_BYTES).map(|i| (i * 73 + 19) as u8).collect();
        mark.extend((0..SIGNATURE_BYTES).map(|_| self.next() as u8));
        *mark.last_mut().unwrap() &= 0x0F;
        mark
    }
}

fn symbol(mark: &[u8], request: &Request) -> (Symbology, usize, usize, Vec<f32>) {
    let matrix = encode(mark, request).unwrap().matrix;
    let (rows, columns) = (matrix.height(), matrix.width());
    let kind = if matches!(request, Request::Qr { .. }) { Symbology::QrCode } else { Symbology::DataMatrix };
    let llr = (0..rows * columns).map(|i| if matrix.is_dark(i % columns, i / columns) { 6.0 } else { -6.0 }).collect();
    (kind, rows, columns, llr)
}

fn frames(mark: &[u8], request: &Request) -> (Vec<Frame>, Vec<f32>) {
    let (kind, rows, columns, llr) = symbol(mark, request);
    (Frame::all(kind, rows, columns, mark.len()), llr)
}

/// The least cost of a mark over all frames and looks, with its chance and the bits that were seen.
fn best(frames: &[Frame], llr: &[f32], mark: &[u8]) -> (f32, f32, usize) {
    let looks = frames.iter().flat_map(|frame| {
        let codewords = frame.codewords(mark).unwrap();
        frame.looks(llr).into_iter().map(move |look| {
            let cost = look.cost(&codewords);
            (cost, look.chance_bits(cost), look.bits())
        })
    });
    looks.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[test]
fn a_mark_agrees_in_full_with_the_symbol_that_the_encoder_makes_of_it() {
    let mut random = Random(1);
    for request in &REQUESTS {
        // To the last byte that the symbol holds, too: there the standard leaves a choice.
        let full = encode(&random.mark(96), request).unwrap().size.payload_bytes.min(229);
        for bytes in LENGTHS.into_iter().chain([full]) {
            let mark = random.mark(bytes);
            let (frames, llr) = frames(&mark, request);
            let (cost, chance, bits) = best(&frames, &llr, &mark);
            assert!(cost == 0.0 && bits >= 350 && chance > 300.0, "{request:?}, {bytes}: {cost}, {chance}, {bits}");
            let (_, chance, _) = best(&frames, &llr, &random.mark(bytes));
            assert!(chance < 20.0, "{request:?}, {bytes}: {chance}");
        }
    }
}

#[test]
fn a_data_matrix_on_any_side_is_matched() {
    let mut random = Random(2);
    for (request, sides) in [(REQUESTS[4], 4), (REQUESTS[5], 2)] {
        let mark = random.mark(96);
        let (kind, rows, columns, llr) = symbol(&mark, &request);
        let frames = Frame::all(kind, rows, columns, mark.len());
        for turned in turns(&llr, rows, columns) {
            assert_eq!(best(&frames, &turned, &mark).0, 0.0);
        }
        assert_eq!(turns(&llr, rows, columns).len(), sides);
    }
}

/// The rank of these rows of bits.
fn rank(mut rows: Vec<Vec<u8>>) -> usize {
    let (mut rank, bits) = (0, rows.first().map_or(0, |row| 8 * row.len()));
    for bit in 0..bits {
        let is_set = |row: &[u8]| row[bit / 8] >> (bit % 8) & 1 == 1;
        let Some(pivot) = (rank..rows.len()).find(|at| is_set(&rows[*at])) else { continue };
        rows.swap(rank, pivot);
        let line = rows[rank].clone();
        for row in rows.iter_mut().skip(rank + 1).filter(|row| is_set(row)) {
            row.iter_mut().zip(&line).for_each(|(a, b)| *a ^= b);
        }
        rank += 1;
    }
    rank
}

#[test]
fn the_codewords_that_count_take_all_values_equally_often() {
    let mut random = Random(3);
    for request in &REQUESTS {
        let mark = random.mark(96);
        let (frames, mut llr) = frames(&mark, request);
        llr.iter_mut().for_each(|llr| *llr *= random.share());
        for frame in &frames {
            let look = frame.looks(&llr).swap_remove(0);
            let count = look.words.len();
            assert!((40..=63).contains(&count), "{request:?}: {count}");
            let mut seen = || {
                let codewords = frame.codewords(&random.mark(96)).unwrap();
                look.words.iter().map(|(at, _)| codewords[*at]).collect::<Vec<u8>>()
            };
            let first = seen();
            let differences = (0..8 * count + 40).map(|_| seen().iter().zip(&first).map(|(a, b)| a ^ b).collect());
            assert_eq!(rank(differences.collect()), 8 * count, "{request:?}");
        }
    }
}

/// What is left of a symbol: `share` of its modules as they were, the others like nothing in particular.
fn worn(llr: &[f32], share: f32, random: &mut Random) -> Vec<f32> {
    llr.iter().map(|llr| if random.share() < share { *llr } else { 2.0 * random.share() - 1.0 }).collect()
}

/// A part of a symbol that is left, of so many of its rows.
fn torn(llr: &[f32], share: f32, random: &mut Random) -> Vec<f32> {
    let left = (llr.len() as f32 * share) as usize;
    let from = random.next() as usize % (llr.len() - left);
    llr.iter().enumerate().map(|(i, llr)| if (from..from + left).contains(&i) { *llr } else { 0.0 }).collect()
}

#[test]
fn a_fifth_of_the_modules_tells_a_mark_from_a_hundred_thousand() {
    let mut random = Random(4);
    for request in &REQUESTS[..5] {
        for wear in [worn, torn] {
            let marks: Vec<Vec<u8>> = (0..40).map(|_| random.mark(96)).collect();
            let (frames, llr) = frames(&marks[7], request);
            let llr = wear(&llr, 0.2, &mut random);
            let chances: Vec<f32> = marks.iter().map(|mark| best(&frames, &llr, mark).1).collect();
            // 2^17 serials in 32 ways to see a symbol, and still less than one in a thousand.
            let best = chances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            assert!(best.0 == 7 && *best.1 > 32.0, "{request:?}: {best:?}");
        }
    }
}

#[test]
fn false_matches_are_rarer_than_said() {
    let mut random = Random(5);
    let (limits, mut found, mut trials) = ([0.3f32, 0.05, 0.01], [0usize; 3], 0);
    for request in [REQUESTS[1], REQUESTS[4]] {
        let frame = frames(&random.mark(84), &request).0.swap_remove(0);
        for n in 0..1000 {
            // Another mark of the same lot, sound or as worn as any that are matched.
            let (.., llr) = symbol(&random.mark(84), &request);
            let llr = match n % 4 {
                0 | 1 => worn(&llr, random.share(), &mut random),
                2 => torn(&llr, 0.3, &mut random),
                _ => llr,
            };
            let look = frame.looks(&llr).swap_remove(0);
            for _ in 0..8 {
                let codewords = frame.codewords(&random.mark(84)).unwrap();
                let chance = (-look.chance_bits(look.cost(&codewords))).exp2();
                trials += 1;
                for (found, limit) in found.iter_mut().zip(limits) {
                    *found += usize::from(chance <= limit);
                }
            }
        }
    }
    for (found, limit) in found.into_iter().zip(limits) {
        assert!(found as f32 <= limit * trials as f32, "{found} of {trials} at {limit}");
    }
    // The bound is not so wide that it could never be met.
    assert!(found[0] > trials / 50, "{found:?} of {trials}");
}

#[test]
fn any_likelihoods_are_answered() {
    let mut random = Random(6);
    for request in &REQUESTS {
        let mark = random.mark(84);
        let (frames, llr) = frames(&mark, request);
        for value in [0.0, f32::NAN, f32::INFINITY, -1e30] {
            for llr in [vec![value; llr.len()], vec![value; 3]] {
                for look in frames.iter().flat_map(|frame| frame.looks(&llr)) {
                    assert!(look.cost(&[]).is_finite() && look.chance_bits(1.0) < 600.0);
                }
            }
        }
    }
    assert!(Frame::all(Symbology::DataMatrix, 11, 11, 84).is_empty());
    assert!(Frame::all(Symbology::DataMatrix, 20, 20, 84).is_empty());
    assert!(Frame::all(Symbology::MicroQrCode, 17, 17, 84).is_empty());
    assert!(Frame::all(Symbology::DataMatrix, 40, 40, 10).is_empty());
}
