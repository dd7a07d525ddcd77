//! The modules as text: a line of 0 and 1 a row, 1 where ordinary print is dark, whatever the polarity; without quiet
//! zone. Every line ends in a newline; an empty line stands between two marks.

use super::options::Artwork;

pub(crate) fn write(artworks: &[Artwork]) -> String {
    let marks: Vec<String> = artworks.iter().map(rows).collect();
    marks.join("\n")
}

fn rows(artwork: &Artwork) -> String {
    let (width, height) = (artwork.matrix.width(), artwork.matrix.height());
    let mut out = String::with_capacity((width + 1) * height);
    for y in 0..height {
        out.extend((0..width).map(|x| if artwork.matrix.is_dark(x, y) { '1' } else { '0' }));
        out.push('\n');
    }
    out
}
