//! The line: marks issued at marking time, each serial once, between the MES and the laser, label printer or inkjet.
//!
//! ```text
//! TCP, Unix socket, standard input, ... -> Request -> Desk -> service::Line -> Issuer -> Store, Witness
//!                                       <- Answer  <-      <-               <-
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | [`store`] | serials on record, in SQLite or PostgreSQL |
//! | [`witness`] | how far an issuer got, kept apart from the store |
//! | [`newest`] | whether a store is not an older copy of itself |
//! | [`issuer`] | the rules: limits first, sign, check the signature, put on record, answer; one commit for all who wait |
//! | [`audit`] | the journal checked from end to end |
//! | [`recover`] | going on after the store was put back from a backup |
//! | [`service`] | the thread that owns the issuer, and the handle to it |
//! | [`recipe`] | what marks of a product look like |
//! | [`protocol`] | requests and answers, as JSON Lines have them |
//! | [`plain`] | the same for controllers that know no JSON |
//! | [`desk`] | requests to jobs, marks to answers, and the line's status |
//! | [`adapters`] | HTTP, a hot folder, MQTT |
//! | [`stages`] | where the time of a request goes |
//! | [`stream`] | adapters for whatever carries lines: sockets, standard input |
//! | [`log`] | what happens, as lines of JSON |
//!
//! # How an adapter plugs in
//!
//! An adapter (a socket, a folder of files, a broker) turns what it reads into [`protocol::Request`]s, hands each to its
//! clone of the [`desk::Desk`] with [`desk::Desk::submit`], and gets a [`desk::Pending`] at once; [`desk::Pending::wait`]
//! gives the [`protocol::Answer`] when its marks are durable. An adapter that keeps the pending ones in the order in
//! which it submitted them has its answers in order. It watches [`stop::Stop`], takes nothing more once that is set,
//! finishes what is pending, and drops its desk: when the last one is gone, the line gives back what it had reserved.
//!
//! Nothing that an adapter does can issue a serial twice. What it must see to itself: each request that may be repeated
//! has an `id`, unique within its `client`, so that asking again after a lost answer gets the same marks.

pub mod adapters;
pub mod audit;
pub mod desk;
pub mod issuer;
pub mod log;
pub mod newest;
pub mod plain;
pub mod protocol;
pub mod recipe;
pub mod recover;
pub mod service;
pub mod stages;
pub mod stop;
pub mod store;
pub mod stream;
pub mod witness;
