//! From the app to the provider and back.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;

use servers::Browser;

use crate::provider::{APP_ID, On};
use crate::sessions::COOKIE;
use crate::world::World;

pub(crate) async fn a_user_signs_in(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    assert_eq!(world.user(&browser).await, None);

    world.sign_in(&browser, "ann").await;

    // Every request that follows finds the same.
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert_eq!(world.user(&Browser::new()).await, None);
}

pub(crate) async fn the_claims_are_those_of_the_scopes(on: On) {
    let world = World::with(on, |setup| setup.scopes = vec!["email"]).await;
    let browser = Browser::new();
    world.sign_in(&browser, "ann").await;

    let claims = world.ok(&browser, "/claims").await;

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(claims["iss"], format!("{}/oidc", world.provider.endpoint()));
    assert_eq!(claims["aud"].as_array().unwrap(), &[APP_ID]);
    assert!(claims["exp"].as_u64().unwrap() > now, "{claims}");
    assert!(claims["nonce"].is_string() && !claims["sub"].as_str().unwrap().is_empty(), "{claims}");
    assert_eq!(claims["username"], "ann");
    assert!(claims["email"].as_str().unwrap().starts_with("ann@"), "{claims}");
    assert!(claims.get("roles").is_none() && claims.get("organizations").is_none(), "{claims}");
    let id_token = world.text(&browser, "/id-token").await;
    assert_eq!(id_token.split('.').count(), 3);
}

pub(crate) async fn the_app_chooses_where_the_user_goes_on(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let page = world.begin(&browser, "/sign-in?then=/claims").await;

    let callback = world.agree(&browser, page, "ann").await;
    let page = browser.visit(callback.as_str()).await;

    assert_eq!((page.status, page.url.path()), (StatusCode::OK, "/claims"));
    assert!(page.body.contains("ann"), "{page:?}");
}

pub(crate) async fn the_session_gets_a_new_id_and_the_old_one_is_dead(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let page = world.begin(&browser, "/sign-in").await;
    let before = world.session_id(&browser);
    assert_eq!(world.store.ids().len(), 1);

    let callback = world.agree(&browser, page, "ann").await;
    browser.visit(callback.as_str()).await;

    let after = world.session_id(&browser);
    assert_ne!(after, before);
    assert_eq!(world.store.ids().into_iter().collect::<Vec<_>>(), [after]);
}

pub(crate) async fn a_planted_session_id_is_worth_nothing_after_the_sign_in(on: On) {
    let (world, attacker, victim) = (World::start(on).await, Browser::new(), Browser::new());
    world.begin(&attacker, "/sign-in").await;
    let planted = world.session_id(&attacker);
    victim.take_cookies(&world.app_url, &format!("{COOKIE}={planted}"));

    world.sign_in(&victim, "ann").await;

    assert!(!world.store.ids().contains(&planted));
    assert_eq!(world.user(&attacker).await, None);
}

pub(crate) async fn a_user_who_denies_is_not_signed_in_and_may_try_again(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let page = world.begin(&browser, "/sign-in").await;

    let callback = world.deny(&browser, page).await;
    let error = world.error(&browser, &relative(&callback)).await;

    assert_eq!((&error["error"], &error["access_denied"]), (&"AccessDenied".into(), &true.into()), "{error}");
    assert_eq!(world.user(&browser).await, None);
    world.sign_in(&browser, "ann").await;
}

pub(crate) async fn an_unregistered_redirect_uri_is_refused_by_the_provider(on: On) {
    let world = World::with(on, |setup| setup.registered_callback = "/another").await;
    let browser = Browser::new();

    let page = world.begin(&browser, "/sign-in").await;

    // The provider says so itself: who knows where it would send the user.
    assert_eq!((page.status, page.location), (StatusCode::BAD_REQUEST, None), "{}", page.body);
    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn a_resource_that_the_provider_does_not_have_is_told_at_the_sign_in(on: On) {
    let world = World::with(on, |setup| setup.resources.push("https://unknown.example.com")).await;
    let browser = Browser::new();

    let page = world.begin(&browser, "/sign-in").await;
    let error = world.error(&browser, &relative(&page.location.expect("the way back"))).await;

    assert_eq!(error["error"], "AuthorizationFailed", "{error}");
    assert!(error["message"].as_str().unwrap().contains("invalid_target"), "{error}");
    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn a_public_client_signs_in(on: On) {
    let world = World::with(on, |setup| setup.public = true).await;
    let browser = Browser::new();

    world.sign_in(&browser, "ann").await;

    // Logto replaces its refresh token at each use.
    let before = world.text(&browser, "/refresh-token").await;
    world.text(&browser, "/token?resource=https://api.example.com").await;
    let after = world.text(&browser, "/refresh-token").await;
    assert_ne!(after, before);
    world.text(&browser, "/token?organization=org-1").await;
    world.sign_out(&browser).await;
    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn an_endpoint_may_have_a_path(on: On) {
    let world = World::with(on, |setup| setup.base_path = "/base").await;
    let browser = Browser::new();
    assert!(world.provider.endpoint().ends_with("/base"));

    world.sign_in(&browser, "ann").await;

    let info = world.ok(&browser, "/user-info").await;
    assert_eq!(info["username"], "ann");
    world.sign_out(&browser).await;
    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn signing_in_again_keeps_one_record(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    let (id, token) = (world.session_id(&browser), world.text(&browser, "/refresh-token").await);

    world.sign_in(&browser, "ann").await;

    assert_ne!(world.session_id(&browser), id);
    assert_ne!(world.text(&browser, "/refresh-token").await, token);
    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn another_user_takes_over_the_session(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    let of_ann = world.text(&browser, "/token?resource=https://api.example.com").await;

    // The provider knows ann, too, and would not ask.
    world.sign_in_by(&browser, "/sign-in?prompt=login", "bob").await;

    // None of ann's tokens is left for bob.
    assert_ne!(world.text(&browser, "/token?resource=https://api.example.com").await, of_ann);
    let claims = world.ok(&browser, "/token-claims?resource=https://api.example.com").await;
    assert_eq!(claims["sub"], world.ok(&browser, "/claims").await["sub"]);
    assert_eq!(world.ok(&browser, "/user-info").await["username"], "bob");
    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn beginning_a_sign_in_signs_nobody_out_unless_asked_to(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    world.sign_in(&browser, "ann").await;

    browser.get(&world.url("/sign-in")).await;
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));

    let page = world.begin(&browser, "/sign-in?clear=true&prompt=login").await;
    assert_eq!(world.user(&browser).await, None);
    let callback = world.agree(&browser, page, "bob").await;
    browser.visit(callback.as_str()).await;
    assert_eq!(world.user(&browser).await.as_deref(), Some("bob"));
}

pub(crate) async fn raw_json_in_a_cookie_of_the_providers_does_no_harm(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());

    world.sign_in(&browser, "ann").await;

    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    let raw = match on {
        On::OidcProvider => r#"_logto={"appId":"flows-app","resources":["a","b"]}"#,
        On::DevProvider => r#"_logto={"appId":"flows-app"}"#,
    };
    let last = world.app.cookies().pop().unwrap();
    assert!(last.contains(raw) && last.contains(COOKIE), "the browser sends {last}");
}

/// A callback as the app's handler gets it.
pub(crate) fn relative(callback: &url::Url) -> String {
    format!("{}?{}", callback.path(), callback.query().unwrap_or_default())
}
