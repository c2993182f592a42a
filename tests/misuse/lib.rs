//! What must not compile: each file of `cases/` says why, and beside it stands what the compiler says.

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
