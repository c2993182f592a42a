//! The real authorization server of `peers/`, through both adapters. `.ci/run peers` starts it.

fn main() {}
