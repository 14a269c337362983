//! An app and its visitors.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use dev_provider::{Config, DevProvider};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use servers::Browser;
use url::Url;

pub(crate) const REDIRECT_URI: &str = "http://localhost:3000/callback";
pub(crate) const STATE: &str = "the state & more";
pub(crate) const NONCE: &str = "the nonce";
pub(crate) const VERIFIER: &str = "a-verifier-of-43-characters-or-more-0123456789";
pub(crate) const API: &str = "https://api.example.com";
pub(crate) const BILLING: &str = "https://billing.example.com";
pub(crate) const ORGANIZATIONS: [(&str, &str); 4] = [
    ("scope", "openid offline_access urn:logto:scope:organizations read:members invite:members read:items"),
    ("resource", "urn:logto:resource:organizations"),
    ("resource", API),
    ("prompt", "consent"),
];

/// Names and values of parameters. An empty value stands for none.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn config() -> Config {
    Config { endpoint: "http://127.0.0.1:0".to_owned(), ..Config::default() }
}

pub(crate) async fn start() -> DevProvider {
    DevProvider::start(config()).await.unwrap()
}

/// A user's browser at the provider. It follows no redirect, so that a test sees each of them.
pub(crate) struct Visitor(Browser);

impl Visitor {
    pub(crate) fn new() -> Self {
        Self(Browser::new())
    }

    pub(crate) async fn get(&self, url: &str) -> Response {
        self.0.request(Method::GET, url).send().await.unwrap()
    }

    /// Opens the authorization URL of an app, with some of its parameters replaced.
    pub(crate) async fn authorize(&self, provider: &DevProvider, fields: Fields<'_>) -> Response {
        self.get(authorization_url(provider, fields).as_str()).await
    }

    /// Sends a form of the sign-in page.
    pub(crate) async fn submit(&self, provider: &DevProvider, page: &str, fields: Fields<'_>) -> Response {
        let mut form = vec![("interaction", interaction(page))];
        form.extend(fields);
        let request = self.0.request(Method::POST, &format!("{}/sign-in", provider.issuer()));
        request.with(|request| request.form(&form)).send().await.unwrap()
    }

    /// Signs in on the page that the request shows.
    pub(crate) async fn sign_in(&self, provider: &DevProvider, name: &str, fields: Fields<'_>) -> Callback {
        let page = self.authorize(provider, fields).await.text().await.unwrap();
        Callback::of(&self.submit(provider, &page, &[("name", name)]).await)
    }
}

/// A client without cookies, such as an app's server.
pub(crate) fn client() -> Client {
    Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

/// The URL that an app sends the browser to, with some of its parameters replaced.
pub(crate) fn authorization_url(provider: &DevProvider, fields: Fields<'_>) -> Url {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let default = [
        ("client_id", &*provider.config().client_id),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid offline_access profile"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", STATE),
        ("nonce", NONCE),
        ("prompt", "consent"),
    ];
    let url = format!("{}/auth", provider.issuer());
    Url::parse_with_params(&url, replaced(&default, fields)).unwrap()
}

pub(crate) fn interaction(page: &str) -> &str {
    let (_, rest) =
        page.split_once(r#"name="interaction" value=""#).unwrap_or_else(|| panic!("no sign-in page: {page}"));
    rest.split('"').next().unwrap()
}

/// Where the browser was sent back to.
pub(crate) struct Callback(pub(crate) Url);

impl Callback {
    pub(crate) fn of(response: &Response) -> Self {
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        Self(Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap())
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn code(&self) -> String {
        self.get("code").unwrap_or_else(|| panic!("no code: {}", self.0))
    }
}

/// An answer in JSON.
pub(crate) struct Answer {
    pub(crate) response_headers: reqwest::header::HeaderMap,
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (response_headers, status) = (response.headers().clone(), response.status());
        let body = response.text().await.unwrap();
        Self { response_headers, status, body: serde_json::from_str(&body).unwrap_or(Value::Null) }
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {}", self.body))
    }

    #[track_caller]
    pub(crate) fn assert_error(&self, status: StatusCode, error: &str) {
        assert_eq!((self.status, self.body["error"].as_str()), (status, Some(error)), "{}", self.body);
    }

    #[track_caller]
    pub(crate) fn assert_invalid_grant(&self) {
        self.assert_error(StatusCode::BAD_REQUEST, "invalid_grant");
    }
}

/// Posts a form with the client's own credentials.
pub(crate) async fn post(provider: &DevProvider, path: &str, fields: Fields<'_>) -> Answer {
    let Config { client_id, client_secret, .. } = provider.config();
    post_as(provider, path, client_secret.as_ref().map(|secret| format!("{client_id}:{secret}")).as_deref(), fields)
        .await
}

/// Posts a form with these credentials for Basic authentication.
pub(crate) async fn post_as(provider: &DevProvider, path: &str, basic: Option<&str>, fields: Fields<'_>) -> Answer {
    let request = client().post(format!("{}{path}", provider.issuer())).form(fields);
    let request = match basic {
        Some(credentials) => request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(credentials))),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

/// The form that exchanges a code, with some of its fields replaced.
pub(crate) fn code_form<'a>(code: &'a str, fields: Fields<'a>) -> Vec<(&'a str, &'a str)> {
    let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI)];
    replaced(&[&grant[..], &[("code_verifier", VERIFIER)]].concat(), fields)
}

pub(crate) async fn exchange(provider: &DevProvider, code: &str) -> Answer {
    post(provider, "/token", &code_form(code, &[])).await
}

/// The tokens of a user who has just signed in.
pub(crate) async fn tokens(provider: &DevProvider, name: &str, fields: Fields<'_>) -> Answer {
    let answer = exchange(provider, &Visitor::new().sign_in(provider, name, fields).await.code()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer
}

pub(crate) async fn refresh(provider: &DevProvider, refresh_token: &str, fields: Fields<'_>) -> Answer {
    let form = [&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)], fields].concat();
    post(provider, "/token", &form).await
}

pub(crate) async fn user_info(provider: &DevProvider, access_token: &str) -> Answer {
    let request = client().get(format!("{}/me", provider.issuer())).bearer_auth(access_token);
    Answer::of(request.send().await.unwrap()).await
}

/// The header and the claims of a JWT, once its signature, its issuer and its audience are found right.
pub(crate) async fn verified(provider: &DevProvider, token: &str, audience: &str) -> (Header, Value) {
    let key_set = Visitor::new().get(&format!("{}/jwks", provider.issuer())).await.text().await.unwrap();
    let key_set: JwkSet = serde_json::from_str(&key_set).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = DecodingKey::from_jwk(key_set.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES384);
    validation.set_issuer(&[provider.issuer()]);
    validation.set_audience(&[audience]);
    (header, jsonwebtoken::decode(token, &key, &validation).unwrap().claims)
}

fn replaced<'a>(default: &[(&'a str, &'a str)], fields: Fields<'a>) -> Vec<(&'a str, &'a str)> {
    let mut all = default.to_vec();
    all.retain(|(name, _)| !fields.iter().any(|(replaced, _)| replaced == name));
    all.extend(fields.iter().filter(|(_, value)| !value.is_empty()));
    all
}
