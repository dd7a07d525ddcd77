//! Photos of marked packages that never were: a mark, its package and board, wear, light and a camera, made from a seed.
//!
//! The picture is made backwards: each pixel of the photo is traced to the place on the package that it sees, in linear
//! light, and noise, blur and JPEG come last, as in a camera.

use image::{Rgb, RgbImage};
use touchmark_formats::font;
use touchmark_formats::symbol::Matrix;
use touchmark_verifier::read::geometry::{Homography, Point};

/// What is photographed, and how. Lengths on the package are in modules; shares and strengths run from 0 to 1.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Light modules on black moulding compound; else dark ones on a white label.
    pub light_on_dark: bool,
    /// Round dots in place of squares: their diameter.
    pub dots: Option<f32>,
    /// Empty modules around the symbol before anything else is printed.
    pub quiet_zone: f32,
    /// Lines beside the symbol, as on a real package.
    pub caption: Vec<String>,
    /// Difference of reflectance between light and dark.
    pub contrast: f32,
    /// Scratches across the package.
    pub scratches: usize,
    /// Share of the mark that sanding has dulled, from one side.
    pub abrasion: f32,
    /// Share of the package under soot.
    pub soot: f32,
    /// Strength of a highlight beside the middle.
    pub glare: f32,
    /// A broken corner: how far it reaches along the sides.
    pub missing: f32,
    /// How much darker one side is lit than the other.
    pub uneven: f32,
    /// Pixels a module in the middle of the picture.
    pub pixels_per_module: f32,
    /// Turn in the picture, in degrees.
    pub rotation: f32,
    /// Tilt away from the camera, in degrees.
    pub tilt: f32,
    /// Blur of the lens: standard deviation in pixels.
    pub blur: f32,
    /// Noise of the sensor: standard deviation in grey levels.
    pub noise: f32,
    /// Pixels of the photo, across and down.
    pub size: (u32, u32),
}

impl Scene {
    /// A new part in good light.
    #[must_use]
    pub fn clean() -> Self {
        Self {
            light_on_dark: true,
            dots: None,
            quiet_zone: 2.0,
            caption: Vec::new(),
            contrast: 0.55,
            scratches: 0,
            abrasion: 0.0,
            soot: 0.0,
            glare: 0.0,
            missing: 0.0,
            uneven: 0.15,
            pixels_per_module: 6.0,
            rotation: 4.0,
            tilt: 6.0,
            blur: 0.7,
            noise: 1.5,
            size: (900, 675),
        }
    }

    /// A part that was used, and photographed by hand.
    #[must_use]
    pub fn worn() -> Self {
        Self {
            contrast: 0.4,
            scratches: 14,
            abrasion: 0.15,
            soot: 0.1,
            glare: 0.2,
            uneven: 0.4,
            rotation: -17.0,
            tilt: 18.0,
            blur: 1.1,
            noise: 4.0,
            ..Self::clean()
        }
    }

    /// A part from a wreck: soot, deep scratches, a broken corner.
    #[must_use]
    pub fn wrecked() -> Self {
        Self {
            contrast: 0.3,
            scratches: 40,
            abrasion: 0.4,
            soot: 0.3,
            glare: 0.5,
            missing: 0.3,
            uneven: 0.6,
            rotation: 33.0,
            tilt: 30.0,
            blur: 1.6,
            noise: 7.0,
            ..Self::clean()
        }
    }

    /// A clean photo of about this many million pixels, the mark a fifth of its height.
    #[must_use]
    pub fn clean_megapixels(megapixels: f32, matrix: &Matrix) -> Self {
        let height = (megapixels * 1e6 * 0.75).sqrt();
        let pixels_per_module = height / 5.0 / matrix.height() as f32;
        Self { size: ((height / 0.75) as u32, height as u32), pixels_per_module, ..Self::clean() }
    }
}

/// Numbers that look random and come again with the same seed (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

/// A value from 0 to 1 that varies smoothly over the plane, about 1 apart.
fn cloud(seed: u64, x: f32, y: f32) -> f32 {
    let corner = |i: i64, j: i64| {
        Random(seed ^ (i as u64).wrapping_mul(0x9E37_79B9) ^ (j as u64).wrapping_mul(0x85EB_CA6B_0000)).unit()
    };
    let (i, j) = (x.floor(), y.floor());
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (smooth(x - i), smooth(y - j));
    let (i, j) = (i as i64, j as i64);
    let top = corner(i, j) + (corner(i + 1, j) - corner(i, j)) * fx;
    let bottom = corner(i, j + 1) + (corner(i + 1, j + 1) - corner(i, j + 1)) * fx;
    top + (bottom - top) * fy
}

/// A line on the package: from, to, half its width, how much it lightens.
type Line = (Point, Point, f32, f32);

fn distance_to(p: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let along = ((p.x - from.x) * dx + (p.y - from.y) * dy) / (dx * dx + dy * dy).max(1e-6);
    p.distance(Point::new(from.x + along.clamp(0.0, 1.0) * dx, from.y + along.clamp(0.0, 1.0) * dy))
}

/// The package: coordinates are modules, the symbol's top left corner is (0, 0).
struct Package<'a> {
    matrix: &'a Matrix,
    scene: &'a Scene,
    seed: u64,
    scratches: Vec<Line>,
    letters: Vec<Line>,
    /// Left, top, right, bottom.
    edges: [f32; 4],
}

impl<'a> Package<'a> {
    fn new(matrix: &'a Matrix, scene: &'a Scene, seed: u64) -> Self {
        let mut random = Random(seed);
        let (width, height) = (matrix.width() as f32, matrix.height() as f32);
        let letter = height / 9.0;
        let text_width = scene.caption.iter().map(|l| font::width(l) as f32 * letter).fold(0.0, f32::max);
        let margin = scene.quiet_zone + 2.5;
        let right = if text_width > 0.0 { width + scene.quiet_zone + text_width + 2.5 } else { width + margin };
        let edges = [-margin, -margin, right, height + margin];
        let mut letters = Vec::new();
        for (n, text) in scene.caption.iter().enumerate() {
            let baseline = height * 0.22 + letter * 1.9 * n as f32;
            let place = |p: &(f64, f64)| {
                Point::new(width + scene.quiet_zone + p.0 as f32 * letter, baseline - p.1 as f32 * letter)
            };
            for stroke in font::strokes(text) {
                letters.extend(stroke.windows(2).map(|pair| (place(&pair[0]), place(&pair[1]), letter * 0.07, 1.0)));
            }
        }
        let direction = random.between(0.0, 3.0);
        let scratches = (0..scene.scratches)
            .map(|_| {
                let from = Point::new(random.between(edges[0], edges[2]), random.between(edges[1], edges[3]));
                let (angle, length) = (direction + random.between(-0.3, 0.3), random.between(4.0, height));
                let to = Point::new(from.x + angle.cos() * length, from.y + angle.sin() * length);
                (from, to, random.between(0.05, 0.22), random.between(0.2, 0.8))
            })
            .collect();
        Self { matrix, scene, seed, scratches, letters, edges }
    }

    /// Red, green and blue reflectance, in linear light, at a place.
    fn colour(&self, p: Point) -> [f32; 3] {
        let [left, top, right, bottom] = self.edges;
        if p.x < left || p.y < top || p.x > right || p.y > bottom || self.broken_off(p) {
            return self.board(p);
        }
        let scene = self.scene;
        let grain = 0.85 + 0.3 * cloud(self.seed ^ 1, p.x * 3.1, p.y * 3.1);
        let (ground, mark) =
            if scene.light_on_dark { (0.035, 0.035 + scene.contrast) } else { (0.8, 0.8 - scene.contrast) };
        let dulled = scene.abrasion > 0.0 && self.dulled(p);
        let marked = if dulled { self.marked(p) * 0.35 } else { self.marked(p) };
        let mut value = (ground + (mark - ground) * marked) * grain;
        if dulled {
            value += 0.05 * cloud(self.seed ^ 7, p.x * 0.4, p.y * 9.0);
        }
        for (from, to, half, strength) in &self.scratches {
            let away = distance_to(p, *from, *to);
            if away < *half {
                value += (0.45 - value) * strength * (1.0 - away / half).min(0.8);
            }
        }
        let soot = cloud(self.seed ^ 2, p.x / 6.0, p.y / 6.0) * 0.7 + cloud(self.seed ^ 3, p.x / 2.0, p.y / 2.0) * 0.3;
        let covered = ((scene.soot * 1.25 + 0.12 - soot) * 9.0).clamp(0.0, 0.92);
        if scene.soot > 0.0 {
            value += (0.015 - value) * covered;
        }
        [value, value * 0.99, value * 0.96]
    }

    fn marked(&self, p: Point) -> f32 {
        if p.x >= 0.0 && p.y >= 0.0 {
            let (column, row) = (p.x as usize, p.y as usize);
            if self.matrix.is_dark(column, row) {
                return match self.scene.dots {
                    None => 1.0,
                    Some(diameter) => {
                        let away = (p.x - column as f32 - 0.5).hypot(p.y - row as f32 - 0.5);
                        ((diameter / 2.0 - away) * 8.0 + 0.5).clamp(0.0, 1.0)
                    }
                };
            }
        }
        let near = |(from, to, half, _): &Line| distance_to(p, *from, *to) < *half;
        if self.letters.iter().any(near) { 1.0 } else { 0.0 }
    }

    fn dulled(&self, p: Point) -> bool {
        let along = (p.x + 0.35 * p.y) / (self.matrix.width() as f32 * 1.35);
        along < self.scene.abrasion + 0.25 * (cloud(self.seed ^ 4, p.x / 3.0, p.y / 3.0) - 0.5)
    }

    fn broken_off(&self, p: Point) -> bool {
        let reach = self.scene.missing * self.matrix.width() as f32;
        let corner = (p.x - self.edges[0]) + (p.y - self.edges[1]);
        reach > 0.0 && corner < reach + 1.5 * cloud(self.seed ^ 5, p.x, p.y)
    }

    /// Green solder mask with tracks.
    fn board(&self, p: Point) -> [f32; 3] {
        let track = ((p.x * 0.35 + p.y * 0.1).sin() > 0.93) || ((p.y * 0.27).sin() > 0.96);
        let value = 0.5 + 0.5 * cloud(self.seed ^ 6, p.x / 2.0, p.y / 2.0);
        if track { [0.06 * value, 0.2 * value, 0.09 * value] } else { [0.02 * value, 0.12 * value, 0.05 * value] }
    }
}

/// The photo.
#[must_use]
pub fn simulate(matrix: &Matrix, scene: &Scene, seed: u64) -> RgbImage {
    let package = Package::new(matrix, scene, seed);
    let to_package = camera(&package, scene);
    let (width, height) = scene.size;
    let mut light = vec![[0f32; 3]; width as usize * height as usize];
    let highlight = Point::new(width as f32 * 0.62, height as f32 * 0.38);
    for (y, row) in light.chunks_exact_mut(width as usize).enumerate() {
        for (x, out) in row.iter_mut().enumerate() {
            let mut sum = [0f32; 3];
            for (dx, dy) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
                let seen = package.colour(to_package.apply(Point::new(x as f32 + dx, y as f32 + dy)));
                sum.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += seen / 4.0);
            }
            let lit = 1.0 - scene.uneven * (x as f32 / width as f32 * 0.7 + y as f32 / height as f32 * 0.3);
            let far = Point::new(x as f32, y as f32).distance(highlight) / (height as f32 * 0.14);
            let glare = scene.glare * (-far * far).exp();
            *out = sum.map(|value| value * lit + glare);
        }
    }
    blur(&mut light, width as usize, scene.blur);
    develop(&light, scene, seed)
}

/// The map from the photo to the package: the package's middle in the photo's, turned, tilted and at its scale.
fn camera(package: &Package<'_>, scene: &Scene) -> Homography {
    let [left, top, right, bottom] = package.edges;
    let (middle_x, middle_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let (turn, tilt) = (scene.rotation.to_radians(), scene.tilt.to_radians());
    // Ten times the picture's height away: the perspective of a phone at arm's length.
    let distance = scene.size.1 as f32 * 2.0;
    let project = |p: Point| {
        let (x, y) = ((p.x - middle_x) * scene.pixels_per_module, (p.y - middle_y) * scene.pixels_per_module);
        let (x, y) = (x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos());
        let nearer = 1.0 / (1.0 + y * tilt.sin() / distance);
        Point::new(scene.size.0 as f32 / 2.0 + x * nearer, scene.size.1 as f32 / 2.0 + y * tilt.cos() * nearer)
    };
    let corners = [Point::new(left, top), Point::new(right, top), Point::new(right, bottom), Point::new(left, bottom)];
    Homography::from_points(corners.map(project), corners).unwrap_or_else(|| panic!("a package seen from the side"))
}

/// A Gaussian of this standard deviation, across and down.
fn blur(light: &mut [[f32; 3]], width: usize, sigma: f32) {
    let reach = (sigma * 2.5).ceil() as isize;
    if reach == 0 {
        return;
    }
    let weights: Vec<f32> = (-reach..=reach).map(|i| (-((i * i) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let height = light.len() / width;
    for (dx, dy) in [(1, 0), (0, 1)] {
        let before = light.to_vec();
        for (at, out) in light.iter_mut().enumerate() {
            let (x, y) = ((at % width) as isize, (at / width) as isize);
            let mut sum = [0f32; 3];
            for (weight, i) in weights.iter().zip(-reach..) {
                let x = (x + i * dx).clamp(0, width as isize - 1) as usize;
                let y = (y + i * dy).clamp(0, height as isize - 1) as usize;
                sum.iter_mut().zip(before[y * width + x]).for_each(|(sum, value)| *sum += weight / total * value);
            }
            *out = sum;
        }
    }
}

/// Exposure, noise, and the curve of sRGB.
fn develop(light: &[[f32; 3]], scene: &Scene, seed: u64) -> RgbImage {
    let mut random = Random(seed ^ 0x00CA_3E7A);
    let mut out = RgbImage::new(scene.size.0, scene.size.1);
    for (pixel, value) in out.pixels_mut().zip(light) {
        // The sum of four uniform numbers is close to a normal one.
        let noise = (0..4).map(|_| random.between(-0.87, 0.87)).sum::<f32>() * scene.noise;
        *pixel =
            Rgb(value.map(|v| ((v.clamp(0.0, 1.0).powf(1.0 / 2.2)) * 245.0 + 6.0 + noise).clamp(0.0, 255.0) as u8));
    }
    out
}

/// The photo as a JPEG file of `quality` 1 to 100.
#[must_use]
pub fn jpeg(photo: &RgbImage, quality: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let encoded = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, quality).encode_image(photo);
    encoded.unwrap_or_else(|e| panic!("{e}"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_formats::symbol::{EcLevel, Request, Shape, encode};
    use touchmark_verifier::read::{Luma, Options, read};

    fn read_back(photo: &RgbImage) -> Vec<Vec<u8>> {
        let grey = image::DynamicImage::ImageRgb8(photo.clone()).into_luma8();
        let luma = Luma { width: grey.width() as usize, height: grey.height() as usize, data: grey.into_raw() };
        read(&luma, &Options::default()).into_iter().filter_map(|s| s.decoded.ok()).map(|d| d.bytes).collect()
    }

    #[test]
    fn clean_and_used_marks_are_read_back() {
        let payload: Vec<u8> = (0..84u32).map(|i| (i * 37 % 251) as u8).collect();
        for request in [Request::Qr { ec: EcLevel::M, min_version: 1 }, Request::DataMatrix { shape: Shape::Square }] {
            let matrix = encode(&payload, &request).unwrap().matrix;
            let used = Scene { abrasion: 0.0, soot: 0.04, scratches: 6, ..Scene::worn() };
            let label = Scene { light_on_dark: false, contrast: 0.65, ..used.clone() };
            for scene in [Scene::clean(), used, label] {
                let read = read_back(&simulate(&matrix, &scene, 5));
                assert!(read == std::slice::from_ref(&payload), "{request:?} {scene:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_photo() {
        let matrix = encode(b"seed", &Request::DataMatrix { shape: Shape::Any }).unwrap().matrix;
        let scene = Scene { size: (120, 90), ..Scene::wrecked() };
        assert_eq!(simulate(&matrix, &scene, 1), simulate(&matrix, &scene, 1));
        assert_ne!(simulate(&matrix, &scene, 1), simulate(&matrix, &scene, 2));
    }
}
