//! The map of serials in pages: see the module's head.

use super::kept::Wanted;
use super::rules::Segment;
use super::store::{Ledger, strange};
use crate::error::Result;
use crate::line::store::Row;
use std::collections::BTreeMap;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::{EMPTY_MAP, MapLeaf, MapProof, Place, Step, Subtree, join, way};
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::mark::Serial;

/// Bits of a serial that a page decides on.
const BITS: u32 = 4;
/// Bits of a serial that the topmost block of a line leaves open: all 53, in whole pages.
const TOP: u32 = 56;
/// A block with more ranges than this has a page.
pub(super) const FEW: u64 = 16;
/// Ranges read together where there are no pages yet.
const MANY: u64 = 4096;

/// What is known of a part of the map without its ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) hash: Hash,
}

/// The 16 parts of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page([Option<Summary>; 16]);

/// Serials that agree in all but their lowest `open` bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    line: u64,
    open: u32,
    first: u64,
}

impl Block {
    fn whole(line: u64) -> Self {
        Self { line, open: TOP, first: 0 }
    }

    fn last(self) -> u64 {
        (self.first | ((1 << self.open) - 1)).min(Serial::MAX)
    }

    /// The number of its page: the bits that are decided, after a 1.
    fn number(self) -> u64 {
        1 << (10 + TOP - self.open) | self.line << (TOP - self.open) | self.first >> self.open
    }

    /// Which of its parts holds `serial`, and that part.
    fn part(self, serial: u64) -> (usize, Self) {
        let open = self.open - BITS;
        ((serial >> open) as usize & 15, Self { open, first: serial >> open << open, ..self })
    }
}

impl Page {
    fn summary(&self, line: KeyBytes) -> Option<Summary> {
        let parts = self.subtrees(line);
        let count = self.0.iter().flatten().map(|part| part.count).sum();
        join(&parts).map(|tree| Summary { count, first: tree.first.serial.get(), hash: tree.hash })
    }

    fn subtrees(&self, line: KeyBytes) -> Vec<Subtree> {
        self.0.iter().flatten().filter_map(|part| subtree(line, part.first, part.hash)).collect()
    }

    /// Two bytes of which parts there are; then for each its count, its first serial and its hash.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let there = self.0.iter().rev().fold(0u16, |bits, part| bits << 1 | u16::from(part.is_some()));
        let mut out = there.to_be_bytes().to_vec();
        for part in self.0.iter().flatten() {
            out.extend(part.count.to_be_bytes());
            out.extend(part.first.to_be_bytes());
            out.extend(part.hash);
        }
        out
    }

    pub(super) fn from_bytes(body: &[u8]) -> Option<Self> {
        let (there, mut rest) = body.split_first_chunk()?;
        let there = u16::from_be_bytes(*there);
        let mut page = Self::default();
        for (bit, part) in page.0.iter_mut().enumerate() {
            if there >> bit & 1 == 1 {
                let (count, after) = rest.split_first_chunk()?;
                let (first, after) = after.split_first_chunk()?;
                let (hash, after) = after.split_first_chunk()?;
                let (count, first) = (u64::from_be_bytes(*count), u64::from_be_bytes(*first));
                *part = Some(Summary { count, first, hash: *hash });
                rest = after;
            }
        }
        rest.is_empty().then_some(page)
    }
}

fn subtree(line: KeyBytes, first: u64, hash: Hash) -> Option<Subtree> {
    Some(Subtree { first: Place { line, serial: Serial::new(first)? }, hash })
}

/// The leaf of the map for a segment.
pub(super) fn leaf(line: KeyBytes, segment: &Segment) -> Result<MapLeaf> {
    let serials = Serial::new(segment.first).zip(Serial::new(segment.last));
    let (first, last) = serials.ok_or_else(|| strange("serials"))?;
    Ok(MapLeaf { line, serials: SerialRange { first, last }, index: segment.record, entry: segment.entry })
}

/// Where the map is made from and kept: the store, or the memory of an audit.
pub(super) trait Shelf {
    /// The public key of a line.
    fn key(&self, line: u64) -> Result<KeyBytes>;

    /// At most `limit` segments of a line that begin from `first` to `last`, in rising order.
    fn ranges(&mut self, line: u64, first: u64, last: u64, limit: u64) -> Result<Vec<Segment>>;

    /// A page that was put there before.
    fn page(&mut self, number: u64) -> Result<Page>;

    /// Puts a page there.
    fn put(&mut self, number: u64, page: Page);
}

/// Brings the part of the map that is `line`'s up to date: `changed` are the serials at which ranges begin that were not
/// there before, or end elsewhere; `before` is what it was.
pub(super) fn update(shelf: &mut dyn Shelf, line: u64, before: u64, changed: &[u64]) -> Result<Option<Summary>> {
    renew(shelf, Block::whole(line), before > FEW, changed)
}

fn renew(shelf: &mut dyn Shelf, block: Block, has_page: bool, changed: &[u64]) -> Result<Option<Summary>> {
    let mut page = if has_page {
        shelf.page(block.number())?
    } else {
        let segments = shelf.ranges(block.line, block.first, block.last(), MANY)?;
        if (segments.len() as u64) < MANY {
            return build(shelf, block, &segments);
        }
        Page::default()
    };
    let all: Vec<u64> = (0..16).map(|n| block.first + (n << (block.open - BITS))).collect();
    // A block that had no page yet is made from all its parts.
    let changed = if has_page { changed } else { &all };
    for some in changed.chunk_by(|a, b| block.part(*a).0 == block.part(*b).0) {
        let Some((at, part)) = some.first().map(|serial| block.part(*serial)) else { continue };
        let Some(own) = page.0.get_mut(at) else { continue };
        if part.first <= Serial::MAX {
            *own = renew(shelf, part, own.is_some_and(|own| own.count > FEW), some)?;
        }
    }
    let summary = page.summary(shelf.key(block.line)?);
    shelf.put(block.number(), page);
    Ok(summary)
}

/// Makes a part of the map from all its segments.
fn build(shelf: &mut dyn Shelf, block: Block, segments: &[Segment]) -> Result<Option<Summary>> {
    let key = shelf.key(block.line)?;
    if segments.len() as u64 <= FEW {
        let parts = segments.iter().map(|s| leaf(key, s).map(|leaf| leaf.subtree())).collect::<Result<Vec<_>>>()?;
        let count = segments.len() as u64;
        return Ok(join(&parts).map(|tree| Summary { count, first: tree.first.serial.get(), hash: tree.hash }));
    }
    let mut page = Page::default();
    for some in segments.chunk_by(|a, b| block.part(a.first).0 == block.part(b.first).0) {
        let Some((at, part)) = some.first().map(|segment| block.part(segment.first)) else { continue };
        if let Some(own) = page.0.get_mut(at) {
            *own = build(shelf, part, some)?;
        }
    }
    let summary = page.summary(key);
    shelf.put(block.number(), page);
    Ok(summary)
}

/// Pages put on the shelf, and not in the store yet.
pub(super) struct Writing<'a> {
    ledger: &'a mut Ledger,
    pages: BTreeMap<u64, Page>,
}

impl<'a> Writing<'a> {
    pub(super) fn new(ledger: &'a mut Ledger) -> Self {
        Self { ledger, pages: BTreeMap::new() }
    }

    /// The rows of the pages.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.pages.into_iter().map(|(number, page)| vec![number.into(), page.to_bytes().as_slice().into()]).collect()
    }
}

impl Shelf for Writing<'_> {
    fn key(&self, line: u64) -> Result<KeyBytes> {
        let line = self.ledger.lines.get(line as usize);
        line.map(|line| line.public).ok_or_else(|| strange("a line"))
    }

    fn ranges(&mut self, line: u64, first: u64, last: u64, limit: u64) -> Result<Vec<Segment>> {
        self.ledger.segments(line, first, last, limit)
    }

    fn page(&mut self, number: u64) -> Result<Page> {
        let bodies = self.ledger.bodies("ledger_page", &[number])?;
        let page = bodies.get(&number).and_then(|body| Page::from_bytes(body));
        page.ok_or_else(|| strange("a page of the map"))
    }

    fn put(&mut self, number: u64, page: Page) {
        self.pages.insert(number, page);
    }
}

impl Ledger {
    /// What the map says of a serial, as of the last checkpoint, with the proof.
    ///
    /// # Errors
    /// The store failed.
    pub fn map_proof(&mut self, place: &Place) -> Result<MapProof> {
        let mut lines: Vec<(usize, Subtree)> =
            self.lines.iter().enumerate().filter_map(|(n, line)| Some((n, line.subtree()?))).collect();
        lines.sort_by_key(|(_, tree)| tree.first.line);
        let trees: Vec<Subtree> = lines.iter().map(|(_, tree)| *tree).collect();
        let Some((at, top)) = way(&trees, place) else { return Ok(EMPTY_MAP) };
        let Some((number, tree)) = lines.get(at) else { return Err(strange("a line")) };
        let (key, line) = (tree.first.line, *number as u64);
        // Within the line the way ends at the last range that begins at the place or before, else at the first.
        let own = if place.line == key {
            place.serial.get()
        } else if place.line < key {
            0
        } else {
            Serial::MAX
        };
        // A block without a page has few ranges, so that all of them are among so many about the one.
        let about = self.segments_about(line, own)?.to_vec();
        let target = about.iter().rfind(|segment| segment.first <= own).map_or(tree.first.serial.get(), |s| s.first);
        let (block, mut steps) = self.way_in(line, key, target)?;
        let segments = about.iter().filter(|segment| (block.first..=block.last()).contains(&segment.first));
        let leaves = segments.map(|segment| leaf(key, segment)).collect::<Result<Vec<_>>>()?;
        let parts: Vec<Subtree> = leaves.iter().map(MapLeaf::subtree).collect();
        let target = Place { line: key, serial: Serial::new(target).ok_or_else(|| strange("a serial"))? };
        let (at, mut lowest) = way(&parts, &target).ok_or_else(|| strange("a range"))?;
        lowest.append(&mut steps);
        lowest.extend(top);
        Ok(MapProof { leaf: leaves.into_iter().nth(at), steps: lowest })
    }

    /// The smallest block that holds the range that begins at `target` and has no page, and the branches above it.
    fn way_in(&mut self, line: u64, key: KeyBytes, target: u64) -> Result<(Block, Vec<Step>)> {
        let place = Place { line: key, serial: Serial::new(target).ok_or_else(|| strange("a serial"))? };
        let numbers = self.pages_to(line, target);
        let has_pages = !numbers.is_empty();
        let kept = self.keep(&Wanted { pages: numbers.into_iter().collect(), ..Wanted::default() })?;
        let mut block = Block::whole(line);
        let mut steps = Vec::new();
        let mut count = if has_pages { FEW + 1 } else { 0 };
        while count > FEW {
            let page = kept.pages.get(&block.number()).and_then(|body| Page::from_bytes(body));
            let page = page.ok_or_else(|| strange("a page of the map"))?;
            let (_, mut own) = way(&page.subtrees(key), &place).ok_or_else(|| strange("a page of the map"))?;
            own.append(&mut steps);
            steps = own;
            let (at, part) = block.part(target);
            count = page.0.get(at).copied().flatten().map_or(0, |part| part.count);
            block = part;
        }
        Ok((block, steps))
    }

    /// The numbers of the pages that may stand on the way to a range; none where a line has no pages.
    pub(super) fn pages_to(&self, line: u64, target: u64) -> Vec<u64> {
        if self.lines.get(line as usize).is_none_or(|line| line.count <= FEW) {
            return Vec::new();
        }
        let ways =
            std::iter::successors(Some(Block::whole(line)), |block| (block.open > BITS).then(|| block.part(target).1));
        ways.map(Block::number).collect()
    }
}
