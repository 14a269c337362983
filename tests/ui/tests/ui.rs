//! Every message of the macro, as a user reads it. `TRYBUILD=overwrite cargo test -p ui` updates the `.stderr` files;
//! read the differences before you commit them.

#[rustversion::attr(not(stable(1.95)), ignore = "the messages are those of rustc 1.95")]
#[test]
fn mistakes_are_reported_with_a_fix() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
