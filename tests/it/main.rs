//! End-to-end and property tests, one module a story.
