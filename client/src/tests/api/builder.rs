use std::time::Duration;

use fake_provider::API;

use super::permissions::{Invite, Read, ReadOther};
use crate::Error;
use crate::api::{LogtoApi, LogtoApiBuilder};

fn builder() -> LogtoApiBuilder {
    LogtoApi::builder("https://tenant.logto.app").audience(API)
}

#[track_caller]
fn field_in_error(builder: LogtoApiBuilder) -> &'static str {
    match builder.build() {
        Err(Error::Config { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_setting_that_is_wrong_is_named() {
    let new = || LogtoApi::builder("https://tenant.logto.app");
    for (builder, field) in [
        (new(), "audience"),
        (builder().audience("things"), "audience"),
        (builder().audience("https://api.example.com/#x"), "audience"),
        (builder().audience("urn:logto:organization:acme"), "audience"),
        (new().organization_tokens().in_organizations(), "audience"),
        (LogtoApi::builder("tenant").audience(API), "endpoint"),
        (LogtoApi::builder("https://tenant.logto.app/oidc").audience(API), "endpoint"),
        (LogtoApi::builder("http://tenant.logto.app").audience(API), "endpoint"),
        (builder().leeway(Duration::from_secs(301)), "leeway"),
        (builder().introspection("", "secret"), "introspection"),
        (builder().introspection("app", " "), "introspection"),
        (builder().permissions::<ReadOther>(), "permissions"),
        (builder().permissions::<(Read, Invite)>(), "permissions"),
        (builder().audience("https://other.example").permissions::<Read>(), "permissions"),
        (new().introspection("app", "secret").permissions::<Read>(), "permissions"),
        (builder().audience("https://other.example").publish_metadata(), "publish_metadata"),
        (new().audience("ftp://api.example.com").publish_metadata(), "publish_metadata"),
        (new().audience("urn:example:api").publish_metadata(), "publish_metadata"),
        (new().organization_tokens().publish_metadata(), "publish_metadata"),
    ] {
        assert_eq!(field_in_error(builder), field);
    }
}

#[test]
fn what_is_right_is_built_without_a_request() {
    for builder in [
        builder().audience(API).permissions::<Read>(),
        builder().leeway(Duration::from_secs(300)),
        LogtoApi::builder("http://logto.internal").audience("urn:example:api").dangerously_allow_http(),
        LogtoApi::builder("http://localhost:3001").organization_tokens().permissions::<(Read, Invite)>(),
        LogtoApi::builder("https://tenant.logto.app").introspection("app", "secret"),
    ] {
        builder.build().unwrap();
    }
}

#[test]
fn the_output_has_no_secret() {
    let builder = builder().introspection("app", "hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"));
    assert!(!format!("{:?}", builder.build().unwrap()).contains("hunter2"));
}
