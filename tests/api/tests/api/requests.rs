//! Requests to the apps, and what they are answered with.

use fake_provider::{API, FakeProvider, SUBJECT};
use logto_client::api::LogtoApi;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::frameworks::{App, FRAMEWORKS};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenge: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) content_type: Option<String>,
    pub(crate) is_cached: bool,
    pub(crate) body: String,
}

impl Answer {
    /// The error code in the challenge.
    pub(crate) fn error(&self) -> Option<&str> {
        self.param("error")
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.challenge.as_deref()?.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()
    }

    /// Whether the body is what the default makes of the error.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(self.content_type.as_deref(), Some("application/problem+json"));
        serde_json::from_str(&self.body).expect("problem details")
    }
}

pub(crate) async fn send(app: &App, method: Method, path: &str, authorization: &[String]) -> Answer {
    try_send(app, method, path, authorization).await.expect("an answer")
}

/// `None` if the connection ends without an answer.
pub(crate) async fn try_send(app: &App, method: Method, path: &str, authorization: &[String]) -> Option<Answer> {
    let mut request = app.client.request(method, format!("{}{path}", app.url));
    for header in authorization {
        request = request.header(AUTHORIZATION, header);
    }
    answer(request).await
}

/// Sends a request to which anything is added.
pub(crate) async fn send_with(
    app: &App,
    method: Method,
    path: &str,
    add: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Answer {
    let request = app.client.request(method, format!("{}{path}", app.url));
    answer(add(request)).await.expect("an answer")
}

async fn answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let header = |name| {
        let mut values = response.headers().get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("text").to_owned());
        assert!(values.next().is_none(), "a header twice");
        value
    };
    Some(Answer {
        status: response.status().as_u16(),
        challenge: header(WWW_AUTHENTICATE),
        retry_after: header(reqwest::header::RETRY_AFTER).map(|seconds| seconds.parse().expect("seconds")),
        content_type: header(CONTENT_TYPE),
        is_cached: header(CACHE_CONTROL).as_deref() != Some("no-store"),
        body: response.text().await.expect("a body"),
    })
}

pub(crate) fn bearer(token: &str) -> [String; 1] {
    [format!("Bearer {token}")]
}

pub(crate) fn api(provider: &FakeProvider) -> LogtoApi {
    LogtoApi::builder(provider.origin()).audience(API).build().expect("an API")
}

#[tokio::test]
async fn a_valid_token_is_enough_to_read_and_its_scope_decides_what_else() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        let reader = bearer(&provider.access_token(|_| ()));
        let writer = bearer(&provider.access_token(|token| token.claims["scope"] = "read write".into()));
        for (method, token, status) in [
            (Method::GET, &reader, 200),
            (Method::GET, &writer, 200),
            (Method::POST, &writer, 200),
            (Method::POST, &reader, 403),
        ] {
            let answer = send(&app, method.clone(), "/things", token).await;
            assert_eq!(answer.status, status, "{}: {method}", framework.name);
            if status == 200 {
                assert_eq!((&*answer.body, answer.challenge), (SUBJECT, None), "{}", framework.name);
            } else {
                assert_eq!((answer.error(), answer.param("scope")), (Some("insufficient_scope"), Some("write")));
                let problem = answer.problem();
                assert_eq!((&problem["status"], &problem["scope"]), (&403.into(), &"write".into()));
                assert!(!answer.is_cached);
            }
        }
    }
}

#[tokio::test]
async fn a_token_can_be_optional_but_not_a_wrong_one() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        let token = bearer(&provider.access_token(|_| ()));
        for (authorization, status, body) in [
            (&[][..], 200, Some("nobody")),
            (&["Basic YTpi".to_owned()], 200, Some("nobody")),
            (&token, 200, Some(SUBJECT)),
            (&bearer("a.b.c"), 401, None),
            (&["Bearer".to_owned()], 400, None),
        ] {
            let answer = send(&app, Method::GET, "/maybe", authorization).await;
            assert_eq!(answer.status, status, "{}: {authorization:?}", framework.name);
            assert!(body.is_none_or(|body| body == answer.body), "{}: {}", framework.name, answer.body);
        }
    }
}
