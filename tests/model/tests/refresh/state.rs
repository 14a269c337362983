//! The store, the provider and the processes.

/// A refresh token: its number in the order of issue.
pub(crate) type Token = usize;

/// Logto accepts a replaced refresh token until then.
pub(crate) const GRACE: u8 = 3;
/// The guard of the sign-in that is refreshed, and that of the next one.
pub(crate) const OURS: u8 = 0;
pub(crate) const NEXT: u8 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "a state is what is true in it")]
pub(crate) struct State {
    /// The record: its guard, or `None` once it has ended.
    pub(crate) guard: Option<u8>,
    /// `None` once it was cleared.
    pub(crate) refresh_token: Option<Token>,
    /// Only the process with `has_lease` knows the value.
    pub(crate) lease: bool,
    /// One that has not expired.
    pub(crate) access_token: bool,
    pub(crate) processes: Vec<Process>,
    /// The provider: how long ago each token was replaced.
    pub(crate) replaced: Vec<Option<u8>>,
    pub(crate) is_revoked: bool,
    pub(crate) signs_out: bool,
    /// The sign-out has returned.
    pub(crate) is_signed_out: bool,
    pub(crate) has_next_sign_in: bool,
    pub(crate) faults: usize,
    /// A fault may have left the session with a replaced refresh token.
    pub(crate) is_harmed: bool,
    /// It was the last fault, and another process was waiting.
    pub(crate) is_watched: bool,
    /// A refresh token was sent again, although the process that had sent it was well.
    pub(crate) has_overlap: bool,
    pub(crate) newest_stored: Token,
    /// How often a process has learned that the grant is revoked.
    pub(crate) refusals: usize,
}

/// A process and its request. Requests of one process take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) phase: Phase,
    /// Of its own lease since it was written, or of another one since it was first seen.
    pub(crate) age: u8,
    pub(crate) has_lease: bool,
    pub(crate) is_stalled: bool,
    /// It has stalled after its request was sent.
    pub(crate) is_late: bool,
    /// The stored refresh token when the request was sent; the new one once that is stored.
    pub(crate) token: Option<Token>,
    /// A stored refresh token, and the one that this process was given for it.
    pub(crate) unstored: Option<(Token, Token)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    #[default]
    Idle,
    Waiting,
    Held,
    Sent,
    /// Sent, and the browser has hung up.
    Abandoned,
    Answered,
    /// The new refresh token is stored. Its access token is not.
    Rotated,
    Refused,
}

impl State {
    pub(crate) fn needs_refresh(&self) -> bool {
        self.guard == Some(OURS) && self.refresh_token.is_some() && !self.access_token
    }

    pub(crate) fn has(&self, token: Option<Token>) -> bool {
        self.guard == Some(OURS) && self.refresh_token == token
    }

    pub(crate) fn replace_record(&mut self, guard: Option<u8>) {
        self.end_lease();
        (self.guard, self.refresh_token, self.access_token) = (guard, guard.map(|_| 0), guard.is_some());
    }

    pub(crate) fn put_lease(&mut self, i: usize) {
        self.end_lease();
        self.lease = true;
        (self.processes[i].has_lease, self.processes[i].age) = (true, 0);
    }

    /// Whoever has seen the lease begins to wait again.
    pub(crate) fn end_lease(&mut self) {
        self.lease = false;
        for process in &mut self.processes {
            process.has_lease = false;
            process.age *= u8::from(process.phase != Phase::Waiting);
        }
    }

    pub(crate) fn finish(&mut self, i: usize) {
        if self.processes[i].has_lease {
            self.end_lease();
        }
        self.processes[i] = Process { unstored: self.processes[i].unstored, ..Process::default() };
    }

    /// Makes states equal that differ in nothing that matters: in tokens that nobody has, and in which process is which.
    pub(crate) fn forget(&mut self) {
        let mut known: Vec<_> = self.refresh_token.into_iter().collect();
        known.extend(self.processes.iter().filter_map(|process| process.token));
        for process in &mut self.processes {
            process.unstored = process.unstored.filter(|(stored, _)| known.contains(stored));
        }
        known.extend(self.processes.iter().filter_map(|process| process.unstored).map(|(_, newest)| newest));
        for (token, age) in self.replaced.iter_mut().enumerate() {
            *age = if known.contains(&token) { *age } else { Some(GRACE) };
        }
        self.processes.sort();
    }
}

impl Process {
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.phase, Phase::Sent | Phase::Abandoned)
    }

    pub(crate) fn is_renewal_due(&self) -> bool {
        self.has_lease && self.is_sending() && self.age > 0 && !self.is_stalled
    }
}
