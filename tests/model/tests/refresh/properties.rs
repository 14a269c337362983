//! What is promised in every state, and what has to happen in some.

use stateright::Property;

use crate::model::Refresh;
use crate::state::{Phase, State};

pub(crate) const ONE_EXCHANGE: &str = "one exchange at a time";
pub(crate) const SIGN_OUT_IS_FINAL: &str = "a sign-out that has returned is final";
pub(crate) const NEVER_OLDER: &str = "the stored refresh token never gets older";
pub(crate) const NO_CAUSE_NO_END: &str = "nobody is signed out without a cause";
pub(crate) const GRACE_SAVES: &str = "a waiting process saves the sign-in within the grace";
pub(crate) const NEXT_STAYS: &str = "the next sign-in stays";
pub(crate) const ENDS_CLEANLY: &str = "every request ends, and removes a refresh token that is refused";

pub(crate) fn all(model: &Refresh) -> Vec<Property<Refresh>> {
    let always = Property::<Refresh>::always;
    let sometimes = Property::<Refresh>::sometimes;
    let mut properties = vec![
        always(ONE_EXCHANGE, |_, state| !state.has_overlap),
        always(SIGN_OUT_IS_FINAL, |_, state| !state.is_signed_out || state.guard.is_none() || state.has_next_sign_in),
        always(NEVER_OLDER, |_, state| {
            state.has_next_sign_in || state.refresh_token.is_none_or(|token| token >= state.newest_stored)
        }),
        always(NO_CAUSE_NO_END, |_, state| state.signs_out || state.is_harmed || state.is_signed_in()),
        always(GRACE_SAVES, |model, state| {
            let is_promised = model.has_grace && state.is_watched && !state.signs_out;
            !is_promised || state.is_signed_in()
        }),
        always(NEXT_STAYS, |_, state| !state.has_next_sign_in || state.refresh_token.is_some()),
        always(ENDS_CLEANLY, |model, state| {
            let are_idle = state.processes.iter().all(|process| process.phase == Phase::Idle);
            // Once for each process, and again where a fault has kept the refused token in the store.
            state.refusals <= model.processes + model.faults && (are_idle || !model.steps(state).is_empty())
        }),
        sometimes("an access token is refreshed twice", |_, state| state.newest_stored > 1),
        sometimes("a sign-out is done before an answer is stored", |_, state| {
            state.is_signed_out && state.processes.iter().any(|process| process.phase == Phase::Answered)
        }),
        sometimes("a lease is taken over", |_, state| {
            state.processes.iter().any(|process| process.is_late && !process.has_lease)
                && state.processes.iter().any(|process| process.has_lease)
        }),
        sometimes("a sign-in ends after a fault", |_, state| !state.signs_out && state.refresh_token.is_none()),
    ];
    if model.has_grace {
        properties.push(sometimes("a sign-in survives a fault by the grace", |_, state| {
            state.is_watched && state.is_signed_in() && state.newest_stored > 1
        }));
    }
    properties
}

impl State {
    fn is_signed_in(&self) -> bool {
        self.refresh_token.is_some() && (!self.is_revoked || self.has_next_sign_in)
    }
}
