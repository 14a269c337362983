//! An OpenID provider that rotates refresh tokens, and what the requests do with them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::call::{Act, Call, Outcome, REFRESH_TOKEN};

/// For how long a token that was exchanged is exchanged again, as Logto does.
const GRACE: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(crate) struct Provider {
    tokens: HashMap<u32, Token>,
    exchanges: Vec<Exchange>,
    grants: usize,
}

struct Token {
    grant: usize,
    issued: u32,
    exchanged_at: Option<Instant>,
}

/// The exchange of a refresh token. Times are numbers in the order of all events.
struct Exchange {
    token: u32,
    sent: u32,
    /// When its holder has died, was stopped, or could not write to the store.
    lost: Option<u32>,
    /// When the new token was stored.
    stored: Option<u32>,
}

#[derive(Clone, Copy)]
pub(crate) struct ExchangeId(usize);

impl Provider {
    /// Issues the first token of a sign-in.
    pub(crate) fn sign_in(&mut self, token: u32, now: u32) {
        self.grants += 1;
        self.tokens.insert(token, Token { grant: self.grants, issued: now, exchanged_at: None });
    }

    /// Answers with the new token, unless the old one is no longer accepted.
    pub(crate) fn exchange(&mut self, token: u32, new: u32, now: u32) -> (ExchangeId, bool) {
        self.exchanges.push(Exchange { token, sent: now, lost: None, stored: None });
        let old = self.tokens.get_mut(&token).expect("an issued token");
        let is_accepted = old.exchanged_at.is_none_or(|at| at.elapsed() < GRACE);
        old.exchanged_at.get_or_insert_with(Instant::now);
        let grant = old.grant;
        if is_accepted {
            self.tokens.insert(new, Token { grant, issued: now, exchanged_at: None });
        }
        (ExchangeId(self.exchanges.len() - 1), is_accepted)
    }

    pub(crate) fn lose(&mut self, id: ExchangeId, now: u32) {
        let exchange = &mut self.exchanges[id.0];
        if exchange.stored.is_none() {
            exchange.lost.get_or_insert(now);
        }
    }

    pub(crate) fn stored(&mut self, id: ExchangeId, now: u32) {
        self.exchanges[id.0].stored = Some(now);
    }

    pub(crate) fn exchanges(&self) -> usize {
        self.exchanges.len()
    }

    /// Tokens that were exchanged again while the first holder was alive.
    pub(crate) fn exchanged_twice(&self) -> Vec<u32> {
        let is_again = |first: &Exchange, again: &Exchange| {
            first.token == again.token && first.sent < again.sent && first.lost.is_none_or(|lost| lost > again.sent)
        };
        let all = &self.exchanges;
        let again = all.iter().filter(|again| all.iter().any(|first| is_again(first, again)));
        again.map(|exchange| exchange.token).collect()
    }

    /// Tokens that were read though they were not the newest, while no exchange was in flight and none had failed.
    pub(crate) fn not_the_newest(&self, calls: &[Call]) -> Vec<u32> {
        let mut found = Vec::new();
        for call in calls.iter().filter(|call| call.outcome == Outcome::Ok) {
            let Act::Read(values) = &call.act else { continue };
            let read = values.iter().find_map(|(item, value)| value.filter(|_| *item == REFRESH_TOKEN));
            let Some(token) = read else { continue };
            let grant = self.tokens[&token].grant;
            let mut exchanges = self.exchanges.iter().filter(|exchange| self.tokens[&exchange.token].grant == grant);
            let is_settled = |exchange: &Exchange| exchange.stored.is_some_and(|stored| stored < call.start);
            if !exchanges.all(|exchange| exchange.sent > call.end || is_settled(exchange)) {
                continue;
            }
            let of_grant = self.tokens.iter().filter(|(_, other)| other.grant == grant && other.issued < call.end);
            let newest = of_grant.max_by_key(|(_, other)| other.issued).map(|(newest, _)| *newest);
            if newest != Some(token) {
                found.push(token);
            }
        }
        found
    }
}
