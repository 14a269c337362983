//! Every message of the macro, as a user reads it. `TRYBUILD=overwrite cargo test -p ui` writes the `.stderr` files
//! anew; read them before you commit them.

#[rustversion::attr(not(stable(1.95)), ignore = "the messages are those of rustc 1.95")]
#[test]
fn wrong_uses_are_told_with_the_fix() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
