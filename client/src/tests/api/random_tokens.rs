//! Random tokens, and valid ones with random changes. `LOGTO_API_RANDOM_TOKENS=1000000` tries a million of each.

use std::env;
use std::fmt::Debug;

use fake_provider::keys::{base64url, one_per_algorithm};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{API, World};
use crate::api::{ApiError, Bearer, LogtoApi};

/// The world of the tests, with a valid token of each algorithm.
struct Tokens {
    runtime: Runtime,
    world: World,
    valid: Vec<String>,
}

impl Tokens {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (world, valid) = runtime.block_on(async {
            // So that each is verified.
            let world = World::start_with(|builder| builder.audience(API).max_remembered_tokens(0)).await;
            world.provider.set_keys(one_per_algorithm().map(Clone::clone).into());
            let signed_with = |key| {
                world.token(|token| {
                    token.claims["exp"] = json!(4_000_000_000_u64);
                    token.sign_with(key);
                })
            };
            let valid: Vec<_> = one_per_algorithm().map(signed_with).into();
            (world, valid)
        });
        Self { runtime, world, valid }
    }

    fn request(&self, header: &[u8], query: Option<&str>) -> Result<Bearer<LogtoApi>, ApiError> {
        self.runtime.block_on(Bearer::from_request(self.world.api.clone(), [header], query))
    }

    fn for_all<T: Debug>(&self, strategy: impl Strategy<Value = T>, check: impl Fn(T) -> Result<(), TestCaseError>) {
        for token in &self.valid {
            let header = format!("Bearer {token}");
            assert!(self.request(header.as_bytes(), None).is_ok(), "the unchanged one");
        }
        let cases = env::var("LOGTO_API_RANDOM_TOKENS").map_or(500, |cases| cases.parse().expect("a number"));
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        if let Err(failure) = TestRunner::new(config).run(&strategy, check) {
            panic!("{failure}");
        }
    }
}

/// A change of a token. An index is relative to the length of what is changed.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, char),
    Insert(Index, char),
    Remove(Index),
    CutAfter(Index),
    Repeat(Index, Index),
    SwapParts(usize, usize),
    PartOfAnother(usize, Index),
    /// Of the decoded part.
    FlipBit(usize, Index, u8),
    /// Of the decoded part.
    RemoveByte(usize, Index),
    /// Of the decoded part, which is JSON.
    ReplaceText(usize, &'static str, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let part = || 0..3_usize;
    let letter = || {
        prop_oneof![
            4 => select("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().collect::<Vec<_>>()),
            1 => select(".=+/ ~,%\t\"\0é".chars().collect::<Vec<_>>()),
        ]
    };
    let texts = [
        ("ES384", "none"),
        ("ES384", "HS256"),
        ("RS256", "PS256"),
        ("ES256", "ES384"),
        ("at+jwt", "JWT"),
        ("kid", "jku"),
        ("\"alg\"", "\"crit\":null,\"alg\""),
        ("user-1", "user-2"),
        ("read", "read write"),
        ("4000000000", "4000000001"),
        ("example.com", "example.org"),
        ("{", "{\"sub\":\"admin\","),
    ];
    prop_oneof![
        (any::<Index>(), letter()).prop_map(|(at, letter)| Change::Replace(at, letter)),
        (any::<Index>(), letter()).prop_map(|(at, letter)| Change::Insert(at, letter)),
        any::<Index>().prop_map(Change::Remove),
        any::<Index>().prop_map(Change::CutAfter),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
        (part(), part()).prop_map(|(a, b)| Change::SwapParts(a, b)),
        (part(), any::<Index>()).prop_map(|(part, other)| Change::PartOfAnother(part, other)),
        (part(), any::<Index>(), 0..8_u8).prop_map(|(part, at, bit)| Change::FlipBit(part, at, bit)),
        (part(), any::<Index>()).prop_map(|(part, at)| Change::RemoveByte(part, at)),
        (part(), select(texts.to_vec())).prop_map(|(part, (from, to))| Change::ReplaceText(part, from, to)),
    ]
}

impl Change {
    fn apply(&self, token: &str, others: &[String]) -> String {
        let mut chars: Vec<char> = token.chars().collect();
        let length = chars.len();
        if length == 0 {
            return String::new();
        }
        match self {
            Self::Replace(at, letter) => chars[at.index(length)] = *letter,
            Self::Insert(at, letter) => chars.insert(at.index(length), *letter),
            Self::Remove(at) => {
                chars.remove(at.index(length));
            }
            Self::CutAfter(at) => chars.truncate(at.index(length)),
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                let piece = chars[from.min(to)..from.max(to)].to_vec();
                chars.splice(from..from, piece);
            }
            Self::SwapParts(a, b) => return with_parts(token, |parts| parts.swap(*a, *b)),
            Self::PartOfAnother(part, other) => {
                let other = other.get(others).split('.').nth(*part).unwrap_or_default().to_owned();
                return with_parts(token, |parts| parts[*part] = other);
            }
            Self::FlipBit(part, at, bit) => {
                return with_bytes(token, *part, |bytes| *at.get_mut(bytes) ^= 1 << bit);
            }
            Self::RemoveByte(part, at) => {
                return with_bytes(token, *part, |bytes| {
                    bytes.remove(at.index(bytes.len()));
                });
            }
            Self::ReplaceText(part, from, to) => {
                return with_bytes(token, *part, |bytes| {
                    *bytes = String::from_utf8_lossy(bytes).replacen(from, to, 1).into_bytes();
                });
            }
        }
        chars.into_iter().collect()
    }
}

/// Changes the parts of a token that has three.
fn with_parts(token: &str, change: impl FnOnce(&mut [String; 3])) -> String {
    let parts: Result<[String; 3], _> = token.split('.').map(str::to_owned).collect::<Vec<_>>().try_into();
    let Ok(mut parts) = parts else { return token.to_owned() };
    change(&mut parts);
    parts.join(".")
}

/// Changes the bytes of a part that is base64url.
fn with_bytes(token: &str, part: usize, change: impl FnOnce(&mut Vec<u8>)) -> String {
    use base64::Engine as _;
    with_parts(token, |parts| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&parts[part]);
        if let Some(mut bytes) = bytes.ok().filter(|bytes| !bytes.is_empty()) {
            change(&mut bytes);
            parts[part] = base64url(bytes);
        }
    })
}

#[test]
fn a_changed_token_is_never_accepted() {
    let tokens = Tokens::start();
    tokens.for_all((any::<Index>(), vec(change(), 1..4)), |(of, changes)| {
        let original = of.get(&tokens.valid);
        let token = changes.iter().fold(original.clone(), |token, change| change.apply(&token, &tokens.valid));
        let accepted = tokens.request(format!("Bearer {token}").as_bytes(), None).is_ok();
        // White space around a token is none of the token's.
        let is_valid = tokens.valid.iter().any(|valid| valid == token.trim_ascii());
        if accepted == is_valid { Ok(()) } else { Err(TestCaseError::fail(format!("accepted: {accepted}: {token}"))) }
    });
}

#[test]
fn random_bytes_are_never_accepted() {
    let tokens = Tokens::start();
    let parts = (vec(any::<u8>(), 0..200), vec(any::<u8>(), 0..400), vec(any::<u8>(), 0..200));
    let header = prop_oneof![
        vec(any::<u8>(), 0..300),
        vec(any::<u8>(), 0..300).prop_map(|bytes| [b"Bearer ", &bytes[..]].concat()),
        "[bB]earer [A-Za-z0-9._~+/-]{0,300}={0,2}".prop_map(String::into_bytes),
        parts.prop_map(|(header, claims, signature)| {
            format!("Bearer {}.{}.{}", base64url(header), base64url(claims), base64url(signature)).into_bytes()
        }),
        ("\\PC{0,80}", "\\PC{0,200}", vec(any::<u8>(), 0..120)).prop_map(|(extra, claims, signature)| {
            let header = format!(r#"{{"alg":"ES384","kid":"ES384","typ":"at+jwt"{extra}}}"#);
            format!("Bearer {}.{}.{}", base64url(header), base64url(claims), base64url(signature)).into_bytes()
        }),
    ];
    let query = prop_oneof![Just(None), "\\PC{0,40}".prop_map(Some)];
    tokens.for_all((header, query), |(header, query)| match tokens.request(&header, query.as_deref()) {
        Ok(_) => Err(TestCaseError::fail("accepted")),
        Err(_) => Ok(()),
    });
}
