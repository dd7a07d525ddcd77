//! The test kit: worn photos of marks, temporary makers, runners of both binaries.
