//! Random values and PKCE (RFC 7636).

use aws_lc_rs::digest::{self, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Returns 32 random bytes, base64url-encoded, for use as a `state`, `nonce` or `code_verifier`.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    // Cannot fail: AWS-LC aborts the process if the system has no randomness.
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the `code_challenge` for the method `S256` (section 4.2).
pub(crate) fn challenge(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&SHA256, code_verifier.as_bytes()))
}
