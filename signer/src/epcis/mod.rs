//! The ledger's events as GS1 EPCIS 2.0 documents (JSON-LD), the form in which the trade tells one another what happened to
//! goods; and from such documents.
//!
//! | in the ledger | EPCIS event, with the words of the CBV |
//! | --- | --- |
//! | commissioned | ObjectEvent, ADD, `commissioning`, with the lot as `cbvmda:lotNumber` |
//! | shipped | ObjectEvent, OBSERVE, `shipping`; the customer is the `owning_party` of the destinations, the door its `location` |
//! | handed over | the same, with whoever had the parts as `possessing_party` of the sources |
//! | returned | ObjectEvent, OBSERVE, `receiving`, disposition `returned` |
//! | destroyed | ObjectEvent, DELETE, `destroying` |
//! | corrected | the event once more with an error declaration; of a part of the goods of a shipment, `void_shipping` |
//!
//! A part is an SGTIN where `gtins.csv` has its GTIN, and a URI of the maker's own elsewhere. The document is a label of the
//! ledger's and a business transaction there. What GS1 has no word for (the customer's own record, keys committed to, the
//! signed hand-over) stands in fields of the namespace `touchmark`; with these a document that was exported makes the same
//! events again.

mod articles;
mod document;
mod export;
mod id;
mod import;

pub use export::{Exported, export};
pub use id::{Gln, Gtin};
pub use import::{Imported, import};

use crate::consignees;
use crate::error::Result;
use crate::home::Home;
use crate::pack::{Book, Packed};
use crate::percent;
use articles::Articles;
use std::collections::BTreeMap;
use touchmark_formats::ledger::party::Party;

/// What a maker's home knows of the names that events use.
#[derive(Debug, Clone)]
pub struct Names {
    /// How the maker's own URIs begin.
    base: String,
    articles: Articles,
    customers: BTreeMap<u64, Party>,
    /// The numbers of customers by their location numbers.
    glns: BTreeMap<Gln, u64>,
    /// What is packed in what, and was not opened since.
    packed: Vec<Packed>,
}

impl Names {
    /// Those of `home`, whose ledger is called `origin`.
    ///
    /// # Errors
    /// A table of the home cannot be read.
    pub fn of(home: &Home, origin: &str) -> Result<Self> {
        let packing = home.packing_file();
        // A name may have a port.
        let path: Vec<String> = origin.split('/').map(|piece| percent::encode(piece).replace("%3A", ":")).collect();
        Ok(Self {
            base: format!("https://{}", path.join("/")),
            articles: Articles::read(&home.gtins_file(), |name| home.line_public(name))?,
            customers: consignees::parties(&home.consignees_file())?,
            glns: consignees::glns(&home.consignees_file())?,
            packed: if packing.exists() { whole(&Book::lock(&packing)?) } else { Vec::new() },
        })
    }

    /// The number of the customer whose party or place a URI is.
    fn customer(&self, uri: &str) -> Option<u64> {
        let own = || id::number(uri.strip_prefix(self.base.as_str())?.strip_prefix("/party/")?);
        id::gln(uri).and_then(|gln| self.glns.get(&gln).copied()).or_else(own)
    }

    /// The location number of the customer with this number.
    fn gln(&self, number: u64) -> Option<&Gln> {
        self.glns.iter().find(|(_, own)| **own == number).map(|(gln, _)| gln)
    }
}

fn whole(book: &Book) -> Vec<Packed> {
    book.packed().iter().filter(|packed| packed.opened.is_none()).cloned().collect()
}
