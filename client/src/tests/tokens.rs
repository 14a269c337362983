use std::time::{Duration, UNIX_EPOCH};

use fake_provider::API;

use crate::tokens::AccessToken;
use crate::{Error, LogtoConfig, TokenTarget, scope};

fn config(scopes: &[&str]) -> LogtoConfig {
    let builder = LogtoConfig::builder("https://tenant.logto.app", "app");
    builder.scopes(scopes.iter().copied()).resources([API]).build().unwrap()
}

#[test]
fn an_access_token_shows_when_it_expires_and_what_it_permits() {
    let token = AccessToken { token: "at".to_owned(), scope: "read  write".to_owned(), expires_at: 1_700_000_000 };
    assert_eq!(token.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["read", "write"]);
}

#[test]
fn a_target_has_to_fit_the_configuration() {
    let config_with = config(&[scope::ORGANIZATIONS]);
    for target in [
        TokenTarget::provider(),
        TokenTarget::resource(API),
        TokenTarget::organization("acme"),
        TokenTarget::resource(API).in_organization("acme"),
    ] {
        target.check(&config_with).unwrap();
    }
    for (target, wrong) in [
        (TokenTarget::provider().in_organization("acme"), "in_organization"),
        (TokenTarget::organization("acme").in_organization("other"), "in_organization"),
        (TokenTarget::organization(""), "organization"),
        (TokenTarget::resource(API).in_organization(""), "organization"),
    ] {
        let error = target.check(&config_with).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { name, .. } if name == wrong), "{error:?}");
    }
    let unlisted = TokenTarget::resource("urn:x").check(&config_with);
    assert!(matches!(unlisted, Err(Error::UnlistedResource { .. })), "{unlisted:?}");
}

#[test]
fn an_organization_requires_its_scope() {
    for target in [TokenTarget::organization("acme"), TokenTarget::resource(API).in_organization("acme")] {
        let error = target.check(&config(&[])).unwrap_err();
        assert!(matches!(error, Error::MissingOrganizationScope), "{error:?}");
    }
}
