//! A web session library that behaves as the real ones: each request works on a copy of the session, which is saved as a
//! whole, and the last copy to be saved wins.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex};

use logto_storage_core::{Changes, Result, SessionHandle};

use crate::ticket::TICKET_KEY;

/// When a library saves a copy that was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saving {
    /// With the write, unless it is deferred.
    Immediate,
    /// When the response ends.
    AtEnd,
    /// When the response ends, unless the handler has failed.
    OnSuccess,
}

pub(crate) const SAVINGS: [Saving; 3] = [Saving::Immediate, Saving::AtEnd, Saving::OnSuccess];

/// The session of one browser, as the library has saved it.
#[derive(Clone)]
pub(crate) struct Browser {
    saved: Arc<Mutex<HashMap<String, String>>>,
    saving: Saving,
}

impl Browser {
    pub(crate) fn new(saving: Saving) -> Self {
        Self { saved: Arc::default(), saving }
    }

    /// Starts a request, which works on a copy.
    pub(crate) fn request(&self) -> Arc<Request> {
        let items = self.saved.lock().unwrap().clone();
        let tickets = vec![HeldTicket { text: items.get(TICKET_KEY).cloned(), is_own: false }];
        let copy = Copy { items, is_changed: false, tickets };
        Arc::new(Request { browser: self.clone(), copy: Mutex::new(copy) })
    }

    pub(crate) fn item(&self, key: &str) -> Option<String> {
        self.saved.lock().unwrap().get(key).cloned()
    }

    pub(crate) fn set(&self, key: &str, value: &str) {
        self.saved.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn ticket(&self) -> Option<String> {
        self.item(TICKET_KEY)
    }
}

/// The session of one request.
pub(crate) struct Request {
    browser: Browser,
    copy: Mutex<Copy>,
}

struct Copy {
    items: HashMap<String, String>,
    is_changed: bool,
    tickets: Vec<HeldTicket>,
}

/// A value of the ticket in one request's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldTicket {
    pub(crate) text: Option<String>,
    /// Whether this request has written it.
    pub(crate) is_own: bool,
}

impl Request {
    /// Ends the response.
    pub(crate) fn end(&self, has_failed: bool) {
        let mut copy = self.copy.lock().unwrap();
        if copy.is_changed && !(has_failed && self.browser.saving == Saving::OnSuccess) {
            self.save(&mut copy);
        }
    }

    /// Every value that the ticket has had in this request, in order.
    pub(crate) fn tickets(&self) -> Vec<HeldTicket> {
        self.copy.lock().unwrap().tickets.clone()
    }

    fn save(&self, copy: &mut Copy) {
        self.browser.saved.lock().unwrap().clone_from(&copy.items);
        copy.is_changed = false;
    }
}

impl Copy {
    fn note_ticket(&mut self, is_own: bool) {
        let text = self.items.get(TICKET_KEY);
        if self.tickets.last().is_none_or(|last| last.text.as_ref() != text) {
            self.tickets.push(HeldTicket { text: text.cloned(), is_own });
        }
    }
}

impl SessionHandle for Request {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        ready(Ok(self.copy.lock().unwrap().items.get(&*key).cloned()))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let mut copy = self.copy.lock().unwrap();
        for (key, value) in changes.iter() {
            match value {
                Some(value) => copy.items.insert(key.into_owned(), value.to_owned()),
                None => copy.items.remove(&*key),
            };
        }
        copy.is_changed = true;
        copy.note_ticket(true);
        if changes.saves_now() && self.browser.saving == Saving::Immediate {
            self.save(&mut copy);
        }
        ready(Ok(()))
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        let mut copy = self.copy.lock().unwrap();
        if copy.is_changed {
            return ready(Ok(false));
        }
        copy.items.clone_from(&self.browser.saved.lock().unwrap());
        copy.note_ticket(false);
        ready(Ok(true))
    }
}
