//! Values that nobody can guess, and the proof that who asks for the tokens began the sign-in (RFC 7636).

use aws_lc_rs::digest::{self, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 32 random bytes, as 43 characters that a URL takes as they are. Fit for a state, a nonce or a verifier.
pub(crate) fn random() -> String {
    let mut bytes = [0; 32];
    // It has no way to fail: where the system has no randomness, AWS-LC ends the process.
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Section 4.2, `S256`.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&SHA256, verifier.as_bytes()))
}
