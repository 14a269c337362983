//! The access token of a request (RFC 6750, section 2).

use url::form_urlencoded;

use crate::api::ApiError;

/// Returns the token of the `Authorization` header. `query` is that of the request's URL.
pub(super) fn bearer_token<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    query: Option<&str>,
) -> Result<&'a str, ApiError> {
    // Section 2.3: in a URL, it ends up in logs and histories.
    let mut params = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    if params.any(|(name, _)| name == "access_token") {
        return Err(ApiError::InvalidRequest("has an access token in its URL: send it as `Authorization: Bearer`"));
    }
    let mut headers = authorization.into_iter();
    let header = headers.next().ok_or(ApiError::MissingToken)?;
    if headers.next().is_some() {
        return Err(ApiError::InvalidRequest("has several `Authorization` headers"));
    }
    let is_bearer = header.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"));
    let token = match header.get(6..) {
        Some(rest) if is_bearer && rest.first().is_none_or(|next| *next == b' ') => rest.trim_ascii(),
        // Another scheme, such as `Basic`.
        _ => return Err(ApiError::MissingToken),
    };
    let token = str::from_utf8(token).ok().filter(|token| is_b64token(token));
    token.ok_or(ApiError::InvalidRequest("has an `Authorization` header that is not `Bearer` and one token"))
}

/// RFC 6750, section 2.1.
fn is_b64token(token: &str) -> bool {
    let token = token.trim_end_matches('=');
    // Without a branch, so that the compiler checks many bytes at once: every request pays for this.
    !token.is_empty() && token.bytes().fold(true, |all, byte| all & is_b64token_char(byte))
}

#[expect(clippy::needless_bitwise_bool, reason = "without a branch, as above")]
fn is_b64token_char(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    is_letter | is_digit | b"-._~+/".iter().fold(false, |any, other| any | (byte == *other))
}
