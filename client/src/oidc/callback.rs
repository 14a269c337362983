//! Callbacks: authentication responses in the query of the redirect URI (OpenID Connect Core 1.0, sections 3.1.2.5 and
//! 3.1.2.6).

use url::{Url, form_urlencoded};

use crate::error::{Error, Result, sanitized};

/// The parameters that the provider adds to the redirect URI.
pub(crate) const RESPONSE_PARAMS: [&str; 5] = ["code", "error", "error_description", "iss", "state"];

/// The maximum length of a callback URL in bytes.
const MAX_LEN: usize = 16 * 1024;

/// The untrusted URL of a callback.
pub(crate) struct CallbackParams<'a> {
    url: &'a str,
    params: Vec<(String, String)>,
}

impl<'a> CallbackParams<'a> {
    pub(crate) fn parse(url: &'a str) -> Result<Self> {
        if url.len() > MAX_LEN {
            return Err(invalid("is longer than 16 KiB"));
        }
        let url = url.split_once('#').map_or(url, |(url, _fragment)| url);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        Ok(Self { url, params: form_urlencoded::parse(query.as_bytes()).into_owned().collect() })
    }

    /// Rejects repeated parameters and treats empty ones as missing (RFC 6749, section 3.1).
    pub(crate) fn param(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.params.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value);
        let value = values.next();
        if values.next().is_some() {
            return Err(invalid("has a parameter twice"));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether the provider added no parameter at all, as Logto does after "Cancel".
    pub(crate) fn is_cancelled(&self) -> bool {
        !self.params.iter().any(|(name, _)| RESPONSE_PARAMS.contains(&&**name))
    }

    /// Returns the code if the callback came to the right URL, from the right provider, without an error.
    pub(crate) fn check(&self, redirect_uri: &str, issuer: &str, requires_iss: bool) -> Result<&str> {
        let expected =
            Url::parse(redirect_uri).map_err(|_| invalid("belongs to a sign-in that was not stored correctly"))?;
        let found = expected.join(self.url).map_err(|_| invalid("is not a URL"))?;
        if found.origin() != expected.origin() || found.path() != expected.path() {
            let without_query = |mut url: Url| {
                url.set_query(None);
                url.set_fragment(None);
                url.to_string()
            };
            return Err(Error::WrongRedirectUri { expected: without_query(expected), found: without_query(found) });
        }
        match self.param("iss")? {
            Some(found) if found != issuer => return Err(Error::WrongIssuer { missing: false }),
            None if requires_iss => return Err(Error::WrongIssuer { missing: true }),
            _ => {}
        }
        match (self.param("code")?, self.param("error")?) {
            (Some(code), None) => Ok(code),
            (None, Some(error)) => {
                let description = self.param("error_description")?.map(sanitized);
                Err(match error {
                    "access_denied" => Error::AccessDenied { description },
                    error => Error::AuthorizationFailed { error: sanitized(error), description },
                })
            }
            (Some(_), Some(_)) => Err(invalid("has both a `code` and an `error`")),
            (None, None) => Err(invalid("has neither a `code` nor an `error`")),
        }
    }
}

pub(crate) fn invalid(problem: &'static str) -> Error {
    Error::InvalidCallback { problem }
}
