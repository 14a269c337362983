use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(max_len = "4096")]
struct AString {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len = -1)]
struct Negative {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len = 18446744073709551616)]
struct Overflowing {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len = 4096u16)]
struct OfAnotherType {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len = 4 * 1024)]
struct ACalculation {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len)]
struct NoValue {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len(4096))]
struct InParentheses {
    session: MemorySession,
}

fn main() {}
