use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::oidc::jwt::decode_claims as decode;
use crate::{AccessTokenClaims, IdTokenClaims, OrganizationData, UserInfo};

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

fn id_token() -> Value {
    json!({
        "iss": "https://tenant.logto.app/oidc",
        "sub": "user-1",
        "aud": ["app"],
        "exp": 1_700_003_600,
        "iat": 1_700_000_000,
        "azp": "app",
        "nonce": "n",
        "at_hash": "h",
        "name": "Zoë",
        "username": "zoe",
        "picture": "https://example.com/zoe.png",
        "email": "zoe@example.com",
        "email_verified": true,
        "phone_number": "+49 30 123",
        "phone_number_verified": false,
        "roles": ["admin"],
        "organizations": ["org-1", "org-2"],
        "organization_roles": ["org-1:member"],
        "auth_time": 1_699_999_000,
        "custom": { "nested": [1, null] },
        "nothing": null,
    })
}

#[test]
fn the_claims_of_an_id_token_are_typed_and_the_unknown_ones_kept() {
    let claims: IdTokenClaims = serde_json::from_value(id_token()).unwrap();
    assert_eq!((&*claims.iss, &*claims.sub), ("https://tenant.logto.app/oidc", "user-1"));
    assert_eq!(claims.aud, ["app"]);
    assert_eq!((claims.iat, claims.exp), (1_700_000_000, 1_700_003_600));
    assert_eq!(claims.azp.as_deref(), Some("app"));
    assert_eq!(claims.nonce.as_deref(), Some("n"));
    assert_eq!(claims.at_hash.as_deref(), Some("h"));

    let user = &claims.user;
    assert_eq!(user.name.as_deref(), Some("Zoë"));
    assert_eq!(user.username.as_deref(), Some("zoe"));
    assert_eq!(user.picture.as_deref(), Some("https://example.com/zoe.png"));
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("zoe@example.com"), Some(true)));
    assert_eq!((user.phone_number.as_deref(), user.phone_number_verified), (Some("+49 30 123"), Some(false)));
    assert_eq!(user.roles.as_deref(), Some(&["admin".to_owned()][..]));
    assert_eq!(user.organizations.as_ref().unwrap().len(), 2);
    assert_eq!(user.organization_roles.as_deref(), Some(&["org-1:member".to_owned()][..]));
    let extra: Vec<_> = user.extra.keys().map(String::as_str).collect();
    assert_eq!(extra, ["auth_time", "custom", "nothing"], "only the unknown ones");
    assert_eq!(user.extra["custom"], json!({ "nested": [1, null] }));
}

#[test]
fn claims_survive_being_stored_and_read() {
    let claims: IdTokenClaims = serde_json::from_value(id_token()).unwrap();
    assert_eq!(serde_json::to_value(&claims).unwrap(), id_token());
    let least = json!({ "iss": "i", "sub": "s", "aud": ["a"], "exp": 2, "iat": 1 });
    let claims: IdTokenClaims = serde_json::from_value(least.clone()).unwrap();
    assert_eq!(serde_json::to_value(&claims).unwrap(), least, "what is missing stays missing");
}

#[test]
fn a_claim_that_is_null_counts_as_missing() {
    let mut token = id_token();
    for optional in ["azp", "nonce", "at_hash", "name", "email_verified", "roles"] {
        token[optional] = Value::Null;
    }
    let claims: IdTokenClaims = serde_json::from_value(token).unwrap();
    assert_eq!((claims.azp, claims.nonce, claims.at_hash), (None, None, None));
    assert_eq!((claims.user.name, claims.user.email_verified, claims.user.roles), (None, None, None));
}

#[test]
fn one_audience_may_stand_without_the_array() {
    for (aud, expected) in [
        (json!("app"), Some(vec!["app"])),
        (json!(["app"]), Some(vec!["app"])),
        (json!(["app", "other"]), Some(vec!["app", "other"])),
        (json!([]), Some(vec![])),
        (json!(null), Some(vec![])),
        (json!(7), None),
        (json!(["app", 7]), None),
        (json!({ "app": 1 }), None),
    ] {
        let mut token = id_token();
        token["aud"] = aud.clone();
        let found = serde_json::from_value::<IdTokenClaims>(token).ok().map(|claims| claims.aud);
        assert_eq!(found, expected.map(|all| all.into_iter().map(str::to_owned).collect()), "{aud}");
    }
}

#[test]
fn an_id_token_without_a_claim_that_it_has_to_have_is_none() {
    for required in ["iss", "sub", "aud", "exp", "iat"] {
        let mut token = id_token();
        token.as_object_mut().unwrap().remove(required);
        assert!(decode::<IdTokenClaims>(&jwt(&token.to_string())).is_none(), "{required}");
        token[required] = json!({ "wrong": "type" });
        assert!(decode::<IdTokenClaims>(&jwt(&token.to_string())).is_none(), "{required}");
    }
    assert!(decode::<IdTokenClaims>(&jwt(&id_token().to_string())).is_some());
}

#[test]
fn a_claim_that_comes_twice_is_refused() {
    let twice = r#"{"iss":"i","sub":"s","sub":"other","aud":"a","exp":2,"iat":1}"#;
    assert!(decode::<IdTokenClaims>(&jwt(twice)).is_none());
    assert!(decode::<IdTokenClaims>(&jwt(&twice.replace(r#""sub":"other","#, ""))).is_some());
}

#[test]
fn only_three_parts_are_a_jwt() {
    let claims = URL_SAFE_NO_PAD.encode("{}");
    assert!(decode::<AccessTokenClaims>(&format!("e30.{claims}.c2ln")).is_some());
    for other in [
        String::new(),
        "opaque".to_owned(),
        format!("e30.{claims}"),
        format!("e30.{claims}.c2ln.c2ln"),
        format!("e30.{claims}.c2ln.c2ln.c2ln"),
        format!("e30.{claims}=.c2ln"),
        "e30..c2ln".to_owned(),
        "e30.!.c2ln".to_owned(),
        "e30.bm8.c2ln".to_owned(),
    ] {
        assert!(decode::<AccessTokenClaims>(&other).is_none(), "{other}");
    }
}

#[test]
fn the_claims_of_an_access_token_are_all_optional() {
    let claims: AccessTokenClaims = decode(&jwt("{}")).unwrap();
    assert_eq!(claims.aud, [""; 0]);
    assert_eq!(claims.scopes().count(), 0);
    assert_eq!(
        serde_json::to_value(&claims).unwrap(),
        json!({ "aud": [] }),
        "the audience is always a list, and may have nothing in it",
    );

    let token = json!({
        "iss": "i", "sub": "s", "aud": "https://api.example.com", "exp": 2, "iat": 1, "client_id": "app",
        "scope": "read:orders  write:orders", "organization_id": "org-1", "jti": "x",
    });
    let claims: AccessTokenClaims = decode(&jwt(&token.to_string())).unwrap();
    assert_eq!(claims.aud, ["https://api.example.com"]);
    assert_eq!((claims.iat, claims.exp), (Some(1), Some(2)));
    assert_eq!(claims.client_id.as_deref(), Some("app"));
    assert_eq!(claims.organization_id.as_deref(), Some("org-1"));
    assert_eq!(claims.scopes().collect::<Vec<_>>(), ["read:orders", "write:orders"]);
    assert_eq!(claims.extra.keys().collect::<Vec<_>>(), ["jti"]);
}

#[test]
fn user_info_has_the_same_claims_and_needs_a_subject() {
    let info: UserInfo =
        serde_json::from_value(json!({ "sub": "user-1", "name": "Zoë", "custom_data": { "theme": "dark" } })).unwrap();
    assert_eq!((&*info.sub, info.user.name.as_deref()), ("user-1", Some("Zoë")));
    assert_eq!(info.user.custom_data.unwrap()["theme"], "dark");
    assert!(serde_json::from_value::<UserInfo>(json!({ "name": "Zoë" })).is_err());
}

#[test]
fn what_a_tenant_adds_is_typed_in_user_info_and_id_tokens() {
    let added = json!({
        "custom_data": { "theme": "dark" },
        "identities": { "google": { "userId": "g-1", "details": { "name": "Z" } }, "github": { "userId": "h-1" } },
        "organization_data": [
            { "id": "org-1", "name": "Acme", "description": null },
            { "id": "org-2", "name": "Beta", "description": "Second" },
        ],
    });
    let with_added = |mut claims: Value| {
        claims.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
        claims
    };
    let info: UserInfo = serde_json::from_value(with_added(json!({ "sub": "user-1" }))).unwrap();
    let claims: IdTokenClaims = serde_json::from_value(with_added(id_token())).unwrap();
    for user in [&info.user, &claims.user] {
        assert_eq!(user.custom_data.as_ref().unwrap()["theme"], "dark");
        let identities = user.identities.as_ref().unwrap();
        assert_eq!(identities["google"].user_id, "g-1");
        assert_eq!(identities["google"].details, Some(json!({ "name": "Z" })));
        assert_eq!(identities["github"].details, None);
        let names = |data: &OrganizationData| (data.name.clone(), data.description.clone());
        let organizations: Vec<_> = user.organization_data.iter().flatten().map(names).collect();
        assert_eq!(organizations, [("Acme".to_owned(), None), ("Beta".to_owned(), Some("Second".to_owned()))]);
    }
    assert_eq!(serde_json::to_value(&claims).unwrap(), with_added(id_token()));
}

#[test]
fn the_claims_of_an_access_token_may_be_null_and_its_times_have_fractions() {
    let token = json!({ "aud": null, "scope": null, "exp": 1_700_000_000.9, "iat": null });
    let claims: AccessTokenClaims = decode(&jwt(&token.to_string())).unwrap();
    assert_eq!((claims.aud.len(), claims.scope, claims.exp, claims.iat), (0, None, Some(1_700_000_000), None));
}

#[test]
fn the_display_name_is_the_name_else_the_username_email_or_subject() {
    for (name, username, email, expected) in [
        (Some("Zoë"), Some("zoe"), Some("zoe@example.com"), "Zoë"),
        (None, Some("zoe"), Some("zoe@example.com"), "zoe"),
        (Some(" "), Some(""), Some("zoe@example.com"), "zoe@example.com"),
        (None, None, None, "user-1"),
    ] {
        let mut token = id_token();
        token["name"] = json!(name);
        token["username"] = json!(username);
        token["email"] = json!(email);
        let claims: IdTokenClaims = serde_json::from_value(token).unwrap();
        assert_eq!(claims.display_name(), expected);
    }
}
