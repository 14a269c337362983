//! Tokens, and what they are good for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use servers::Browser;

use crate::provider::{API, OTHER_API, On};
use crate::world::World;

pub(crate) async fn the_plain_access_token_is_for_user_info(on: On) {
    let (world, browser) = signed_in(on).await;

    let token = world.text(&browser, "/token").await;

    assert_ne!(token.split('.').count(), 3, "it is opaque");
    let request = reqwest::Client::new().get(format!("{}/oidc/me", world.provider.endpoint())).bearer_auth(&token);
    let info: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(info["username"], "ann", "{info}");
}

pub(crate) async fn each_resource_has_a_token_of_its_own(on: On) {
    let (world, browser) = signed_in(on).await;

    for (resource, scope) in [(API, "read:orders"), (OTHER_API, "read:things")] {
        let claims = world.ok(&browser, &format!("/token-claims?resource={resource}")).await;
        assert_eq!(claims["aud"].as_array().unwrap(), &[resource]);
        assert_eq!(claims["sub"], world.ok(&browser, "/claims").await["sub"]);
        let scopes: Vec<_> = claims["scope"].as_str().unwrap_or_default().split(' ').collect();
        assert_eq!(scopes, [scope], "{claims}");
    }

    let tokens = [
        world.text(&browser, "/token").await,
        world.text(&browser, &format!("/token?resource={API}")).await,
        world.text(&browser, &format!("/token?resource={OTHER_API}")).await,
    ];
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
}

pub(crate) async fn each_organization_has_a_token_of_its_own(on: On) {
    let (world, browser) = signed_in(on).await;

    for organization in ["org-1", "org-2"] {
        let claims = world.ok(&browser, &format!("/token-claims?organization={organization}")).await;
        let audience = format!("urn:logto:organization:{organization}");
        assert_eq!(claims["aud"].as_array().unwrap(), &[audience], "{claims}");
        assert_eq!(claims["sub"], world.ok(&browser, "/claims").await["sub"]);
    }

    let one = world.text(&browser, "/token?organization=org-1").await;
    assert_ne!(world.text(&browser, "/token?organization=org-2").await, one);
    assert_eq!(world.text(&browser, "/token?organization=org-1").await, one);
}

pub(crate) async fn a_resource_and_an_organization_go_together(on: On) {
    let (world, browser) = signed_in(on).await;

    let token = world.text(&browser, &format!("/token?resource={API}&organization=org-1")).await;

    let claims = payload(&token);
    assert_eq!((&claims["aud"], &claims["organization_id"]), (&API.into(), &"org-1".into()), "{claims}");
    // It is neither the resource's token nor the organization's.
    assert_ne!(world.text(&browser, &format!("/token?resource={API}")).await, token);
    assert_ne!(world.text(&browser, "/token?organization=org-1").await, token);
}

pub(crate) async fn user_info_has_what_the_id_token_has_not(on: On) {
    let world = World::with(on, |setup| setup.scopes = vec!["email", "custom_data"]).await;
    let browser = Browser::new();
    world.sign_in(&browser, "ann").await;

    let info = world.ok(&browser, "/user-info").await;

    let claims = world.ok(&browser, "/claims").await;
    assert_eq!(info["sub"], claims["sub"]);
    assert_eq!((&info["username"], &info["email"]), (&"ann".into(), &claims["email"]));
    assert!(info["custom_data"].is_object() && claims.get("custom_data").is_none(), "{info} {claims}");
}

pub(crate) async fn an_unlisted_resource_is_an_error(on: On) {
    let (world, browser) = signed_in(on).await;

    let error = world.error(&browser, "/token?resource=https://unlisted.example.com").await;

    assert_eq!(error["error"], "UnlistedResource", "{error}");
    assert!(error["message"].as_str().unwrap().contains("https://unlisted.example.com"), "{error}");
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
}

pub(crate) async fn an_organization_takes_its_scope(on: On) {
    let world = World::with(on, |setup| setup.scopes = vec!["email"]).await;
    let browser = Browser::new();
    world.sign_in(&browser, "ann").await;

    let error = world.error(&browser, "/token?organization=org-1").await;

    assert_eq!(error["error"], "MissingOrganizationScope", "{error}");
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
}

pub(crate) async fn an_organization_of_others_is_refused_and_the_user_stays_signed_in(on: On) {
    let (world, browser) = signed_in(on).await;

    let error = world.error(&browser, "/token?organization=org-of-others").await;

    assert_eq!((&error["error"], &error["sign_in_required"]), (&"TokenEndpoint".into(), &false.into()), "{error}");
    assert!(error["message"].as_str().unwrap().contains("access_denied"), "{error}");
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    world.text(&browser, "/token?organization=org-1").await;
}

pub(crate) async fn without_consent_there_is_no_refresh_token(on: On) {
    let (world, browser) = signed_in(on).await;

    // The provider knows the user, and asks for nothing.
    let page = world.begin(&browser, "/sign-in?prompt=").await;
    let callback = world.agree(&browser, page, "ann").await;
    browser.visit(callback.as_str()).await;

    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert_eq!(world.ok(&browser, "/refresh-token").await, Value::Null);
    assert_eq!(world.ok(&browser, "/user-info").await["username"], "ann");
    let error = world.error(&browser, &format!("/token?resource={API}")).await;
    assert_eq!(
        (&error["error"], &error["sign_in_required"]),
        (&"MissingRefreshToken".into(), &false.into()),
        "{error}"
    );
}

pub(crate) async fn nobody_gets_tokens_who_is_not_signed_in(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());

    let resource = format!("/token?resource={API}");
    for path in ["/token", &resource, "/token?organization=org-1", "/claims", "/user-info"] {
        let error = world.error(&browser, path).await;
        assert_eq!(
            (&error["error"], &error["sign_in_required"]),
            (&"NotAuthenticated".into(), &true.into()),
            "{error}"
        );
    }

    for path in ["/id-token", "/refresh-token"] {
        assert_eq!(world.ok(&browser, path).await, Value::Null, "{path}");
    }
    // Looking makes no session.
    assert_eq!(world.store.ids().len(), 0);
}

pub(crate) async fn a_token_is_asked_for_once(on: On) {
    let (world, browser) = signed_in(on).await;

    let paths = ["/token".to_owned(), format!("/token?resource={API}"), "/token?organization=org-1".to_owned()];
    for path in paths {
        let token = world.text(&browser, &path).await;
        let before = world.provider.token_requests().len();
        for _ in 0..3 {
            assert_eq!(world.text(&browser, &path).await, token);
        }
        assert_eq!(world.provider.token_requests().len(), before, "{path}");
    }
}

/// The claims of a JWT that is not to be verified here.
fn payload(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn signed_in(on: On) -> (World, Browser) {
    let (world, browser) = (World::start(on).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    (world, browser)
}
