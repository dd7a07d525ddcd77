//! Points and projective maps between module space and the picture.

/// A place in a picture (pixels) or in a symbol (modules).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The point (`x`, `y`).
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Distance to `other`, in the unit of both.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// A projective map of the plane, row by row; the last entry is 1 for maps made here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography(pub [f64; 9]);

impl Homography {
    /// The map that takes each of `from` to its counterpart in `to`; `None` if three of either lie on a line.
    #[must_use]
    pub fn from_points(from: [Point; 4], to: [Point; 4]) -> Option<Self> {
        // Eight linear equations in the eight unknown entries, solved by Gauss-Jordan elimination with pivoting.
        let mut rows = [[0f64; 9]; 8];
        for (i, (f, t)) in from.iter().zip(&to).enumerate() {
            let (x, y, u, v) = (f64::from(f.x), f64::from(f.y), f64::from(t.x), f64::from(t.y));
            rows[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            rows[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        for col in 0..8 {
            let pivot = (col..8).max_by(|&a, &b| rows[a][col].abs().total_cmp(&rows[b][col].abs()))?;
            if rows[pivot][col].abs() < 1e-9 {
                return None;
            }
            rows.swap(col, pivot);
            let lead = rows[col];
            for (r, row) in rows.iter_mut().enumerate() {
                let factor = row[col] / lead[col];
                if r == col || factor == 0.0 {
                    continue;
                }
                for (cell, from) in row.iter_mut().zip(&lead).skip(col) {
                    *cell -= factor * from;
                }
            }
        }
        let mut h = [1f64; 9];
        for i in 0..8 {
            h[i] = rows[i][8] / rows[i][i];
        }
        h.iter().all(|v| v.is_finite()).then_some(Self(h))
    }

    /// Where `p` goes.
    #[must_use]
    pub fn apply(&self, p: Point) -> Point {
        let h = &self.0;
        let (x, y) = (f64::from(p.x), f64::from(p.y));
        let w = h[6] * x + h[7] * y + h[8];
        Point::new(((h[0] * x + h[1] * y + h[2]) / w) as f32, ((h[3] * x + h[4] * y + h[5]) / w) as f32)
    }
}
