//! A single-stroke font for captions and labels: a laser follows it, and no output depends on installed fonts.
//!
//! Letters stand on a grid of 4 by 6 units with 2 below the baseline; straight strokes only. Heights are given in
//! units of a capital letter.

/// A place in units of the grid or of a capital letter: to the right, and up from the baseline.
pub type Point = (f64, f64);
/// A line drawn without lifting the pen.
pub type Stroke = Vec<Point>;

/// Width of the pen.
pub const STROKE_SHARE: f64 = 0.12;
/// From one baseline to the next.
pub const LINE_PITCH: f64 = 10.0 / 6.0;
/// How far letters reach below the baseline.
pub const DESCENT: f64 = 2.0 / 6.0;

/// Grid units of a capital letter, and from one letter to the next.
const CAPITAL: f64 = 6.0;
const ADVANCE: f64 = 6.0;

/// Width of a line of text for capitals of height 1.
pub fn width(line: &str) -> f64 {
    (line.chars().count() as f64 * ADVANCE - 2.0).max(0.0) / CAPITAL
}

/// The strokes of a line of text for capitals of height 1: x to the right from 0, y up from the baseline.
pub fn strokes(line: &str) -> impl Iterator<Item = Stroke> {
    line.chars().enumerate().flat_map(|(number, letter)| {
        let left = number as f64 * ADVANCE;
        let place = move |(x, y): Point| ((left + x) / CAPITAL, (y - 2.0) / CAPITAL);
        glyph(letter)
            .split(' ')
            .filter(|stroke| !stroke.is_empty())
            .map(move |stroke| points(stroke).map(place).collect())
    })
}

/// Two digits a point: column 0 to 4, and row 0 to 8, where the baseline is row 2.
fn points(stroke: &str) -> impl Iterator<Item = Point> {
    let digit = |byte: u8| f64::from(byte.saturating_sub(b'0'));
    stroke.as_bytes().chunks_exact(2).filter_map(move |pair| Some((digit(*pair.first()?), digit(*pair.last()?))))
}

fn glyph(letter: char) -> &'static str {
    let known = GLYPHS.iter().find(|(known, _)| *known == letter);
    known.map_or(UNKNOWN, |(_, strokes)| strokes)
}

const UNKNOWN: &str = "0208484202";

#[rustfmt::skip]
const GLYPHS: &[(char, &str)] = &[
    (' ', ""),
    ('0', "180703123243473818 1337"), ('1', "172822 1232"), ('2', "07183847460242"),
    ('3', "0718384746354443321203 1535"), ('4', "32380444"), ('5', "480805354443321203"),
    ('6', "4738180703123243443505"), ('7', "084812"),
    ('8', "180706153546473818 1504031232434435"), ('9', "0312324347381807061545"),
    ('A', "0206284642 0545"), ('B', "02083847463505 3544433202"), ('C', "4738180703123243"),
    ('D', "02082846442202"), ('E', "48080242 0535"), ('F', "480802 0535"), ('G', "473818070312324345 4525"),
    ('H', "0802 4842 0545"), ('I', "1838 1232 2822"), ('J', "4843321203"), ('K', "0802 4804 1542"),
    ('L', "080242"), ('M', "0208254842"), ('N', "02084248"), ('O', "180703123243473818"),
    ('P', "02083847463505"), ('Q', "180703123243473818 2442"), ('R', "02083847463505 2542"),
    ('S', "473818070615354443321203"), ('T', "0848 2822"), ('U', "080312324348"), ('V', "082248"),
    ('W', "0812263248"), ('X', "0842 0248"), ('Y', "082548 2522"), ('Z', "08480242"),
    ('a', "16364542 441403123243"), ('b', "0802 0516364543321203"), ('c', "4536160503123243"),
    ('d', "4842 4536160503123243"), ('e', "04444536160503123243"), ('f', "38281712 0636"),
    ('g', "4536160503123243 4641301001"), ('h', "0802 0516364542"), ('i', "162622 1232 2827"),
    ('j', "2636312010 3837"), ('k', "0802 4604 2542"), ('l', "182822 1232"),
    ('m', "0602 05162522 25364542"), ('n', "0602 0516364542"), ('o', "160503123243453616"),
    ('p', "0600 0516364543321203"), ('q', "4640 4536160503123243"), ('r', "0602 05163645"),
    ('s', "4616051434433202"), ('t', "1813223243 0636"), ('u', "0603123243 4642"), ('v', "062246"),
    ('w', "0612253246"), ('x', "0642 0246"), ('y', "0622 4610"), ('z', "06460242"),
    ('-', "1535"), ('.', "2223"), ('/', "0248"), ('+', "2327 0545"), ('#', "1218 3238 0444 0646"),
    (',', "2311"), ('_', "0141"), ('=', "0444 0646"), (':', "2324 2627"), ('(', "38272332"),
    (')', "18272312"), ('*', "2327 0446 0644"), ('%', "0248 0818170708 3343423233"),
    ('&', "420607182837360403122244"), ('\'', "2826"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_stays_on_its_grid() {
        for (letter, strokes) in GLYPHS.iter().chain([&('?', UNKNOWN)]) {
            for stroke in strokes.split(' ').filter(|stroke| !stroke.is_empty()) {
                assert!(stroke.len() % 2 == 0 && stroke.len() >= 4, "{letter}: {stroke}");
                assert!(points(stroke).all(|(x, y)| x <= 4.0 && y <= 8.0), "{letter}: {stroke}");
            }
        }
    }

    #[test]
    fn every_character_that_captions_use_is_there_once() {
        let promised = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain("-./+#,_=:()*%&' ".chars());
        let promised: Vec<char> = promised.collect();
        for letter in &promised {
            assert_eq!(GLYPHS.iter().filter(|(known, _)| known == letter).count(), 1, "{letter}");
        }
        assert_eq!(GLYPHS.len(), promised.len());
    }

    #[test]
    fn others_are_a_box_as_wide_as_a_letter() {
        assert_eq!(strokes("Ω").next(), strokes("?").next());
        assert_eq!(width("Ω"), width("H"));
        assert_eq!(width(""), 0.0);
    }
}
