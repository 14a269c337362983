//! Where a user may be sent after a sign-in.

use url::{Origin, Position, Url};

use crate::util::web_url::WebUrl;

/// More bytes than any page's URL has; up to eight of them are kept in a session.
const MAX_LEN: usize = 2048;

pub(crate) struct ReturnTo {
    base_url: Url,
    /// Other sites that may be returned to.
    allowed: Vec<Origin>,
}

impl ReturnTo {
    /// `None` if one of the `allowed` is no origin.
    pub(crate) fn new(base_url: &Url, allowed: &[String]) -> Option<Self> {
        let allowed = allowed.iter().map(|origin| {
            let url = WebUrl::parse(origin).and_then(WebUrl::without_query).ok()?.into_url();
            (url.path() == "/").then(|| url.origin())
        });
        Some(Self { base_url: base_url.clone(), allowed: allowed.collect::<Option<_>>()? })
    }

    /// The URL, if it is a path of this app or one of the allowed origins.
    pub(crate) fn check(&self, return_to: &str) -> Option<Url> {
        if return_to.starts_with('/') {
            return self.path(return_to);
        }
        let url = WebUrl::parse(return_to).ok()?.into_url();
        (is_short(&url) && self.allowed.contains(&url.origin())).then_some(url)
    }

    /// The URL, if it is a path of this app. What browsers read as the beginning of another host's URL is none: `//`,
    /// and `/\` and control characters, of which they turn the former into a slash and leave out the latter.
    pub(crate) fn path(&self, path: &str) -> Option<Url> {
        let suspicious = |c: char| c == '\\' || c.is_control();
        if !path.starts_with('/') || path.starts_with("//") || path.contains(suspicious) {
            return None;
        }
        let url = self.base_url.join(path).ok()?;
        (is_short(&url) && url.origin() == self.base_url.origin()).then_some(url)
    }

    /// One that was checked when the sign-in began, and is an absolute URL since.
    pub(crate) fn check_stored(&self, url: &str) -> Option<Url> {
        let url = WebUrl::parse(url).ok()?.into_url();
        (url.origin() == self.base_url.origin() || self.allowed.contains(&url.origin())).then_some(url)
    }

    /// A URL that was checked, as [`check`](Self::check) accepts it again.
    pub(crate) fn relative(&self, url: &Url) -> String {
        if url.origin() == self.base_url.origin() { url[Position::BeforePath..].to_owned() } else { url.to_string() }
    }

    /// The path and query of a page of this app, by its URL (a `Referer`).
    pub(crate) fn own_page(&self, url: &str) -> Option<String> {
        let url = WebUrl::parse(url).ok()?.into_url();
        (is_short(&url) && url.origin() == self.base_url.origin())
            .then(|| url[Position::BeforePath..Position::AfterQuery].to_owned())
    }

    /// `https://example.com`, of the base URL.
    pub(crate) fn origin(&self) -> String {
        self.base_url.origin().ascii_serialization()
    }

    /// The path and query as the browser has it, if a proxy took the base URL's path from it.
    pub(crate) fn outside(&self, path_and_query: &str) -> String {
        let base = self.base_url.path().trim_end_matches('/');
        let is_below =
            path_and_query.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if is_below { path_and_query.to_owned() } else { format!("{base}{path_and_query}") }
    }
}

/// As it will be kept: percent-encoded, with its origin.
fn is_short(url: &Url) -> bool {
    url.as_str().len() <= MAX_LEN
}
