//! The callback: the provider's answer to an authorization request (OpenID Connect Core 1.0, section 3.1.2.5).

use url::{Url, form_urlencoded};

use crate::error::{Error, Result, sanitized};

/// The parameters that the provider adds to the redirect URI.
pub(crate) const ANSWER_PARAMS: [&str; 5] = ["code", "error", "error_description", "iss", "state"];

/// More bytes than any provider's callback has.
const MAX_LEN: usize = 16 * 1024;

/// A callback's URL, none of which is trusted yet.
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

    /// RFC 6749, section 3.1: no parameter comes twice, and an empty one counts as missing.
    pub(crate) fn param(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.params.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value);
        let value = values.next();
        if values.next().is_some() {
            return Err(invalid("has a parameter twice"));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether the redirect URI was opened without any parameter of the provider's, as Logto's "Cancel" does.
    pub(crate) fn is_cancelled(&self) -> bool {
        !self.params.iter().any(|(name, _)| ANSWER_PARAMS.contains(&&**name))
    }

    /// The code, if the callback is this provider's answer to the sign-in.
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
