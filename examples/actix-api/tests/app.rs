//! The API as its clients meet it: the real program, over HTTP.

use std::process::ExitCode;

use servers::{ApiExample, Trials};

struct Program;

impl ApiExample for Program {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_actix-api");
}

fn main() -> ExitCode {
    servers::run(Trials::new().api_example::<Program>())
}
