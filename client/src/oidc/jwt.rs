//! Signed JSON Web Tokens (RFC 7515, RFC 7519): parsing, algorithms, signatures and claim types.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The accepted signature algorithms (RFC 7518, section 3.1; RFC 8037, section 3.1). `none` and HMAC are not among
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

/// A public key that verifies signatures.
#[derive(PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point: `0x04`, x and y.
    Ec(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A parsed token. Nothing in it is verified yet.
pub(crate) struct UnverifiedJwt<'a> {
    /// The signing input: the encoded header and claims.
    message: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
    pub(crate) header: Header,
}

#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    crit: Option<Value>,
}

/// Why a token could not be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    NotAJwt,
    /// The header requires an extension (RFC 7515, section 4.1.11). None is supported.
    Critical,
}

impl Algorithm {
    pub(crate) fn parse(alg: &str) -> Option<Self> {
        Some(match alg {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    /// Returns the value of `at_hash` for an access token: the left half of its digest, by the algorithm's hash
    /// function (OpenID Connect Core 1.0, section 3.1.3.6).
    pub(crate) fn half_hash(self, text: &str) -> String {
        let hash = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &digest::SHA256,
            Self::Es384 => &digest::SHA384,
            Self::Es512 | Self::EdDsa => &digest::SHA512,
        };
        let digest = digest::digest(hash, text.as_bytes());
        let digest = digest.as_ref();
        URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
    }
}

impl PublicKey {
    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verified = match (self, algorithm) {
            (Self::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Self::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PSS_2048_8192_SHA256, message, signature)
            }
            (Self::Ec(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Self::Ec(point), Algorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Self::Ec(point), Algorithm::Es512) => {
                UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point).verify(message, signature)
            }
            (Self::Ed25519(key), Algorithm::EdDsa) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            _ => return false,
        };
        verified.is_ok()
    }
}

impl<'a> UnverifiedJwt<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, ParseError> {
        let (message, signature) = token.rsplit_once('.').ok_or(ParseError::NotAJwt)?;
        let (header, claims) = message.split_once('.').ok_or(ParseError::NotAJwt)?;
        let header: Header = json(header).ok_or(ParseError::NotAJwt)?;
        if header.crit.is_some() {
            return Err(ParseError::Critical);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| ParseError::NotAJwt)?;
        if claims.contains('.') {
            return Err(ParseError::NotAJwt);
        }
        Ok(Self { message, claims, signature, header })
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey, algorithm: Algorithm) -> bool {
        key.has_signed(algorithm, self.message.as_bytes(), &self.signature)
    }

    pub(crate) fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        json(self.claims)
    }

    /// The claims as they were signed.
    pub(crate) fn claims_json(&self) -> Option<String> {
        text(self.claims)
    }
}

/// Decodes the claims of a JWT without verifying it: it was verified earlier, or another party verifies it. Returns
/// `None` if the token is not a JWT.
pub(crate) fn decode_claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    let mut parts = token.split('.');
    let (_header, claims) = (parts.next()?, parts.next()?);
    let (_signature, None) = (parts.next()?, parts.next()) else { return None };
    json(claims)
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_str(&text(part)?).ok()
}

/// RFC 7515, section 5.2: UTF-8 as a whole. From bytes, serde would skip what a type does not have unread.
fn text(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Deserializes a `NumericDate`: seconds since 1970 (RFC 7519, section 2). Drops a fraction.
pub(crate) fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    NumericDate::deserialize(deserializer).map(|NumericDate(seconds)| seconds)
}

/// Deserializes a [`numeric_date`] that may be `null`.
pub(crate) fn optional_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|NumericDate(seconds)| seconds))
}

struct NumericDate(u64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;

        impl Visitor<'_> for Seconds {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970")
            }

            fn visit_u64<E>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate(seconds))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                // Above 2^53 an f64 has no exact seconds.
                if !(0.0..9_007_199_254_740_992.0).contains(&seconds) {
                    return Err(E::invalid_value(de::Unexpected::Float(seconds), &self));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the range is checked above"
                )]
                Ok(NumericDate(seconds as u64))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

/// Deserializes an audience: a string or an array of strings (RFC 7519, section 4.1.3). `null` is an empty audience.
pub(crate) fn audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Audience::One(audience)) => vec![audience],
        Some(Audience::Many(audiences)) => audiences,
        None => Vec::new(),
    })
}
