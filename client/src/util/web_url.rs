//! The rules for every URL that a configuration, a provider or an app supplies.

use url::{Host, Url};

/// An absolute `https` or `http` URL without a user name and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebUrl(Url);

impl WebUrl {
    /// # Errors
    ///
    /// Returns the end of a sentence that starts with the URL's name. It does not repeat the URL, which may contain a
    /// password.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not an absolute URL, such as https://example.com")?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err("does not start with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("contains a user name or password: remove it");
        }
        Ok(Self(url))
    }

    /// Rejects a URL with a fragment.
    pub(crate) fn without_fragment(self) -> Result<Self, &'static str> {
        if self.0.fragment().is_some() { Err("contains a fragment: remove `#` and what follows") } else { Ok(self) }
    }

    /// Rejects a URL with a query or a fragment.
    pub(crate) fn without_query(self) -> Result<Self, &'static str> {
        if self.0.query().is_some() || self.0.fragment().is_some() {
            Err("contains a query or a fragment: remove it")
        } else {
            Ok(self)
        }
    }

    /// Whether data sent there is protected on the way: by `https`, or because it stays on this machine.
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
