//! The command `partwise`.
fn main() {}
