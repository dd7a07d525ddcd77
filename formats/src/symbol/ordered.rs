//! A block as the bits that it is made of: ordered statistics decoding (Fossorier and Lin 1995) of the binary image of a
//! Reed-Solomon code. Error correction by codewords loses eight bits for each one that is covered; by bits, what is
//! doubtful costs no more than itself, and of 16 codewords of error correction some 120 unknown bits are solved wherever
//! they lie.

use super::reed_solomon::Code;
use super::view::Word;

/// How long to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// Orders of the bits that are tried: the first as they were seen, others with chance in it, so that what is wrong though it
    /// looked certain comes among the doubtful ones.
    pub(super) orders: usize,
    /// Bits behind the doubtful ones of which two are tried the other way at once.
    pub(super) pairs: usize,
    /// Bits of which three are.
    pub(super) triples: usize,
}

impl Search {
    /// What costs about a millisecond a block.
    pub(super) const SHORT: Self = Self { orders: 1, pairs: 120, triples: 16 };
    /// What is worth it where a judge waits and nothing else is left.
    pub(super) const LONG: Self = Self { orders: 40, pairs: 100, triples: 24 };
}

/// A block that may have been sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) block: Vec<u8>,
    /// What speaks against it: the likelihoods of the bits that it has otherwise than seen, in nats.
    pub(super) cost: f32,
    /// Negative binary logarithm of the probability that noise has an answer as good.
    pub(super) bits: f32,
}

/// The likeliest blocks, the best first, at most `most`, of `words` that end with `ec` words of error correction.
pub(super) fn answers(code: &Code, words: &[Word<f32>], ec: usize, search: Search, most: usize) -> Vec<Answer> {
    if ec == 0 || ec >= words.len() || words.len() > 255 {
        return Vec::new();
    }
    let llr: Vec<f32> = words.as_flattened().iter().map(|llr| if llr.is_finite() { *llr } else { 0.0 }).collect();
    let image = Image::of(code, words.len(), ec);
    let (mut found, mut random) = (Found { most, answers: Vec::new(), tried: 0 }, Random(0x9E37_79B9_7F4A_7C15));
    for n in 0..search.orders {
        let chance = |random: &mut Random| if n == 0 { 1.0 } else { 0.4 + 1.2 * random.next() };
        let mut order: Vec<(f32, usize)> =
            llr.iter().enumerate().map(|(at, llr)| (llr.abs() * chance(&mut random), at)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let order: Vec<usize> = order.into_iter().map(|(_, at)| at).collect();
        image.clone().solved(&order, &llr).search(search, &mut found);
    }
    found.answers.into_iter().map(|seen| seen.answer(&llr)).collect()
}

/// What was found so far.
struct Found {
    most: usize,
    answers: Vec<Seen>,
    tried: u32,
}

/// Bits that were seen otherwise, and how good an answer that is.
#[derive(Clone)]
struct Seen {
    cost: f32,
    bits: f32,
    wrong: Vec<usize>,
}

impl Found {
    /// The cost from which on an answer is not among the best.
    fn limit(&self) -> f32 {
        if self.answers.len() < self.most { f32::INFINITY } else { self.answers.last().map_or(0.0, |seen| seen.cost) }
    }

    fn add(&mut self, seen: Seen) {
        if self.answers.iter().any(|known| known.wrong == seen.wrong) {
            return;
        }
        let at = self.answers.partition_point(|known| known.cost <= seen.cost);
        self.answers.insert(at, seen);
        self.answers.truncate(self.most);
    }
}

impl Seen {
    fn answer(self, llr: &[f32]) -> Answer {
        let mut block: Vec<u8> = llr
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| word.iter().fold(0, |sum, llr| sum << 1 | u8::from(*llr > 0.0)))
            .collect();
        for at in self.wrong {
            block[at / 8] ^= 0x80 >> (at % 8);
        }
        Answer { block, cost: self.cost, bits: self.bits }
    }
}

/// The parity checks of a block, bit by bit: a row each, a column for each bit of the block.
#[derive(Clone)]
struct Image {
    rows: usize,
    /// Words a row.
    stride: usize,
    cells: Vec<u64>,
}

impl Image {
    fn of(code: &Code, length: usize, ec: usize) -> Self {
        let stride = length.div_ceil(8);
        let mut image = Self { rows: 8 * ec, stride, cells: vec![0; 8 * ec * stride] };
        for (check, at) in (0..ec).flat_map(|check| (0..length).map(move |at| (check, at))) {
            for bit in 0..8 {
                let product = code.in_check(check, length - 1 - at, 0x80 >> bit);
                for row in (0..8).filter(|row| product >> (7 - row) & 1 == 1) {
                    let column = 8 * at + bit;
                    image.cells[(8 * check + row) * stride + column / 64] |= 1 << (column % 64);
                }
            }
        }
        image
    }

    fn at(&self, row: usize, column: usize) -> bool {
        self.cells[row * self.stride + column / 64] >> (column % 64) & 1 == 1
    }

    /// Solved for the first bits of `order` that the others determine.
    fn solved(mut self, order: &[usize], llr: &[f32]) -> Solved {
        let (stride, mut pivots, mut others) = (self.stride, Vec::with_capacity(self.rows), Vec::new());
        for &column in order {
            let rank = pivots.len();
            let Some(pivot) = (rank..self.rows).find(|row| self.at(*row, column)) else {
                others.push(column);
                continue;
            };
            for word in 0..stride {
                self.cells.swap(rank * stride + word, pivot * stride + word);
            }
            let line = self.cells[rank * stride..(rank + 1) * stride].to_vec();
            for row in (0..self.rows).filter(|row| *row != rank) {
                if self.at(row, column) {
                    self.cells[row * stride..(row + 1) * stride].iter_mut().zip(&line).for_each(|(a, b)| *a ^= b);
                }
            }
            pivots.push(column);
        }
        let mut hard = vec![0u64; stride];
        for (at, _) in llr.iter().enumerate().filter(|(_, llr)| **llr > 0.0) {
            hard[at / 64] |= 1 << (at % 64);
        }
        let odd = |row: usize| {
            let line = &self.cells[row * stride..(row + 1) * stride];
            line.iter().zip(&hard).fold(0, |sum, (a, b)| sum ^ (a & b)).count_ones() % 2 == 1
        };
        let syndrome = Checks::of(self.rows, odd);
        let columns =
            others.iter().map(|&column| (column, llr[column].abs(), Checks::of(self.rows, |row| self.at(row, column))));
        let others = columns.collect();
        let weights: Vec<f32> = pivots.iter().map(|at| llr[*at].abs()).collect();
        Solved { tables: tables(&weights), weights, pivots, others, syndrome }
    }
}

/// A bit for each parity check.
#[derive(Clone, PartialEq)]
struct Checks(Vec<u64>);

impl Checks {
    fn of(rows: usize, set: impl Fn(usize) -> bool) -> Self {
        let mut words = vec![0; rows.div_ceil(64)];
        (0..rows).filter(|row| set(*row)).for_each(|row| words[row / 64] |= 1 << (row % 64));
        Self(words)
    }

    fn plus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a ^ b).collect())
    }
}

/// For each eight checks the weight of every combination of them.
fn tables(weights: &[f32]) -> Vec<[f32; 256]> {
    let table = |eight: &[f32]| {
        let mut sums = [0.0; 256];
        for set in 1..256usize {
            let lowest = set.trailing_zeros() as usize;
            sums[set] = sums[set & (set - 1)] + eight.get(lowest).copied().unwrap_or(0.0);
        }
        sums
    };
    weights.chunks(8).map(table).collect()
}

/// Parity checks that give one doubtful bit each, the pivot, by the others.
struct Solved {
    pivots: Vec<usize>,
    /// The likelihoods of the pivots.
    weights: Vec<f32>,
    tables: Vec<[f32; 256]>,
    /// The other bits, the least certain first: place, likelihood, the checks that each is in.
    others: Vec<(usize, f32, Checks)>,
    /// Checks that fail as the bits were seen.
    syndrome: Checks,
}

impl Solved {
    /// The weight of the pivots that are wrong if the checks `a` and not `b`, or the other way round, fail.
    fn weight(&self, a: &Checks, b: &Checks, limit: f32) -> f32 {
        let mut sum = 0.0;
        for ((a, b), tables) in a.0.iter().zip(&b.0).zip(self.tables.chunks(8)) {
            let fail = (a ^ b).to_le_bytes();
            sum += fail.iter().zip(tables).map(|(fail, table)| table[usize::from(*fail)]).sum::<f32>();
            if sum > limit {
                break;
            }
        }
        sum
    }

    fn search(&self, search: Search, found: &mut Found) {
        let none = Checks(vec![0; self.syndrome.0.len()]);
        let cost = self.weight(&self.syndrome, &none, f32::INFINITY);
        self.keep(found, cost, &[]);
        for (i, (_, first, a)) in self.others.iter().enumerate() {
            if *first >= found.limit() {
                break;
            }
            let cost = first + self.weight(&self.syndrome, a, found.limit());
            self.keep(found, cost, &[i]);
            if i >= search.pairs {
                continue;
            }
            let one = self.syndrome.plus(a);
            for (j, (_, second, b)) in self.others.iter().enumerate().take(i) {
                let both = first + second;
                if both >= found.limit() {
                    break;
                }
                self.keep(found, both + self.weight(&one, b, found.limit() - both), &[i, j]);
                if i >= search.triples {
                    continue;
                }
                let two = one.plus(b);
                for (k, (_, third, c)) in self.others.iter().enumerate().take(j) {
                    let all = both + third;
                    self.keep(found, all + self.weight(&two, c, found.limit() - all), &[i, j, k]);
                }
            }
        }
    }

    /// Keeps the answer that has these of the other bits otherwise than seen, if it is among the best.
    fn keep(&self, found: &mut Found, cost: f32, flipped: &[usize]) {
        found.tried += 1;
        if cost >= found.limit() {
            return;
        }
        let mut checks = self.syndrome.clone();
        flipped.iter().for_each(|at| checks = checks.plus(&self.others[*at].2));
        let fails = |row: &usize| checks.0[row / 64] >> (row % 64) & 1 == 1;
        let mut wrong: Vec<usize> = (0..self.pivots.len()).filter(fails).map(|row| self.pivots[row]).collect();
        wrong.extend(flipped.iter().map(|at| self.others[*at].0));
        wrong.sort_unstable();
        let bits = chance_bits(&self.weights, cost) - (found.tried as f32).log2();
        found.add(Seen { cost, bits, wrong });
    }
}

/// Negative binary logarithm of a bound (Chernoff 1952) on the probability that of bits with these likelihoods, each
/// otherwise than seen by the toss of a coin, those that are weigh together at most `cost`.
pub(super) fn chance_bits(weights: &[f32], cost: f32) -> f32 {
    let bound = |s: f32| {
        let each = |weight: &f32| 1.0 - (1.0 + (-s * weight).exp()).log2();
        weights.iter().map(each).sum::<f32>() - s * cost * std::f32::consts::LOG2_E
    };
    (-8..8).map(|n| bound((0.7 * n as f32).exp2())).fold(0.0, f32::max)
}

/// Numbers without an order, the same ones every time (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::reed_solomon::{DATA_MATRIX, QR};
    use crate::symbol::soft;

    const CASES: [(&Code, usize, usize); 4] = [(&QR, 43, 16), (&QR, 67, 24), (&QR, 134, 26), (&DATA_MATRIX, 104, 42)];

    fn sent(code: &Code, length: usize, ec: usize, random: &mut Random) -> Vec<u8> {
        let mut block: Vec<u8> = (0..length).map(|_| (256.0 * random.next()) as u8).collect();
        let parity: Vec<usize> = (length - ec..length).collect();
        code.correct(&mut block, ec, &parity).unwrap();
        block
    }

    fn seen(block: &[u8], mut spoil: impl FnMut(f32) -> f32) -> Vec<Word<f32>> {
        block
            .iter()
            .map(|byte| std::array::from_fn(|i| spoil(if byte >> (7 - i) & 1 == 1 { 4.0 } else { -4.0 })))
            .collect()
    }

    #[test]
    fn bits_lost_here_and_there_are_found_beyond_any_count_of_codewords() {
        let mut random = Random(5);
        for (code, length, ec) in CASES {
            let block = sent(code, length, ec, &mut random);
            // Three quarters of what the checks could tell of unknown bits, in most codewords.
            let share = 0.75 * ec as f32 / length as f32;
            let words = seen(&block, |llr| if random.next() < share { 0.0 } else { llr });
            let answers = answers(code, &words, ec, Search::SHORT, 3);
            assert_eq!(answers[0].block, block, "{length}, {ec}");
            assert!(answers[0].bits > 24.0, "{}", answers[0].bits);
            let received: Vec<soft::Received> = words.iter().map(|word| soft::Received::of(*word)).collect();
            assert!(soft::correct(code, &received, ec, 0).is_none());
        }
    }

    #[test]
    fn noise_in_all_bits_costs_less_than_by_codewords() {
        let mut random = Random(77);
        let (mut by_codewords, mut by_bits) = (0, 0);
        for n in 0..40 {
            let (code, length, ec) = CASES[n % 2];
            let block = sent(code, length, ec, &mut random);
            let normal = |random: &mut Random| (0..12).map(|_| random.next()).sum::<f32>() - 6.0;
            let words = seen(&block, |llr| llr + 2.2 * normal(&mut random));
            let received: Vec<soft::Received> = words.iter().map(|word| soft::Received::of(*word)).collect();
            by_codewords += usize::from(soft::correct(code, &received, ec, 0).is_some_and(|c| c.block == block));
            let answers = answers(code, &words, ec, Search::SHORT, 1);
            by_bits += usize::from(answers[0].block == block && answers[0].bits > 24.0);
            assert!(answers[0].bits < 24.0 || answers[0].block == block);
        }
        assert!(by_bits > by_codewords + 8, "{by_codewords}, {by_bits}");
    }

    #[test]
    fn noise_alone_has_no_answer_beyond_chance() {
        let mut random = Random(3);
        for (code, length, ec) in CASES {
            for search in [Search::SHORT, Search { orders: 3, ..Search::LONG }] {
                let words: Vec<Word<f32>> =
                    (0..length).map(|_| std::array::from_fn(|_| 16.0 * random.next() - 8.0)).collect();
                let answers = answers(code, &words, ec, search, 2);
                assert!(answers.len() == 2 && answers[0].cost <= answers[1].cost);
                assert!(answers[0].bits < 12.0, "{}", answers[0].bits);
                for answer in &answers {
                    assert_eq!(code.correct(&mut answer.block.clone(), ec, &[]), Ok(0));
                }
            }
        }
    }

    #[test]
    fn any_likelihoods_are_answered() {
        for value in [0.0, f32::NAN, f32::INFINITY, -1e30] {
            for (length, ec) in [(0, 0), (1, 1), (5, 4), (255, 68), (256, 10)] {
                let answers = answers(&QR, &vec![[value; 8]; length], ec, Search::SHORT, 2);
                assert!(answers.iter().all(|answer| answer.bits < 24.0 || answer.cost == 0.0));
            }
        }
    }
}
