//! Requests that nobody may get through with: tables of requests, each refused for its own reason by every framework.

mod algorithms;
mod claims;
mod encodings;
mod flaws;
mod headers;
mod requests;
mod scopes;
mod sizes;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::iter;

use fake_provider::{Endpoint, FakeProvider};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use self::flaws::NO_KEY;
use crate::frameworks::{App, FRAMEWORKS, Framework};
use crate::requests::{Answer, api, bearer, send, send_with};

/// A request, and how it has to be refused.
#[derive(Clone)]
pub(crate) struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    headers: Vec<(&'static str, HeaderValue)>,
    body: String,
    refusal: Refusal,
}

/// Why a request is refused, in the words of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoToken,
    InvalidRequest(&'static str),
    InvalidToken(&'static str),
    /// The scope is `write`.
    InsufficientScope,
}

impl Case {
    fn new(name: &'static str, headers: &[(&'static str, &[u8])], refusal: Refusal) -> Self {
        let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).expect("a header");
        let headers = headers.iter().map(|(name, bytes)| (*name, value(bytes))).collect();
        Self { name, method: Method::GET, path: "/things", headers, body: String::new(), refusal }
    }

    fn of_token(name: &'static str, token: &str, flaw: &'static str) -> Self {
        let header = format!("Bearer {token}");
        Self::new(name, &[("authorization", header.as_bytes())], Refusal::InvalidToken(flaw))
    }

    fn at(self, method: Method, path: &'static str) -> Self {
        Self { method, path, ..self }
    }

    /// Rocket drops a header that is not UTF-8.
    fn refusal_by(&self, framework: &Framework) -> Refusal {
        let is_dropped = self.headers.iter().any(|(_, value)| str::from_utf8(value.as_bytes()).is_err());
        if is_dropped && framework.name == "Rocket" { Refusal::NoToken } else { self.refusal }
    }

    async fn send(&self, app: &App) -> Answer {
        send_with(app, self.method.clone(), self.path, |mut request| {
            for (name, value) in &self.headers {
                request = request.header(*name, value);
            }
            if self.body.is_empty() {
                return request;
            }
            request.header("content-type", "application/x-www-form-urlencoded").body(self.body.clone())
        })
        .await
    }
}

impl Refusal {
    fn status(self) -> u16 {
        match self {
            Self::InvalidRequest(_) => 400,
            Self::NoToken | Self::InvalidToken(_) => 401,
            Self::InsufficientScope => 403,
        }
    }

    /// The error code and its description.
    fn error(self) -> Option<(&'static str, String)> {
        match self {
            Self::NoToken => None,
            Self::InvalidRequest(problem) => Some(("invalid_request", format!("the request {problem}"))),
            Self::InvalidToken(flaw) => Some(("invalid_token", format!("invalid access token: {flaw}"))),
            Self::InsufficientScope => {
                Some(("insufficient_scope", "the access token lacks a permission: write".to_owned()))
            }
        }
    }

    fn challenge(self) -> String {
        let realm = r#"Bearer realm="https://api.example.com""#;
        let scope = if self == Self::InsufficientScope { r#", scope="write""# } else { "" };
        match self.error() {
            None => realm.to_owned(),
            Some((code, description)) => {
                format!(r#"{realm}, error="{code}", error_description="{description}"{scope}"#)
            }
        }
    }

    /// The problem details (RFC 9457).
    fn problem(self) -> Value {
        let title = match self.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            _ => "Forbidden",
        };
        let mut problem = json!({"title": title, "status": self.status()});
        match self.error() {
            Some((code, description)) => {
                problem["error"] = json!(code);
                problem["detail"] = json!(description);
            }
            None => problem["detail"] = json!("the request has no access token"),
        }
        if self == Self::InsufficientScope {
            problem["scope"] = json!("write");
        }
        problem
    }

    fn is_answered_by(self, answer: &Answer) -> bool {
        answer.status == self.status()
            && answer.challenge.as_deref() == Some(&*self.challenge())
            && answer.content_type.as_deref() == Some("application/problem+json")
            && serde_json::from_str(&answer.body).is_ok_and(|body: Value| body == self.problem())
            && !answer.is_cached
    }
}

fn all_cases(provider: &FakeProvider) -> Vec<Case> {
    [
        requests::cases(provider),
        encodings::cases(provider),
        headers::cases(provider),
        algorithms::cases(provider),
        claims::cases(provider),
        scopes::cases(provider),
    ]
    .concat()
}

/// Whether the response's headers or its body repeat a piece of what was sent.
fn is_repeated(case: &Case, answer: &Answer) -> bool {
    let text = format!("{:?} {}", answer.challenge, answer.body);
    let sent = case.headers.iter().map(|(_, value)| String::from_utf8_lossy(value.as_bytes()));
    sent.into_iter().any(|sent| sent.split([' ', '.', ',']).any(|part| part.len() >= 8 && text.contains(part)))
}

/// Returns what is wrong with the answers.
async fn not_refused(framework: &Framework, app: &App, cases: &[Case]) -> String {
    let mut wrong = String::new();
    for case in cases {
        let (refusal, answer) = (case.refusal_by(framework), case.send(app).await);
        if !refusal.is_answered_by(&answer) || is_repeated(case, &answer) {
            let Answer { status, challenge, body, .. } = answer;
            let name = framework.name;
            writeln!(wrong, "{name}: {}: {status} {challenge:?} {body}, not {refusal:?}", case.name).expect("a text");
        }
    }
    wrong
}

/// How often in a row the JWK set is fetched for unknown keys.
const RENEWALS: usize = 5;

#[tokio::test]
async fn every_hostile_request_is_refused_by_every_framework() {
    let provider = flaws::provider().await;
    let cases = all_cases(&provider);
    let mut names = HashSet::new();
    assert!(cases.iter().all(|case| names.insert(case.name) || panic!("two cases are called {:?}", case.name)));
    let (of_no_key, others): (Vec<_>, Vec<_>) =
        cases.into_iter().partition(|case| case.refusal == Refusal::InvalidToken(NO_KEY));
    let good = bearer(&provider.access_token(|_| ()));

    let (mut wrong, mut requests) = (String::new(), Vec::new());

    for framework in FRAMEWORKS {
        let before = provider.count(Endpoint::Jwks);
        for cases in iter::once(&*others).chain(of_no_key.chunks(RENEWALS)) {
            let app = framework.start(api(&provider)).await;
            wrong += &not_refused(&framework, &app, cases).await;
            let answer = send(&app, Method::GET, "/things", &good).await;
            if answer.status != 200 {
                writeln!(wrong, "{}: a good token: {}", framework.name, answer.status).expect("a text");
            }
        }
        requests.push(provider.count(Endpoint::Jwks) - before);
    }

    assert!(wrong.is_empty(), "{wrong}");
    // One for each app, and one for each unknown key.
    assert_eq!(requests, [1 + of_no_key.chunks(RENEWALS).len() + of_no_key.len(); FRAMEWORKS.len()]);
    assert_eq!(provider.count(Endpoint::Elsewhere), 0, "no URL of a token was fetched");
}
