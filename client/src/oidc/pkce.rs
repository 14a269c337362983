//! Random values and PKCE (RFC 7636).

use aws_lc_rs::digest::{self, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 32 random bytes, base64url-encoded: a `state`, a `nonce` or a `code_verifier`.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    // Cannot fail: without a source of randomness AWS-LC aborts the process.
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The `code_challenge` of the method `S256` (section 4.2).
pub(crate) fn challenge(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&SHA256, code_verifier.as_bytes()))
}
