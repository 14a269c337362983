//! Validation of redirect targets after a sign-in.

use url::{Origin, Position, Url};

use crate::util::web_url::WebUrl;

/// The maximum length of a target in bytes. A session stores up to eight.
const MAX_LEN: usize = 2048;

pub(crate) struct ReturnTo {
    base_url: Url,
    /// Origins of other sites that may be returned to.
    allowed: Vec<Origin>,
}

impl ReturnTo {
    /// Returns `None` if an entry of `allowed` is not an origin.
    pub(crate) fn new(base_url: &Url, allowed: &[String]) -> Option<Self> {
        let allowed = allowed.iter().map(|origin| {
            let url = WebUrl::parse(origin).and_then(WebUrl::without_query).ok()?.into_url();
            (url.path() == "/").then(|| url.origin())
        });
        Some(Self { base_url: base_url.clone(), allowed: allowed.collect::<Option<_>>()? })
    }

    /// Returns the URL if it is a path of this app or has an allowed origin.
    pub(crate) fn check(&self, return_to: &str) -> Option<Url> {
        if return_to.starts_with('/') {
            return self.path(return_to);
        }
        let url = WebUrl::parse(return_to).ok()?.into_url();
        (is_short(&url) && self.allowed.contains(&url.origin())).then_some(url)
    }

    /// Returns the URL if it is a path of this app. Browsers read `//` as the start of another host's URL. They also
    /// read `\` as a slash and drop control characters, so these are rejected, too.
    pub(crate) fn path(&self, path: &str) -> Option<Url> {
        let suspicious = |c: char| c == '\\' || c.is_control();
        if !path.starts_with('/') || path.starts_with("//") || path.contains(suspicious) {
            return None;
        }
        let url = self.base_url.join(path).ok()?;
        (is_short(&url) && url.origin() == self.base_url.origin()).then_some(url)
    }

    /// Checks an absolute URL that a sign-in stored in the session.
    pub(crate) fn check_stored(&self, url: &str) -> Option<Url> {
        let url = WebUrl::parse(url).ok()?.into_url();
        (url.origin() == self.base_url.origin() || self.allowed.contains(&url.origin())).then_some(url)
    }

    /// Turns a checked URL into text that [`check`](Self::check) accepts again.
    pub(crate) fn relative(&self, url: &Url) -> String {
        if url.origin() == self.base_url.origin() { url[Position::BeforePath..].to_owned() } else { url.to_string() }
    }

    /// Returns the path and query of a page of this app from its URL (a `Referer`).
    pub(crate) fn own_page(&self, url: &str) -> Option<String> {
        let url = WebUrl::parse(url).ok()?.into_url();
        (is_short(&url) && url.origin() == self.base_url.origin())
            .then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }

    /// Returns the origin of the base URL, such as `https://example.com`.
    pub(crate) fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// Returns the path and query as the browser sees it: a proxy may have removed the base URL's path.
    pub(crate) fn outside(&self, path_and_query: &str) -> String {
        let base = self.base_url.path().trim_end_matches('/');
        let is_below =
            path_and_query.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if is_below { path_and_query.to_owned() } else { format!("{base}{path_and_query}") }
    }
}

/// Measures the URL as it will be stored: percent-encoded, with its origin.
fn is_short(url: &Url) -> bool {
    url.as_str().len() <= MAX_LEN
}
