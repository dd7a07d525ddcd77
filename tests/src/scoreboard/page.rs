//! The page docs/reading.md: targets, counts, ladders, times.

use super::Result;
use super::marks::WITH_PRINT;
use super::tables::{
    REAL_DATA_MATRIX, REAL_QR, RIG_DATA_MATRIX, RIG_QR, by_kind, by_set, ladder, mean_times, reads, times,
};
use std::fmt::Write;

/// What one run measured.
#[derive(Debug)]
pub struct Run<'a> {
    /// The photos, and what each column made of them.
    pub photos: &'a [Result],
    /// Names of the columns.
    pub columns: &'a [String],
    /// The ladder of our own marks, and what each column made of it.
    pub ladder: &'a [Result],
    /// Names of its columns.
    pub ladder_columns: &'a [String],
    /// Which part of the ladder this is.
    pub plan: &'a str,
    /// The table of clean photos.
    pub clean: &'a str,
    /// The command that makes the page.
    pub command: &'a str,
}

/// Photos that should be read: kind, at normal effort, at forensic effort.
const TARGETS: [(&str, usize, usize); 4] =
    [(REAL_QR, 345, 358), (REAL_DATA_MATRIX, 46, 49), (RIG_QR, 135, 155), (RIG_DATA_MATRIX, 125, 145)];
/// Shares of the ladder of our own marks that should be read, in percent.
const LADDER_TARGETS: (usize, usize) = (70, 80);

const OURS: &str = "touchmark";
const FORENSIC: &str = "touchmark, forensic";
const BEST_PEER: &str = "zxing-cpp";

impl Run<'_> {
    /// The page.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page =
            format!("# What is read, beside other readers\n\nWritten by `{}`.\n\n{INTRODUCTION}", self.command);
        page += "\n## Targets\n\n";
        page += &self.targets();
        page += "\n## Photos read\n\nBy kind:\n\n";
        page += &reads(self.photos, self.columns, by_kind);
        page += "\nBy set:\n\n";
        page += &reads(self.photos, self.columns, by_set);
        page += &self.rig();
        page += &self.own_marks();
        page += &self.time();
        page
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn targets(&self) -> String {
        let mut out = String::from(
            "| | photos | best peer | normal: target | read | forensic: target | read |\n| --- | --: | --: | --: | --: | --: | --: |\n",
        );
        let read = |kind: &str, column: usize| {
            self.photos.iter().filter(|r| by_kind(r).is_some_and(|k| k == kind) && r.read(column)).count()
        };
        for (kind, normal, forensic) in TARGETS {
            let photos = self.photos.iter().filter(|r| by_kind(r).is_some_and(|k| k == kind)).count();
            let peers = self.columns.iter().enumerate().filter(|(_, name)| !name.starts_with(OURS));
            let best = peers.map(|(column, name)| (read(kind, column), name)).max_by_key(|(read, _)| *read);
            let best = best.map_or("-".into(), |(read, name)| format!("{name} {read}"));
            let ours = |name: &str| self.column(name).map_or("-".into(), |column| read(kind, column).to_string());
            let _ = writeln!(
                out,
                "| {kind} | {photos} | {best} | {normal} | {} | {forensic} | {} |",
                ours(OURS),
                ours(FORENSIC)
            );
        }
        for (marks, symbology) in [("all", ""), ("QR Code", "QRCode"), ("Data Matrix", "DataMatrix")] {
            let share = |name: &str| self.ladder_share(name, symbology);
            let photos = self.ladder.iter().filter(|r| r.photo.symbology().starts_with(symbology)).count();
            let _ = writeln!(
                out,
                "| our own marks, {marks} | {photos} | {BEST_PEER} {} | {} % | {} | {} % | {}; {} with the print |",
                share(BEST_PEER),
                LADDER_TARGETS.0,
                share(OURS),
                LADDER_TARGETS.1,
                share(FORENSIC),
                share(WITH_PRINT)
            );
        }
        out + &self.time_targets()
    }

    /// The share of the ladder that a reader reads, of the symbologies whose name begins so.
    fn ladder_share(&self, name: &str, symbology: &str) -> String {
        let Some(column) = self.ladder_columns.iter().position(|column| column == name) else { return "-".into() };
        let photos = || self.ladder.iter().filter(|r| r.photo.symbology().starts_with(symbology));
        let (read, all) = (photos().filter(|r| r.read(column)).count(), photos().count());
        format!("{:.1} %", 100.0 * read as f64 / all.max(1) as f64)
    }

    /// Mean times over the photos that the best peer reads.
    fn time_targets(&self) -> String {
        let Some(peer) = self.column(BEST_PEER) else { return String::new() };
        let means = mean_times(self.photos, self.columns.len(), peer);
        let peer_ms = means.get(peer).copied().unwrap_or_default();
        let ratio = |name: &str| {
            let ms = self.column(name).and_then(|column| means.get(column)).copied().unwrap_or_default();
            format!("{ms:.1} ms, {:.2} times its own", ms / peer_ms.max(1e-9))
        };
        format!(
            "\nMean time over the photos that {BEST_PEER} reads: {BEST_PEER} {peer_ms:.1} ms; normal effort {} (target 1.5), \
             quick effort {} (target 1.0).\n",
            ratio(OURS),
            ratio("touchmark, quick")
        )
    }

    /// Levels of wear of generic symbols.
    fn rig(&self) -> String {
        let named = [("touchmark", "normal"), ("touchmark, forensic", "forensic"), (BEST_PEER, BEST_PEER)];
        let columns: Vec<(usize, &str)> =
            named.iter().filter_map(|(column, short)| Some((self.column(column)?, *short))).collect();
        let mut out = String::from("\n## Rendered chips by kind and level of wear\n\n");
        let names: Vec<&str> = columns.iter().map(|(_, name)| *name).collect();
        let _ = writeln!(
            out,
            "Generic symbols, without a signature to judge by. Each cell: photos read by {}; then the level up to which each \
             reads half.\n",
            names.join(", ")
        );
        for symbology in ["QRCode", "DataMatrix"] {
            let _ = writeln!(out, "{symbology}:\n\n{}", ladder(self.photos, &columns, symbology));
        }
        out
    }

    fn own_marks(&self) -> String {
        let mut out = format!(
            "## Our own marks by kind and level of wear\n\n{OWN_MARKS}Which of it: {}.\n\n{}",
            self.plan,
            reads(self.ladder, self.ladder_columns, |result| Some(result.photo.symbology().to_owned()))
        );
        let named = [
            ("touchmark", "normal"),
            ("touchmark, forensic", "forensic"),
            (WITH_PRINT, "print"),
            (BEST_PEER, BEST_PEER),
        ];
        let place = |name: &str| self.ladder_columns.iter().position(|column| column == name);
        let columns: Vec<(usize, &str)> =
            named.iter().filter_map(|(column, short)| Some((place(column)?, *short))).collect();
        let names: Vec<&str> = columns.iter().map(|(_, name)| *name).collect();
        let _ = writeln!(out, "\nEach cell: photos read by {}.\n", names.join(", "));
        for symbology in ["QRCode", "DataMatrix"] {
            let _ = writeln!(out, "{symbology}:\n\n{}", ladder(self.ladder, &columns, symbology));
        }
        out
    }

    fn time(&self) -> String {
        let mut out = String::from("## Time\n\nMean / median / longest milliseconds a photo:\n\n");
        out += &times(self.photos, self.columns, by_kind);
        out += "\nMean milliseconds over the photos that a reader reads:\n\n";
        let _ = writeln!(out, "| photos that are read by | {} |", self.columns.join(" | "));
        let _ = writeln!(out, "| --- |{}", " --: |".repeat(self.columns.len()));
        for (over, name) in self.columns.iter().enumerate() {
            let means: Vec<String> = mean_times(self.photos, self.columns.len(), over)
                .into_iter()
                .map(|ms| if ms > 0.0 { format!("{ms:.1}") } else { "-".into() })
                .collect();
            let _ = writeln!(out, "| {name} | {} |", means.join(" | "));
        }
        let _ = writeln!(
            out,
            "\nClean photos of 12 megapixels, and one without a symbol, from file to content:\n\n{}",
            self.clean
        );
        out
    }
}

const INTRODUCTION: &str = "\
All readers see the same photo in turn, in one run, which may have been stopped and taken up again, the picture being in
memory. They are asked for QR Code and Data Matrix only, at their most thorough settings; opencv, zbar and rqrr read no Data
Matrix, libdmtx nothing else and for at most half a second a photo. A peer that crashes on a photo or takes more than 20 s has
not read it. Forensic effort is the normal one and, where that read nothing, more: its time on other photos is that of the
normal one. Times are those of the machine as it was; of one with nothing else to do they stand in
[measurements.md](measurements.md). Photos are those of `TOUCHMARK_PHOTOS`; they, the rig that renders wear, and the other
readers are no part of the project.

A number is that of the photos of which a symbol was read right; in brackets, contents that the photo's list of contents does
not name. Ours at normal effort were all looked at, and stand in the photos: boofcv-brightness/image010, -curved/image020,
-rotations/image039 and -bright_spots/image031 show further symbols that their lists leave out; boofcv-blurred/image005 has one
whose text is cut in the list; boofdata-microqr/image03 has a Micro QR Code with its \"2\" printed under it; zxing-qrcode-2/13.png
says \"photography\" where its list says \"photograph\".
";

const OWN_MARKS: &str = "\
12 QR Codes (5-L, 5-M, 6-L, 6-M, 7-Q) and 12 Data Matrices (36x36, 40x40, 24x64, 26x48) of test makers, with real
signatures, under wear of the levels 0 to 10, one kind at a time. Ours has the makers' trust bundle in hand, and a mark
counts as read when its signature is proven; the last of ours also knows the part and the lot printed beside the mark. The
others count when they give the mark's bytes.
";
