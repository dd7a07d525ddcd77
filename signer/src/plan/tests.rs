use super::*;
use proptest::prelude::*;

fn request(bytes: &[usize], packages: &[&str]) -> Request {
    let packages = packages.iter().map(|name| Package::parse(name, KEEP_OUT_MM).unwrap()).collect();
    Request { payload_bytes: bytes.to_vec(), module_mm: 0.1, ec: Some(EcLevel::M), packages }
}

fn find<'a>(rows: &'a [Row], bytes: usize, symbol: &str) -> &'a Row {
    rows.iter().find(|row| row.payload_bytes == bytes && row.symbol == symbol).unwrap()
}

/// The sizes that the format study promises for the usual marks at 0.10 mm a module.
#[test]
fn sizes_of_the_usual_marks() {
    let rows = plan(&request(&[84, 96], &[])).unwrap();
    for (bytes, symbol, width, height, spare) in [
        (84, "QR 5-M", 4.5, 4.5, 0),
        (84, "36x36", 3.8, 3.8, 0),
        (84, "26x48", 5.0, 2.8, 4),
        (96, "QR 6-M", 4.9, 4.9, 10),
        (96, "40x40", 4.2, 4.2, 16),
        (96, "24x64", 6.6, 2.6, 10),
    ] {
        let row = find(&rows, bytes, symbol);
        assert_eq!((row.width_mm, row.height_mm, row.spare_bytes), (width, height, spare), "{symbol}");
    }
}

#[test]
fn damage_tolerance_is_that_of_the_size_tables() {
    let rows = plan(&request(&[96], &[])).unwrap();
    // 40x40: 114 data and 48 correction codewords.
    assert_eq!(find(&rows, 96, "40x40").errors_share, rounded(24.0 / 162.0, 1e4));
    // 6-M: 4 blocks of 27 and 16 codewords.
    assert_eq!(find(&rows, 96, "QR 6-M").erasures_share, rounded(64.0 / 172.0, 1e4));
}

#[test]
fn packages_are_tried_in_both_orientations() {
    let rows = plan(&request(&[84], &["SOIC-8", "qfn3x3", "3.9 x 4.9 mm", "BGA 10x10"])).unwrap();
    let fits = |symbol: &str| find(&rows, 84, symbol).packages.clone();
    let [soic, qfn, upright, bga] = &fits("26x48")[..] else { panic!("four packages") };
    // 5.0 x 2.8 mm on 4.5 x 3.5 mm.
    assert_eq!((soic.fits, soic.turned, soic.largest_module_mm), (false, false, 0.09));
    assert_eq!((upright.fits, upright.turned, upright.largest_module_mm), (false, true, 0.09));
    assert_eq!((qfn.fits, qfn.largest_module_mm), (false, 0.052));
    assert_eq!((bga.fits, bga.largest_module_mm), (true, 0.192));
    assert!(!fits("36x36")[0].fits);
    assert_eq!(fits("36x36")[0].largest_module_mm, 0.092);
}

#[test]
fn no_rectangle_is_listed_that_another_beats() {
    let rows = plan(&request(&[20], &[])).unwrap();
    let rectangles: Vec<_> = rows.iter().filter(|row| row.rows != row.columns).collect();
    for a in &rectangles {
        let beaten =
            |b: &&&Row| b.rows <= a.rows && b.columns <= a.columns && b.symbol != a.symbol && (a.dmre || !b.dmre);
        assert!(!rectangles.iter().any(|b| beaten(&b)), "{}", a.symbol);
    }
    assert!(rectangles.iter().any(|row| !row.dmre) && rectangles.iter().any(|row| row.dmre));
}

#[test]
fn packages_by_name_and_by_size() {
    assert_eq!(Package::parse("soic8", 0.2).unwrap().usable_mm(), (4.5, 3.5));
    assert_eq!(Package::parse("5x4", 0.0).unwrap().body_mm, (5.0, 4.0));
    assert_eq!(Package::parse("SOIC-9", 0.2), Err(PlanError::UnknownPackage("SOIC-9".into())));
    assert!(matches!(Package::parse("NaNx3", 0.2), Err(PlanError::PackageSize(..))));
    assert_eq!(Package::parse("3x-3", 0.2), Err(PlanError::PackageSize(3.0, -3.0)));
    assert_eq!(Package::parse("3x3", 1.5), Err(PlanError::PackageSize(3.0, 3.0)));
    assert_eq!(Package::parse("3x3", -1.0), Err(PlanError::PackageSize(3.0, 3.0)));
    for known in PACKAGES {
        assert_eq!(Package::parse(known.name, 0.2).unwrap().body_mm, known.body_mm);
    }
}

#[test]
fn the_table_is_aligned() {
    let text = table(&plan(&request(&[84], &["SOIC-8"])).unwrap());
    let expected = "\
bytes  symbol             modules  size in mm   spare  errors  erasures  SOIC-8
84     QR 5-M             37 x 37  4.50 x 4.50  0      17.9 %  35.8 %    no, up to 0.077
84     DMRE 26x48         48 x 26  5.00 x 2.80  4      15.9 %  31.8 %    no, up to 0.090
84     Data Matrix 36x36  36 x 36  3.80 x 3.80  0      16.4 %  32.8 %    no, up to 0.092
84     DMRE 24x64         64 x 24  6.60 x 2.60  22     14.9 %  29.9 %    no, up to 0.068
";
    assert_eq!(text, expected);
    assert_eq!(table(&[]).lines().count(), 1);
}

#[test]
fn rows_are_json() {
    let rows = plan(&request(&[96], &["BGA 10x10"])).unwrap();
    let json = serde_json::to_value(find(&rows, 96, "40x40")).unwrap();
    assert_eq!(json["symbology"], "DataMatrix");
    assert_eq!(json["width_mm"], 4.2);
    assert_eq!(json["packages"][0]["fits"], true);
}

proptest! {
    /// What fits at a module size fits at every smaller one, and at the largest it reports.
    #[test]
    fn largest_module_is_where_fitting_ends(width in 1.0_f64..15.0, height in 1.0_f64..15.0, bytes in 1_usize..400) {
        let package = Package::parse(&format!("{width:.2}x{height:.2}"), KEEP_OUT_MM).unwrap();
        let usable = package.usable_mm();
        let asked = Request { payload_bytes: vec![bytes], module_mm: 0.1, ec: None, packages: vec![package] };
        for row in plan(&asked).unwrap() {
            let fit = &row.packages[0];
            let scale = fit.largest_module_mm / 0.1;
            let (w, h) = (row.width_mm * scale, row.height_mm * scale);
            let (w, h) = if fit.turned { (h, w) } else { (w, h) };
            prop_assert!(w <= usable.0 + 1e-3 && h <= usable.1 + 1e-3, "{row:?}");
            prop_assert_eq!(fit.fits, fit.largest_module_mm >= 0.1, "{:?}", row);
        }
    }
}
