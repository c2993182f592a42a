//! The proofkey command-line tool.
fn main() {}
