//! URLs of the web: the rules that every URL of a configuration, a provider or an app keeps.

use url::{Host, Url};

/// An absolute `https` or `http` URL without a user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebUrl(Url);

impl WebUrl {
    /// # Errors
    ///
    /// What is wrong with it, as the end of a sentence. It does not repeat the URL, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("is neither an https nor an http URL");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user name or password in it");
        }
        Ok(Self(url))
    }

    /// Accepts no fragment.
    pub(crate) fn without_fragment(self) -> Result<Self, &'static str> {
        if self.0.fragment().is_some() { Err("has a fragment") } else { Ok(self) }
    }

    /// Accepts neither a query nor a fragment.
    pub(crate) fn without_query(self) -> Result<Self, &'static str> {
        if self.0.query().is_some() || self.0.fragment().is_some() {
            Err("has a query or a fragment")
        } else {
            Ok(self)
        }
    }

    /// Whether what is sent there cannot be read on the way: `https`, or this machine.
    pub(crate) fn is_protected(&self) -> bool {
        self.0.scheme() == "https" || self.is_loopback()
    }

    fn is_loopback(&self) -> bool {
        match self.0.host() {
            // RFC 6761, section 6.3.
            Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    pub(crate) fn into_url(self) -> Url {
        self.0
    }
}
