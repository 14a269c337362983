//! How much is done.

pub(crate) struct Effort {
    /// All candidates have a turn in each.
    pub(crate) rounds: usize,
    /// Of one turn.
    pub(crate) seconds: f64,
    /// Before the first turn: until Node has compiled what runs often.
    pub(crate) warm_up: f64,
    pub(crate) sign_ins: [usize; 2],
    /// How many sessions to hold.
    pub(crate) held: Vec<usize>,
}

impl Effort {
    pub(crate) fn full() -> Self {
        let held = vec![1_000, 10_000, 100_000, 1_000_000];
        Self { rounds: 9, seconds: 2.0, warm_up: 4.0, sign_ins: [20, 1_000], held }
    }

    /// Enough to see that it works.
    pub(crate) fn quick() -> Self {
        Self { rounds: 2, seconds: 0.3, warm_up: 0.3, sign_ins: [2, 5], held: vec![100, 1_000] }
    }
}
