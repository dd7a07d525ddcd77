//! DXF for marking lasers: ASCII, AutoCAD release 12, which every laser program reads; millimetres, y up.
//!
//! What is drawn is what the laser marks: the modules that ordinary print makes dark. On moulding compound these turn
//! light, on white ceramic dark, so polarity makes no difference here, and there is no background. Layer MODULES holds
//! closed polylines to be hatched, outlines of areas and of the holes in them, which never cross and share no edge, so
//! that nothing is burnt twice; or a circle for each dot. Layer TEXT holds open polylines to be followed once.

use super::layout::{Drawing, Modules, Page, Point};
use super::number::push_mm;

pub(crate) fn write(page: &Page) -> String {
    let mut dxf = Dxf { out: String::new(), height: page.height };
    dxf.header(page);
    dxf.layers();
    dxf.start_section("ENTITIES");
    page.drawings.iter().for_each(|drawing| dxf.drawing(drawing));
    dxf.code(0, "ENDSEC");
    dxf.code(0, "EOF");
    dxf.out
}

/// Writes pairs of a group code and its value, a line each.
struct Dxf {
    out: String,
    height: f64,
}

impl Dxf {
    fn header(&mut self, page: &Page) {
        self.start_section("HEADER");
        self.variable("$ACADVER", 1, "AC1009");
        // Newer than release 12, and still what programs look for to tell millimetres from inches.
        self.variable("$INSUNITS", 70, "4");
        self.code(9, "$EXTMIN");
        self.point(10, (0.0, page.height));
        self.code(9, "$EXTMAX");
        self.point(10, (page.width, 0.0));
        self.code(0, "ENDSEC");
    }

    fn layers(&mut self) {
        self.start_section("TABLES");
        self.code(0, "TABLE");
        self.code(2, "LAYER");
        self.code(70, "2");
        for (name, colour) in [("MODULES", "7"), ("TEXT", "3")] {
            self.code(0, "LAYER");
            self.code(2, name);
            self.code(70, "0");
            self.code(62, colour);
            self.code(6, "CONTINUOUS");
        }
        self.code(0, "ENDTAB");
        self.code(0, "ENDSEC");
    }

    fn drawing(&mut self, drawing: &Drawing) {
        match &drawing.modules {
            Modules::Squares(area) => {
                area.outlines().iter().for_each(|corners| self.polyline("MODULES", corners, true))
            }
            Modules::Dots { centres, radius } => centres.iter().for_each(|centre| self.circle(*centre, *radius)),
        }
        drawing.text.iter().for_each(|stroke| self.polyline("TEXT", stroke, false));
    }

    fn polyline(&mut self, layer: &str, points: &[Point], closed: bool) {
        self.entity("POLYLINE", layer);
        self.code(66, "1");
        self.point(10, (0.0, self.height));
        self.code(70, if closed { "1" } else { "0" });
        for point in points {
            self.entity("VERTEX", layer);
            self.point(10, *point);
        }
        self.entity("SEQEND", layer);
    }

    fn circle(&mut self, centre: Point, radius: f64) {
        self.entity("CIRCLE", "MODULES");
        self.point(10, centre);
        self.number(40, radius);
    }

    fn start_section(&mut self, name: &str) {
        self.code(0, "SECTION");
        self.code(2, name);
    }

    fn variable(&mut self, name: &str, code: u16, value: &str) {
        self.code(9, name);
        self.code(code, value);
    }

    fn entity(&mut self, kind: &str, layer: &str) {
        self.code(0, kind);
        self.code(8, layer);
    }

    /// A point of the page, whose y axis runs down.
    fn point(&mut self, code: u16, (x, y): Point) {
        self.number(code, x);
        self.number(code + 10, self.height - y);
        self.number(code + 20, 0.0);
    }

    fn number(&mut self, code: u16, mm: f64) {
        self.out.push_str(&format!("{code}\n"));
        push_mm(&mut self.out, mm);
        self.out.push('\n');
    }

    fn code(&mut self, code: u16, value: &str) {
        self.out.push_str(&format!("{code}\n{value}\n"));
    }
}
