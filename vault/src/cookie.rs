//! A cookie that holds the ticket, so that an app needs no session library.
//!
//! A [`TicketCookie`] is the session of one request: put it into a [`Vaulted`](crate::Vaulted) session. An adapter for a web
//! framework creates it before the handler runs, and adds the `Set-Cookie` header once the handler has returned.
//! `logto-client` has one for axum.
//!
//! # Security
//!
//! - The ticket is random, and decides nothing by itself: only the vault knows whether it opens a record. So the cookie
//!   needs no signature.
//! - The cookie is `HttpOnly`, `SameSite=Lax` (Logto's redirect to the callback comes from another site) and, unless you
//!   [allow http](CookieSettings::dangerously_allow_http), `Secure` with the prefix `__Host-`: browsers then accept it from
//!   this host over HTTPS only, so no other site or subdomain can plant one.
//! - It lives for 400 days, the longest that browsers allow, unless it is set again. The record in the vault expires
//!   earlier, and decides how long a sign-in lives.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logto_storage_core::{Changes, Error, Result, SessionHandle};

use crate::ticket::{MAX_LIST_LEN, TICKET_KEY, Ticket};

const DEFAULT_NAME: &str = "logto_ticket";

/// Browsers accept a cookie with this prefix only if it is `Secure`, has the path `/` and no domain (RFC 6265bis, section
/// 4.1.3.2).
const HOST_PREFIX: &str = "__Host-";

/// In seconds. RFC 6265bis, section 5.5.
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

const HAS_BEGUN: &str =
    "the response has begun, so it cannot set the ticket cookie: change the session before the handler returns";

/// The name and the attributes of an app's ticket cookie.
///
/// ```
/// use logto_vault::cookie::CookieSettings;
///
/// # fn main() -> Result<(), logto_vault::cookie::InvalidCookieName> {
/// // The cookie `__Host-logto_ticket`, which is only sent over HTTPS.
/// let settings = CookieSettings::default();
///
/// // The cookie `shop_ticket`, for http://localhost.
/// let settings = CookieSettings::default().name("shop_ticket")?.dangerously_allow_http();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CookieSettings {
    name: Cow<'static, str>,
    allows_http: bool,
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self { name: DEFAULT_NAME.into(), allows_http: false }
    }
}

impl CookieSettings {
    /// Sets the name. The default is `logto_ticket`. Over HTTPS it gets the prefix `__Host-`.
    ///
    /// Apps on one host need different names, whatever their ports and paths: browsers send a cookie to all of them.
    ///
    /// # Errors
    ///
    /// Fails unless the name is a token (RFC 6265, section 4.1.1) without one of the prefixes `__Host-` and `__Secure-`.
    pub fn name(self, name: impl Into<String>) -> Result<Self, InvalidCookieName> {
        let name = name.into();
        let is_token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        // Browsers ignore the case of the prefixes.
        let has_prefix = ["__host-", "__secure-"].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
        if is_token && !has_prefix { Ok(Self { name: name.into(), ..self }) } else { Err(InvalidCookieName(name)) }
    }

    /// Lets browsers send the cookie over plain HTTP: it is not `Secure`, and its name has no prefix.
    ///
    /// For development on loopback. Over a network, anyone who reads the traffic can take over sessions. Without the prefix, other
    /// apps on this host and its subdomains can plant a cookie, so that a visitor continues a session of theirs.
    #[must_use]
    pub fn dangerously_allow_http(self) -> Self {
        Self { allows_http: true, ..self }
    }

    fn prefix(&self) -> &'static str {
        if self.allows_http { "" } else { HOST_PREFIX }
    }

    /// Returns whether a cookie's name, as browsers send it, is that of the ticket cookie.
    fn is_name(&self, name: &[u8]) -> bool {
        name.strip_prefix(self.prefix().as_bytes()) == Some(self.name.as_bytes())
    }

    /// Returns the value of a `Set-Cookie` header that sets the ticket, or removes it.
    fn set_cookie(&self, ticket: Option<&str>) -> String {
        let Self { name, allows_http } = self;
        let (prefix, value) = (self.prefix(), ticket.unwrap_or_default());
        let max_age = if ticket.is_some() { MAX_AGE } else { 0 };
        let secure = if *allows_http { "" } else { "; Secure" };
        format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{secure}")
    }
}

/// The error of a name that a ticket cookie cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidCookieName(String);

impl fmt::Display for InvalidCookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        write!(
            f,
            "{name:?} cannot be the name of the ticket cookie: use letters, digits, `-` and `_`, without the prefix `__Host-`"
        )
    }
}

impl StdError for InvalidCookieName {}

/// The session of one request whose only item is the ticket, in a cookie of its own.
///
/// Clones share the session: one for the handler, and one for the adapter that adds the cookie to the response.
///
/// ```
/// use logto_storage_core::LogtoStorage;
/// use logto_vault::cookie::{CookieSettings, TicketCookie};
/// use logto_vault::{MemoryVault, Vault, Vaulted};
///
/// #[derive(LogtoStorage)]
/// struct Storage {
///     session: Vaulted<TicketCookie, MemoryVault>,
/// }
///
/// /// Serves a request, and returns the value of the response's `Set-Cookie` header.
/// async fn serve(cookie_header: &str, vault: &Vault<MemoryVault>) -> logto_storage_core::Result<Option<String>> {
///     let cookie = TicketCookie::new(CookieSettings::default(), [cookie_header]);
///     let storage = Storage { session: Vaulted::new(cookie.clone(), vault.clone()) };
///     storage.set_item("cart", "apples").await?;
///     Ok(cookie.finish())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> logto_storage_core::Result<()> {
/// let vault = Vault::new(MemoryVault::default());
/// let set_cookie = serve("theme=dark", &vault).await?.unwrap();
/// assert!(set_cookie.starts_with("__Host-logto_ticket="));
///
/// let cookie_header = set_cookie.split(';').next().unwrap();
/// assert_eq!(serve(cookie_header, &vault).await?, None, "the browser has the ticket");
/// # Ok(())
/// # }
/// ```
///
/// # Saving
///
/// A write changes what [`finish`](Self::finish) returns. A visitor gets no cookie before something is stored in the vault. If
/// the connection breaks before the response reaches the browser, the browser keeps its previous ticket: after a sign-in the
/// visitor is then signed out.
///
/// After [`finish`](Self::finish) a change of the ticket fails with [`Session`](logto_storage_core::ErrorKind::Session). Items
/// in the vault can still change, so a handler can refresh tokens while it streams the body.
///
/// Setting any other item than the ticket fails with [`Unsupported`](logto_storage_core::ErrorKind::Unsupported).
///
/// # Several cookies
///
/// A browser may send several cookies with the name, for instance with different paths. The vault then uses the first that
/// opens a record. Anything that is not a ticket reads as nothing.
#[derive(Clone)]
pub struct TicketCookie(Arc<Inner>);

struct Inner {
    settings: CookieSettings,
    state: Mutex<State>,
}

struct State {
    /// What the browser has sent.
    received: Option<String>,
    ticket: Option<String>,
    is_finished: bool,
}

impl TicketCookie {
    /// Creates the session of a request with these `Cookie` headers.
    pub fn new<T: AsRef<[u8]>>(settings: CookieSettings, headers: impl IntoIterator<Item = T>) -> Self {
        let mut tickets = Vec::new();
        for header in headers {
            for cookie in header.as_ref().split(|byte| *byte == b';') {
                let mut parts = cookie.trim_ascii().splitn(2, |byte| *byte == b'=');
                let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
                if settings.is_name(name) && value.len() <= MAX_LIST_LEN {
                    tickets.extend(std::str::from_utf8(value).into_iter().flat_map(Ticket::parse_list));
                }
            }
        }
        let received = (!tickets.is_empty()).then(|| Ticket::encode_list(&tickets));
        let state = State { ticket: received.clone(), received, is_finished: false };
        Self(Arc::new(Inner { settings, state: Mutex::new(state) }))
    }

    /// Ends the changes, when the head of the response is about to be sent. Returns the value of its `Set-Cookie` header, or
    /// `None` if the browser keeps its cookie.
    ///
    /// See the [example](Self). The value is a secret: a response with it must not be cached, and belongs in no log.
    pub fn finish(&self) -> Option<String> {
        let mut state = self.state();
        let is_changed = !std::mem::replace(&mut state.is_finished, true) && state.ticket != state.received;
        is_changed.then(|| self.0.settings.set_cookie(state.ticket.as_deref()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding the lock, so the state is intact even if it is poisoned.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, changes: Changes<'_>) -> Result<()> {
        let mut ticket = None;
        for (key, value) in changes.iter() {
            if key == TICKET_KEY {
                ticket = Some(value);
            } else if value.is_some() {
                let error = Error::unsupported("a ticket cookie holds no items: wrap it in `Vaulted`");
                return Err(error.with_operation(changes.operation()).with_key(key));
            }
        }
        let Some(ticket) = ticket else { return Ok(()) };
        let mut state = self.state();
        if state.ticket.as_deref() == ticket {
            return Ok(());
        }
        if state.is_finished {
            return Err(changes.failed(HAS_BEGUN));
        }
        state.ticket = ticket.map(str::to_owned);
        Ok(())
    }
}

impl SessionHandle for TicketCookie {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        ready(Ok(if key == TICKET_KEY { self.state().ticket.clone() } else { None }))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(self.change(changes))
    }
}

/// Leaves the ticket out.
impl fmt::Debug for TicketCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settings, is_finished) = (&self.0.settings, self.state().is_finished);
        f.debug_struct("TicketCookie")
            .field("settings", settings)
            .field("is_finished", &is_finished)
            .finish_non_exhaustive()
    }
}
