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
        Self::new(self.x - other.x, self.y - other.y).length()
    }

    /// Distance to (0, 0): plainly, as no place in a picture is so far away that its square overflows.
    pub(crate) fn length(self) -> f32 {
        (self.x * self.x + self.y * self.y).sqrt()
    }
}

/// A projective map of the plane, row by row; the last entry is 1 for maps made here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography(pub [f64; 9]);

impl Homography {
    /// The map that takes each of `from` to its counterpart in `to`; `None` if three of either lie on a line.
    #[must_use]
    pub fn from_points(from: [Point; 4], to: [Point; 4]) -> Option<Self> {
        // Eight linear equations in the eight unknown entries.
        let mut rows = [[0f64; 9]; 8];
        for (i, (f, t)) in from.iter().zip(&to).enumerate() {
            [rows[2 * i], rows[2 * i + 1]] = equations(*f, *t);
        }
        Self::solved(rows)
    }

    /// The map that takes the first point of each pair nearest to the second, by least squares of the linear equations
    /// (direct linear transform); `None` for fewer than four pairs, or where they do not determine it.
    #[must_use]
    pub fn fitted(pairs: &[(Point, Point)]) -> Option<Self> {
        if pairs.len() < 4 {
            return None;
        }
        // Around their mean, so that the squares stay small.
        let n = pairs.len() as f32;
        let mean = |part: &dyn Fn(&(Point, Point)) -> f32| pairs.iter().map(part).sum::<f32>() / n;
        let (cx, cy) = (mean(&|p| p.1.x), mean(&|p| p.1.y));
        let mut normal = [[0f64; 9]; 8];
        for (f, t) in pairs {
            for row in equations(*f, Point::new(t.x - cx, t.y - cy)) {
                for (line, factor) in normal.iter_mut().zip(row) {
                    for (sum, value) in line.iter_mut().zip(row) {
                        *sum += factor * value;
                    }
                }
            }
        }
        let Self(mut h) = Self::solved(normal)?;
        for i in 0..3 {
            h[i] += f64::from(cx) * h[6 + i];
            h[3 + i] += f64::from(cy) * h[6 + i];
        }
        Some(Self(h))
    }

    /// The solution of eight linear equations, by Gauss-Jordan elimination with pivoting.
    fn solved(mut rows: [[f64; 9]; 8]) -> Option<Self> {
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

/// The two linear equations in the entries of a map that takes `from` to `to`.
fn equations(from: Point, to: Point) -> [[f64; 9]; 2] {
    let (x, y, u, v) = (f64::from(from.x), f64::from(from.y), f64::from(to.x), f64::from(to.y));
    [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_map_that_made_its_points() {
        let square = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0)].map(|(x, y)| Point::new(x, y));
        let seen = [(900.0, 810.0), (1300.0, 850.0), (1240.0, 1270.0), (880.0, 1190.0)].map(|(x, y)| Point::new(x, y));
        let map = Homography::from_points(square, seen).unwrap();
        let grid = (0..36).map(|i| Point::new((i % 6) as f32 * 8.0, (i / 6) as f32 * 8.0));
        let pairs: Vec<_> = grid.map(|p| (p, map.apply(p))).collect();
        let fitted = Homography::fitted(&pairs).unwrap();
        for (p, place) in &pairs {
            assert!(fitted.apply(*p).distance(*place) < 0.01, "{p:?}");
        }
        assert!(Homography::fitted(&pairs[..3]).is_none());
        assert!(Homography::fitted(&[pairs[0]; 9]).is_none(), "one point alone determines nothing");
    }
}
