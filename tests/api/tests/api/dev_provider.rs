//! Tokens that are issued by the development provider, which is as strict as Logto.

use dev_provider::{Config, DevProvider, SigningAlgorithm};
use logto_client::LogtoStorage;
use logto_client::api::{ApiError, LogtoApi, LogtoApiBuilder};
use logto_client::{
    AccessTokenError, LogtoClient, LogtoConfig, LogtoScope, LogtoSession, MemorySession, SignInOptions, TokenTarget,
    scope,
};
use serde_json::Value;

pub(crate) const API: &str = "https://api.example.com";
const REDIRECT_URI: &str = "http://localhost:3000/callback";

#[derive(LogtoScope)]
#[logto(scope = "write:items", resource = "https://api.example.com")]
pub(crate) struct WriteItems;

#[derive(LogtoScope)]
#[logto(scope = "read:items")]
pub(crate) struct ReadItems;

#[derive(LogtoScope)]
#[logto(scope = "invite:members", resource = "urn:logto:resource:organizations")]
pub(crate) struct InviteMembers;

#[derive(Clone, Default, LogtoStorage)]
pub(crate) struct Storage(MemorySession);

pub(crate) async fn start() -> DevProvider {
    start_with(Config::default()).await
}

pub(crate) async fn start_with(config: Config) -> DevProvider {
    let config = Config { endpoint: "http://127.0.0.1:0".to_owned(), ..config };
    DevProvider::start(config).await.expect("a development provider")
}

pub(crate) fn client(provider: &DevProvider) -> LogtoClient {
    client_with(provider, &[])
}

/// Requests more scopes than those of organizations and APIs.
pub(crate) fn client_with(provider: &DevProvider, scopes: &[&str]) -> LogtoClient {
    let usual = [scope::ORGANIZATIONS, "read:items", "write:items", "read:members", "invite:members"];
    client_with_scopes(provider, &[&usual, scopes].concat())
}

pub(crate) fn client_with_scopes(provider: &DevProvider, scopes: &[&str]) -> LogtoClient {
    let config = LogtoConfig::builder(provider.endpoint(), &provider.config().client_id)
        .app_secret(provider.config().client_secret.clone().expect("a secret"))
        .scopes(scopes.iter().copied())
        .resources([API, "https://billing.example.com"])
        .build();
    LogtoClient::new(config.expect("a configuration")).expect("a client")
}

pub(crate) async fn signed_in(provider: &DevProvider, user: &str) -> LogtoSession<Storage> {
    sign_in(provider, client(provider), user).await
}

pub(crate) async fn sign_in(provider: &DevProvider, client: LogtoClient, user: &str) -> LogtoSession<Storage> {
    let session = client.session(Storage::default());
    let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.expect("a URL");
    let callback = provider.authorize(&url, user).await.expect("a sign-in");
    session.handle_sign_in_callback(callback.as_str()).await.expect("a session");
    session
}

fn api(provider: &DevProvider, configure: impl FnOnce(LogtoApiBuilder) -> LogtoApiBuilder) -> LogtoApi {
    configure(LogtoApi::builder(provider.endpoint())).build().expect("an API")
}

async fn token(session: &LogtoSession<Storage>, target: TokenTarget) -> String {
    session.access_token(target).await.expect("a token").as_str().to_owned()
}

async fn machine_token(provider: &DevProvider, fields: &[(&str, &str)]) -> String {
    let form = [&[("grant_type", "client_credentials")], fields].concat();
    let request = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let request =
        request.post(format!("{}/token", provider.issuer())).basic_auth("dev-machine", Some("dev-machine-secret"));
    let answer = request.form(&form).send().await.expect("an answer").text().await.expect("a body");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    answer["access_token"].as_str().expect("a token").to_owned()
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, ApiError>) -> AccessTokenError {
    match result {
        Err(ApiError::InvalidToken(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_users_token_for_the_api_has_the_scopes_of_their_roles() {
    let provider = start().await;
    let api = api(&provider, |builder| builder.audience(API).permissions::<(ReadItems, WriteItems)>());
    for (user, reads, writes) in [("Alice", true, true), ("Carol", false, false)] {
        let session = signed_in(&provider, user).await;

        let verified = api.verify(&token(&session, TokenTarget::resource(API)).await).await.expect("a valid token");

        assert_eq!((verified.allows::<ReadItems>(), verified.allows::<WriteItems>()), (reads, writes), "{user}");
        assert_eq!((verified.is_machine(), verified.client_id()), (false, "dev-client"));
        assert_eq!(
            Some(verified.sub()),
            session.context().await.expect("a session").claims.map(|own| own.sub).as_deref()
        );
    }
}

#[tokio::test]
async fn tokens_that_are_not_for_the_api_are_refused() {
    let provider = start().await;
    let api = api(&provider, |builder| builder.audience(API));
    let session = signed_in(&provider, "Alice").await;
    let id_token = session.id_token().await.expect("a session").expect("an ID token");
    let refresh_token = session.refresh_token().await.expect("a session").expect("a refresh token");
    for (token, expected) in [
        (id_token.as_str().to_owned(), AccessTokenError::Type),
        (token(&session, TokenTarget::resource("https://billing.example.com")).await, AccessTokenError::Audience),
        (token(&session, TokenTarget::organization("acme")).await, AccessTokenError::Audience),
        (token(&session, TokenTarget::resource(API).in_organization("acme")).await, AccessTokenError::Organization),
        (token(&session, TokenTarget::provider()).await, AccessTokenError::Malformed("not a signed JWT")),
        (refresh_token.as_str().to_owned(), AccessTokenError::Malformed("not a signed JWT")),
    ] {
        assert_eq!(refusal(api.verify(&token).await), expected);
    }
}

#[tokio::test]
async fn organizations_have_tokens_and_permissions_of_their_own() {
    let provider = start().await;
    let api = api(&provider, |builder| {
        builder.audience(API).in_organizations().organization_tokens().permissions::<(ReadItems, InviteMembers)>()
    });
    let session = signed_in(&provider, "Alice").await;

    let of_acme = api.verify(&token(&session, TokenTarget::organization("acme")).await).await.expect("valid");
    let of_globex = api.verify(&token(&session, TokenTarget::organization("globex")).await).await.expect("valid");
    let within = TokenTarget::resource(API).in_organization("acme");
    let within = api.verify(&token(&session, within).await).await.expect("valid");

    assert_eq!((of_acme.organization_id(), of_acme.allows::<InviteMembers>()), (Some("acme"), true));
    assert_eq!((of_globex.organization_id(), of_globex.allows::<InviteMembers>()), (Some("globex"), false));
    assert!(!of_acme.allows::<ReadItems>());
    assert_eq!((within.organization_id(), within.allows::<ReadItems>()), (Some("acme"), true));
}

#[tokio::test]
async fn a_machine_is_told_from_a_user() {
    let provider = start().await;
    let api = api(&provider, |builder| builder.audience(API));
    for (fields, reads) in [(&[("resource", API)][..], false), (&[("resource", API), ("scope", "read:items")], true)] {
        let verified = api.verify(&machine_token(&provider, fields).await).await.expect("a valid token");
        assert_eq!((verified.is_machine(), verified.sub()), (true, "dev-machine"));
        assert_eq!(verified.allows::<ReadItems>(), reads);
    }
}

#[tokio::test]
async fn opaque_tokens_are_introspected_and_a_revoked_one_is_refused() {
    let provider = start().await;
    let (id, secret) =
        (provider.config().client_id.clone(), provider.config().client_secret.clone().expect("a secret"));
    let api = api(&provider, |builder| {
        builder.audience(API).introspection(id, secret).introspection_max_age(std::time::Duration::ZERO)
    });
    let session = signed_in(&provider, "Alice").await;
    let opaque = token(&session, TokenTarget::provider()).await;
    let refresh_token = session.refresh_token().await.expect("a session").expect("a refresh token");

    let verified = api.verify(&opaque).await.expect("a valid token");
    assert!(verified.scopes().any(|scope| scope == "openid"));
    assert!(!verified.allows::<ReadItems>());
    assert_eq!(refusal(api.verify(refresh_token.as_str()).await), AccessTokenError::Type);
    assert_eq!(refusal(api.verify("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y").await), AccessTokenError::Inactive);
    assert!(api.verify(&token(&session, TokenTarget::resource(API)).await).await.is_ok());

    provider.revoke_all_grants();
    assert_eq!(refusal(api.verify(&opaque).await), AccessTokenError::Inactive);
}

#[tokio::test]
async fn each_algorithm_and_each_rotation_of_the_provider_is_followed() {
    for signing_algorithm in
        [SigningAlgorithm::Es384, SigningAlgorithm::Es512, SigningAlgorithm::Rs256, SigningAlgorithm::Ps256]
    {
        let provider = start_with(Config { signing_algorithm, ..Config::default() }).await;
        let api = api(&provider, |builder| builder.audience(API));
        let first = machine_token(&provider, &[("resource", API)]).await;
        api.verify(&first).await.expect("a valid token");

        provider.rotate_signing_key().expect("a key");
        let second = machine_token(&provider, &[("resource", API)]).await;
        for token in [&second, &first] {
            api.verify(token).await.unwrap_or_else(|error| panic!("{signing_algorithm:?}: {error}"));
        }

        provider.rotate_signing_key().expect("a key");
        api.verify(&machine_token(&provider, &[("resource", API)]).await).await.expect("a valid token");
        assert_eq!(refusal(api.verify(&first).await), AccessTokenError::UnknownKey, "two rotations ago");
    }
}
