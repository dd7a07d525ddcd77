//! End-to-end and property tests, one module a story.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test stops where its premise fails.

mod bags;
mod batch;
mod case;
mod cosigned;
mod docs;
mod grading;
mod ledger;
mod matching;
mod properties;
mod reading;
mod recovering;
mod refusals;
mod second;
mod signatures;
mod spark;
mod spec;
mod trail;
mod typed;
mod vectors;
mod verdicts;
