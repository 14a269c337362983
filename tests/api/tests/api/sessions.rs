//! The same permissions, and roles, on routes of signed-in users.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dev_provider::{Config, DevProvider, Membership, OrganizationRole};
use logto_client::api::{Allowed, AnyOf};
use logto_client::axum::{InSession, LogtoAuth};
use logto_client::{Error, LogtoRole, LogtoScope, LogtoSession, Permission, scope};
use reqwest::{Method, StatusCode, header};
use servers::Browser;
use tokio::net::TcpListener;
use tower_sessions_0_15::cookie::SameSite;
use tower_sessions_0_15::{MemoryStore, Session, SessionManagerLayer};

use crate::dev_provider::{
    API, InviteMembers, ReadItems, Storage, WriteItems, client, client_with, client_with_scopes, sign_in, signed_in,
    start, start_with,
};

type User = logto_client::axum::User<InSession<Session>>;

#[derive(LogtoScope)]
#[logto(scope = "read:items", resource = "https://api.example.com")]
struct ReadItemsOfTheApi;

#[derive(LogtoScope)]
#[logto(scope = "read:items", resource = "https://unlisted.example.com")]
struct Unlisted;

#[derive(LogtoRole)]
#[logto(role = "admin")]
struct Admin;

#[derive(LogtoRole)]
#[logto(role = "owner")]
struct Owner;

#[derive(LogtoRole)]
#[logto(organization_role = "admin")]
struct OrganizationAdmin;

#[derive(LogtoRole)]
#[logto(organization_role = "member")]
struct Member;

#[derive(LogtoRole)]
#[logto(organization_role = "site:admin")]
struct SiteAdmin;

#[derive(LogtoScope)]
#[logto(scope = "read:items", resource = "https://billing.example.com")]
struct ReadItemsOfBilling;

/// With the scopes that roles require.
async fn signed_in_with_roles(provider: &DevProvider, user: &str) -> LogtoSession<Storage> {
    let client = client_with(provider, &[scope::ROLES, scope::ORGANIZATION_ROLES]);
    sign_in(provider, client, user).await
}

/// The number of requests for access tokens so far.
fn token_requests(provider: &DevProvider) -> usize {
    provider.token_requests().len()
}

#[tokio::test]
async fn roles_are_those_of_the_id_token_and_cost_no_request() {
    let provider = start().await;
    let alice = signed_in_with_roles(&provider, "Alice").await;
    let carol = signed_in_with_roles(&provider, "Carol").await;
    let before = token_requests(&provider);

    alice.require::<Admin>().await.expect("the role");
    alice.require::<AnyOf<(Owner, Admin, Unlisted)>>().await.expect("one of the roles");
    for error in [
        carol.require::<Admin>().await.expect_err("no role"),
        alice.require::<Owner>().await.expect_err("another role"),
        alice.require::<(Admin, Owner, WriteItems)>().await.expect_err("one of the roles only"),
    ] {
        assert!(matches!(error, Error::InsufficientScope { .. }), "{error:?}");
    }
    assert_eq!(token_requests(&provider), before);

    alice.require::<(Admin, WriteItems)>().await.expect("a role and a scope");
    let error = carol.require::<AnyOf<(Admin, WriteItems)>>().await.expect_err("neither");
    assert!(matches!(&error, Error::InsufficientScope { missing, .. } if *missing == ["admin"]), "{error:?}");
}

#[tokio::test]
async fn an_organization_role_counts_in_its_organization_only() {
    let provider = start().await;
    let alice = signed_in_with_roles(&provider, "Alice").await;
    let before = token_requests(&provider);

    alice.require_in_organization::<(OrganizationAdmin, Member)>("acme").await.expect("both roles");
    alice.require_in_organization::<Member>("globex").await.expect("the role");
    alice.require_in_organization::<(Admin, Member)>("globex").await.expect("a role of the user and one of the member");
    let error =
        alice.require_in_organization::<OrganizationAdmin>("globex").await.expect_err("a member without the role");
    assert!(matches!(error, Error::InsufficientScope { .. }), "{error:?}");
    for other in ["initech", "", "ACME", "acme:admin", "acme:"] {
        for error in [
            alice.require_in_organization::<()>(other).await.expect_err("not a member"),
            alice.require_in_organization::<Member>(other).await.expect_err("not a member"),
            alice.require_in_organization::<Admin>(other).await.expect_err("not a member, whatever the role elsewhere"),
        ] {
            assert!(matches!(error, Error::NotAMember), "{other}: {error:?}");
            assert!(error.is_access_denied());
        }
    }
    alice.require_in_organization::<()>("globex").await.expect("a member");
    assert_eq!(token_requests(&provider), before);

    let unclear = alice.require::<Member>().await.expect_err("of which organization");
    assert!(matches!(unclear, Error::InvalidOption { name: "organization_role", .. }), "{unclear:?}");
}

#[tokio::test]
async fn a_scope_in_an_organization_is_that_of_a_token_for_it() {
    let provider = start().await;
    let alice = signed_in(&provider, "Alice").await;

    alice.require_in_organization::<InviteMembers>("acme").await.expect("a permission of the organization");
    alice.require_in_organization::<ReadItemsOfTheApi>("acme").await.expect("a permission at the API within it");
    let lacking = alice.require_in_organization::<InviteMembers>("globex").await.expect_err("a member without it");
    assert!(matches!(lacking, Error::InsufficientScope { .. }), "{lacking:?}");
    for other in ["initech", ""] {
        let stranger = alice.require_in_organization::<InviteMembers>(other).await.expect_err("not a member");
        assert!(matches!(stranger, Error::NotAMember), "{stranger:?}");
    }
    let unclear = alice.require::<InviteMembers>().await.expect_err("of which organization");
    assert!(matches!(unclear, Error::InvalidOption { name: "resource", .. }), "{unclear:?}");
}

#[tokio::test]
async fn an_organization_and_a_role_are_compared_as_a_whole() {
    let provider = start().await;
    provider.update_user("Alice", |user| {
        user.memberships = vec![
            Membership::new("acme", &["member", "site:admin", "administrator"]),
            Membership::new("acme-eu", &["admin"]),
        ];
    });
    let alice = signed_in_with_roles(&provider, "Alice").await;

    alice.require_in_organization::<OrganizationAdmin>("acme-eu").await.expect("the role");
    alice.require_in_organization::<SiteAdmin>("acme").await.expect("a role with a colon");
    let error = alice.require_in_organization::<OrganizationAdmin>("acme").await.expect_err("roles that are similar");
    assert!(matches!(error, Error::InsufficientScope { .. }), "{error:?}");
    let error = alice.require_in_organization::<OrganizationAdmin>("acme:site").await.expect_err("no organization");
    assert!(matches!(error, Error::NotAMember), "{error:?}");
}

#[tokio::test]
async fn a_permission_at_an_api_within_an_organization_is_not_one_at_the_api() {
    let organization_roles = vec![OrganizationRole::new("member", &["write:items"])];
    let provider = start_with(Config { organization_roles, ..Config::default() }).await;
    provider.update_user("Bob", |user| user.memberships = vec![Membership::new("globex", &["member"])]);
    let bob = signed_in(&provider, "Bob").await;

    bob.require_in_organization::<WriteItems>("globex").await.expect("a permission within the organization");
    let error = bob.require::<WriteItems>().await.expect_err("not a permission beyond it");
    assert!(matches!(error, Error::InsufficientScope { .. }), "{error:?}");
}

/// The ID token is older than the membership, but the provider knows better.
#[tokio::test]
async fn a_new_member_has_the_scopes_at_once() {
    let provider = start().await;
    let carol = signed_in(&provider, "Carol").await;
    provider.update_user("Carol", |user| user.memberships = vec![Membership::new("acme", &["admin"])]);

    carol.require_in_organization::<InviteMembers>("acme").await.expect("a permission of the organization");
}

#[tokio::test]
async fn roles_that_the_sign_in_did_not_request_are_a_mistake_in_the_configuration() {
    async fn refusal<P: Permission>(session: &LogtoSession<Storage>, organization: Option<&str>) -> Error {
        let result = match organization {
            Some(id) => session.require_in_organization::<P>(id).await,
            None => session.require::<P>().await,
        };
        result.expect_err("a mistake")
    }
    let provider = start().await;
    let without_roles = signed_in(&provider, "Alice").await;
    for (error, expected) in [
        (refusal::<Admin>(&without_roles, None).await, scope::ROLES),
        (refusal::<AnyOf<(WriteItems, Admin)>>(&without_roles, None).await, scope::ROLES),
        (refusal::<Member>(&without_roles, Some("acme")).await, scope::ORGANIZATION_ROLES),
    ] {
        assert!(matches!(error, Error::MissingRoleScope { scope, .. } if scope == expected), "{error:?}");
    }
    let without_organizations = sign_in(&provider, client_with_scopes(&provider, &[scope::ROLES]), "Alice").await;
    let error = refusal::<()>(&without_organizations, Some("acme")).await;
    assert!(matches!(error, Error::MissingOrganizationScope), "{error:?}");
    without_organizations.require::<Admin>().await.expect("the role");

    // The roles in organizations name the organizations, too.
    let roles_only = client_with_scopes(&provider, &[scope::ORGANIZATION_ROLES]);
    let roles_only = sign_in(&provider, roles_only, "Alice").await;
    roles_only.require_in_organization::<Member>("acme").await.expect("the role");

    let nobody = client_with(&provider, &[scope::ROLES]).session(Storage::default());
    assert!(nobody.require::<Admin>().await.expect_err("nobody").is_sign_in_required());
    assert!(nobody.require_in_organization::<()>("acme").await.expect_err("nobody").is_sign_in_required());
}

#[tokio::test]
async fn a_sessions_token_for_the_api_decides() {
    let provider = start().await;
    let (alice, carol) = (signed_in(&provider, "Alice").await, signed_in(&provider, "Carol").await);

    alice.require::<(ReadItemsOfTheApi, WriteItems)>().await.expect("a permission");
    let error = carol.require::<AnyOf<(ReadItemsOfTheApi, WriteItems)>>().await.expect_err("no permission");

    assert!(matches!(&error, Error::InsufficientScope { missing, .. } if *missing == ["read:items"]), "{error:?}");
    assert!(error.is_access_denied());
    let requests = provider.token_requests();
    let for_api = requests.iter().filter(|request| request.resource.as_deref() == Some(API)).count();
    assert_eq!(for_api, 2, "one token for each user, for all scopes of the API");
}

#[tokio::test]
async fn a_scope_is_not_that_of_another_api() {
    let provider = start().await;
    let alice = signed_in(&provider, "Alice").await;

    let error = alice.require::<(ReadItemsOfTheApi, ReadItemsOfBilling)>().await.expect_err("a scope of one of them");
    assert!(matches!(error, Error::InsufficientScope { .. }), "{error:?}");
}

#[tokio::test]
async fn a_permission_that_a_session_cannot_find_out_is_an_error() {
    let provider = start().await;
    let session = signed_in(&provider, "Alice").await;
    let unclear = session.require::<ReadItems>().await.expect_err("of which of two APIs");
    assert!(matches!(unclear, Error::InvalidOption { name: "resource", .. }), "{unclear:?}");
    let unlisted = session.require::<Unlisted>().await.expect_err("an API that is not listed");
    assert!(matches!(unlisted, Error::UnlistedResource { .. }), "{unlisted:?}");
    let nobody = client(&provider).session(Storage::default());
    assert!(nobody.require::<WriteItems>().await.expect_err("nobody").is_sign_in_required());
}

async fn write(Allowed(user): Allowed<WriteItems, User>) -> String {
    user.claims.sub.clone()
}

async fn administer(Allowed(user): Allowed<Admin, User>) -> String {
    user.claims.sub.clone()
}

async fn edit(user: User, Path(organization): Path<String>) -> Response {
    match user.session.require_in_organization::<OrganizationAdmin>(&organization).await {
        Ok(()) => organization.into_response(),
        Err(error) => user.respond(error),
    }
}

/// An app at the redirect URI that the provider knows.
fn app(provider: &DevProvider, listener: TcpListener, url: &str) -> tokio::task::JoinHandle<()> {
    let client = client_with(provider, &[scope::ROLES, scope::ORGANIZATION_ROLES]);
    let auth = LogtoAuth::builder(client, url).build().expect("an app");
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false).with_same_site(SameSite::Lax);
    let app = Router::new()
        .route("/write", get(write))
        .route("/admin", get(administer))
        .route("/organizations/{id}", get(edit))
        .merge(auth.routes::<InSession<Session>, _>())
        .with_state(auth)
        .layer(sessions);
    tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") })
}

#[tokio::test]
async fn a_page_is_for_users_with_the_permission() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
    let provider = DevProvider::start(Config {
        endpoint: "http://127.0.0.1:0".to_owned(),
        redirect_uris: vec![format!("{url}/logto/sign-in-callback")],
        ..Config::default()
    });
    let provider = provider.await.expect("a development provider");
    let server = app(&provider, listener, &url);

    let script = Browser::new().request(Method::GET, &format!("{url}/write")).load().await;
    assert_eq!(script.status, StatusCode::UNAUTHORIZED);
    for (user, status) in [("Alice", StatusCode::OK), ("Carol", StatusCode::FORBIDDEN)] {
        let browser = Browser::new();
        let begun = browser.get(&format!("{url}/logto/sign-in")).await.location.expect("a redirect");
        let callback = provider.authorize(&begun, user).await.expect("a sign-in");
        browser.get(callback.as_str()).await;

        for path in ["write", "admin", "organizations/acme"] {
            let page = browser.request(Method::GET, &format!("{url}/{path}"));
            let page = page.with(|request| request.header(header::ACCEPT, "text/html")).load().await;

            assert_eq!(page.status, status, "{user} at {path}: {}", page.body);
        }
        let elsewhere = browser.get(&format!("{url}/organizations/globex")).await;
        assert_eq!(elsewhere.status, StatusCode::FORBIDDEN, "{user}: {}", elsewhere.body);
    }

    // A token has to be had, and the provider is gone.
    let browser = Browser::new();
    let begun = browser.get(&format!("{url}/logto/sign-in")).await.location.expect("a redirect");
    let callback = provider.authorize(&begun, "Alice").await.expect("a sign-in");
    browser.get(callback.as_str()).await;
    provider.stop().await;
    let page = browser.get(&format!("{url}/write")).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
    server.abort();
}
