//! Client authentication at the token, introspection and revocation endpoints.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::form_urlencoded;

use crate::config::{Config, MachineClient};
use crate::error::{OAuthError, Result};
use crate::params::Params;

/// The client that sent a request.
pub(crate) enum Client<'a> {
    /// The app that users sign in to.
    App,
    Machine(&'a MachineClient),
}

/// Authenticates a client with a secret by `client_secret_basic`, and a public client by its id alone.
pub(crate) fn authenticate<'a>(config: &'a Config, headers: &HeaderMap, params: &Params) -> Result<Client<'a>> {
    let refused = |description: &str| Err(OAuthError::new("invalid_client", description));
    if params.get("client_secret")?.is_some() {
        return refused("the secret belongs in the Authorization header, not in the body");
    }
    let id_in_body = params.get("client_id")?;
    let (id, secret) = match headers.get(AUTHORIZATION) {
        None => (id_in_body.unwrap_or_default().to_owned(), None),
        Some(header) => match header.to_str().ok().and_then(basic) {
            Some((id, secret)) => (id, Some(secret)),
            None => return refused("the Authorization header is not valid Basic authentication"),
        },
    };
    if id_in_body.is_some_and(|in_body| in_body != id) {
        return Err(OAuthError::invalid_request("client_id differs from the Authorization header"));
    }
    let machine = config.machine_clients.iter().find(|client| client.id == id);
    let (client, expected) = match machine {
        _ if id == config.client_id => (Client::App, config.client_secret.as_ref()),
        Some(machine) => (Client::Machine(machine), Some(&machine.secret)),
        None => return refused("unknown client"),
    };
    match (expected, secret) {
        (None, None) => Ok(client),
        (None, Some(_)) => refused("this client is public and has no secret"),
        (Some(_), None) => refused("the client's secret is missing"),
        (Some(expected), Some(secret)) => match verify_slices_are_equal(expected.as_bytes(), secret.as_bytes()) {
            Ok(()) => Ok(client),
            Err(_) => refused("the client's secret is wrong"),
        },
    }
}

/// Decodes the id and the secret, each of which is form-encoded (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    let credentials = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("Basic"))?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(encoded: &str) -> String {
    // Accepts credentials that the client did not form-encode: in a form, these characters would end the name.
    let name = encoded.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(name.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_form_decoded_after_they_are_taken_apart() {
        let header = |credentials: &str| format!("basic {}", BASE64_STANDARD.encode(credentials));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(basic(&header("an%3Aid:a%2Bb+c%25%26%3D%C3%A9")), pair("an:id", "a+b c%&=é"));
        assert_eq!(basic(&header("id:a=b&c:d")), pair("id", "a=b&c:d"));
        assert_eq!(basic(&header("id:")), pair("id", ""));
        assert_eq!(basic(&header("no colon")), None);
        assert_eq!(basic("Basic ???"), None);
        assert_eq!(basic("Bearer aWQ6c2VjcmV0"), None);
        assert_eq!(basic("Basic"), None);
    }
}
