//! What the processes, the provider and the browser do.

use stateright::{Model, Property};

use crate::properties;
use crate::state::{GRACE, NEXT, OURS, Phase, Process, State};

/// Ages are in ticks of a second. A waiter takes the lease that it has seen for so long.
const TAKEOVER: u8 = 2;
/// A request is sent under a lease that is not older.
const MAX_AGE: u8 = 1;

/// The protocol, and how much is going to happen.
#[derive(Clone, Copy)]
pub(crate) struct Refresh {
    pub(crate) processes: usize,
    pub(crate) faults: usize,
    pub(crate) has_grace: bool,
    pub(crate) mutant: Option<Mutant>,
}

/// A protocol that breaks one of its rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mutant {
    StoresWithoutFence,
    SendsWithoutLease,
    SendsUnderOldLease,
    TakesOverTooLate,
    EndsAnyLease,
    KeepsRefusedToken,
    EndsAnyGuard,
    RecreatesRecord,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    Step(usize, Phase),
    RenewLease(usize),
    Exchange(usize),
    Resume(usize),
    Tick,
    ExpireAccessToken,
    BeginSignOut,
    RevokeGrant,
    EndRecord,
    SignInAgain,
    Fault(usize, Fault),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Crash,
    HangUp,
    Stall,
    LoseAnswer,
    LoseWrite { is_written: bool },
}

impl Refresh {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn takeover(&self) -> u8 {
        if self.is(Mutant::TakesOverTooLate) { GRACE } else { TAKEOVER }
    }

    /// What happens by itself, without the user and without a fault.
    pub(crate) fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = Vec::new();
        for (i, process) in state.processes.iter().enumerate() {
            if process.is_stalled {
                steps.push(Action::Resume(i));
            } else if self.has_step(state, process) {
                steps.push(Action::Step(i, process.phase));
            }
            if process.is_renewal_due() {
                steps.push(Action::RenewLease(i));
            }
            if process.is_sending() {
                steps.push(Action::Exchange(i));
            }
        }
        // A process that runs does its work within a tick. So does the provider after a fault that matters.
        let is_busy = |process: &Process| {
            let has_work = process.phase != Phase::Idle && self.has_step(state, process) && !process.is_stalled;
            has_work || process.is_renewal_due() || process.is_sending() && state.is_harmed
        };
        if !state.processes.iter().any(is_busy) && self.tick(state.clone()) != *state {
            steps.push(Action::Tick);
        }
        steps
    }

    fn has_step(&self, state: &State, process: &Process) -> bool {
        match process.phase {
            Phase::Idle => state.needs_refresh(),
            Phase::Waiting if state.needs_refresh() && state.lease => process.age >= self.takeover(),
            _ => !process.is_sending(),
        }
    }

    fn tick(&self, mut state: State) -> State {
        for process in &mut state.processes {
            if matches!(process.phase, Phase::Waiting | Phase::Held | Phase::Sent) {
                process.age = (process.age + 1).min(self.takeover());
            }
        }
        for age in state.replaced.iter_mut().flatten() {
            *age = (*age + 1).min(GRACE);
        }
        state
    }

    fn step(&self, state: &mut State, i: usize) {
        let process = state.processes[i];
        match process.phase {
            Phase::Idle => state.processes[i].phase = Phase::Waiting,
            Phase::Waiting | Phase::Held if !state.needs_refresh() => state.finish(i),
            Phase::Waiting => {
                state.processes[i].phase = Phase::Held;
                if !self.is(Mutant::SendsWithoutLease) {
                    state.put_lease(i);
                }
            }
            Phase::Held if process.age > MAX_AGE && !self.is(Mutant::SendsUnderOldLease) => state.finish(i),
            Phase::Held => {
                let has_same = |other: &Process| other.token == state.refresh_token && !other.is_late;
                let is_unstored = |other: &Process| matches!(other.phase, Phase::Sent | Phase::Answered);
                state.has_overlap |= state.processes.iter().any(|other| has_same(other) && is_unstored(other));
                (state.processes[i].phase, state.processes[i].token) = (Phase::Sent, state.refresh_token);
            }
            Phase::Answered => {
                let new = state.processes[i].unstored.take().map(|(_, new)| new);
                let is_fenced = !state.has(process.token) && !self.is(Mutant::StoresWithoutFence);
                let recreates = state.guard.is_none() && self.is(Mutant::RecreatesRecord);
                if !recreates && (state.guard != Some(OURS) || is_fenced) {
                    return state.finish(i);
                }
                (state.guard, state.refresh_token) = (Some(OURS), new);
                state.newest_stored = state.newest_stored.max(new.unwrap_or_default());
                (state.processes[i].phase, state.processes[i].token) = (Phase::Rotated, new);
            }
            Phase::Rotated => {
                state.access_token |= state.has(process.token);
                if state.has(process.token) && self.is(Mutant::EndsAnyLease) {
                    state.end_lease();
                }
                state.finish(i);
            }
            Phase::Refused => {
                state.refusals += 1;
                if state.has(process.token) && !self.is(Mutant::KeepsRefusedToken) {
                    state.refresh_token = None;
                    state.end_lease();
                }
                state.finish(i);
            }
            Phase::Sent | Phase::Abandoned => {}
        }
    }

    fn exchange(&self, state: &mut State, i: usize) {
        let process = state.processes[i];
        let Some(stored) = process.token else { return };
        let token = process.unstored.filter(|(known, _)| *known == stored).map_or(stored, |(_, newest)| newest);
        let age = state.replaced[token];
        state.has_overlap |= age.is_some() && !state.is_harmed;
        state.is_revoked |= age == Some(GRACE);
        if state.is_revoked {
            state.processes[i].phase = Phase::Refused;
        } else {
            state.processes[i].phase = Phase::Answered;
            state.processes[i].unstored = Some((stored, state.replaced.len()));
            state.replaced[token] = age.or(Some(if self.has_grace { 0 } else { GRACE }));
            state.replaced.push(None);
        }
        if process.phase == Phase::Abandoned {
            state.finish(i);
        }
    }

    fn fail(&self, state: &mut State, i: usize, fault: Fault) {
        let Process { phase, token, unstored, .. } = state.processes[i];
        let is_unstored = matches!(phase, Phase::Sent | Phase::Answered);
        let is_harm = is_unstored && fault != Fault::LoseWrite { is_written: true };
        let waits = |other: &Process| other.phase == Phase::Waiting && !other.is_stalled;
        state.is_watched = is_harm && !state.is_harmed && state.processes.iter().any(waits);
        state.is_harmed |= is_harm;
        state.faults += 1;
        match fault {
            Fault::Crash => state.processes[i] = Process::default(),
            Fault::HangUp if phase == Phase::Sent => {
                state.processes[i] = Process { phase: Phase::Abandoned, token, unstored, ..Process::default() };
            }
            Fault::HangUp => state.processes[i] = Process { unstored, ..Process::default() },
            Fault::Stall => {
                state.processes[i].is_stalled = true;
                state.processes[i].is_late |= is_harm;
            }
            Fault::LoseAnswer | Fault::LoseWrite { .. } => {
                if fault == Fault::LoseAnswer {
                    self.exchange(state, i);
                } else if fault == (Fault::LoseWrite { is_written: true }) {
                    self.step(state, i);
                }
                // Whoever does not know whether a lease was taken does not release it.
                state.processes[i].has_lease &= phase != Phase::Waiting;
                state.processes[i].unstored = unstored;
                state.finish(i);
            }
        }
    }
}

impl Model for Refresh {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let processes = vec![Process::default(); self.processes];
        let (guard, refresh_token, replaced) = (Some(OURS), Some(0), vec![None]);
        vec![State { guard, refresh_token, processes, replaced, ..State::default() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
        let is_ours = state.guard == Some(OURS);
        let events = [
            (Action::ExpireAccessToken, is_ours && state.access_token && state.newest_stored < 2),
            (Action::BeginSignOut, is_ours && !state.signs_out),
            (Action::RevokeGrant, state.signs_out && !state.is_revoked),
            (Action::EndRecord, state.signs_out && !state.is_signed_out),
            (Action::SignInAgain, state.signs_out && !state.has_next_sign_in),
        ];
        actions.extend(events.iter().filter(|(_, can_happen)| *can_happen).map(|(action, _)| *action));
        for (i, process) in state.processes.iter().enumerate().filter(|_| is_ours && state.faults < self.faults) {
            let is_running = !matches!(process.phase, Phase::Idle | Phase::Abandoned) && !process.is_stalled;
            let writes = is_running && process.phase != Phase::Held && self.has_step(state, process);
            let faults = [
                (Fault::Crash, *process != Process::default()),
                (Fault::HangUp, is_running),
                (Fault::Stall, is_running),
                (Fault::LoseAnswer, is_running && process.is_sending()),
                (Fault::LoseWrite { is_written: true }, writes),
                (Fault::LoseWrite { is_written: false }, writes),
            ];
            actions
                .extend(faults.iter().filter(|(_, can_happen)| *can_happen).map(|(fault, _)| Action::Fault(i, *fault)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Step(i, _) => self.step(&mut state, i),
            Action::RenewLease(i) => state.put_lease(i),
            Action::Exchange(i) => self.exchange(&mut state, i),
            Action::Resume(i) => state.processes[i].is_stalled = false,
            Action::Tick => state = self.tick(state),
            Action::ExpireAccessToken => state.access_token = false,
            Action::BeginSignOut => state.signs_out = true,
            Action::RevokeGrant => state.is_revoked = true,
            Action::EndRecord => {
                state.is_signed_out = true;
                if state.guard == Some(OURS) || self.is(Mutant::EndsAnyGuard) {
                    state.replace_record(None);
                }
            }
            Action::SignInAgain => {
                state.has_next_sign_in = true;
                state.replace_record(Some(NEXT));
            }
            Action::Fault(i, fault) => self.fail(&mut state, i, fault),
        }
        state.forget();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}
