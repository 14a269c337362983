//! Valid tokens that lack the scope `write`, on the routes that require it.

use fake_provider::keys::Jwt;
use fake_provider::{APP_ID, FakeProvider};
use reqwest::Method;
use serde_json::json;

use super::flaws::remove;
use super::{Case, Refusal};

type Change = fn(&mut Jwt);

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    let changes: [(&str, Change); 15] = [
        ("another scope", |token| token.claims["scope"] = json!("read")),
        ("a user without a role", |token| remove(&mut token.claims, "scope")),
        ("a scope that is null", |token| token.claims["scope"] = json!(null)),
        ("an empty scope", |token| token.claims["scope"] = json!("")),
        ("a machine without a role", as_machine),
        ("a scope that starts alike", |token| token.claims["scope"] = json!("write:things writer")),
        ("a scope that ends alike", |token| token.claims["scope"] = json!("overwrite read:write")),
        ("a scope in capitals", |token| token.claims["scope"] = json!("WRITE Write")),
        ("scopes with commas", |token| token.claims["scope"] = json!("read,write")),
        ("scopes with a semicolon", |token| token.claims["scope"] = json!("read;write")),
        ("all scopes", |token| token.claims["scope"] = json!("* all .*")),
        ("a scope with a zero byte", |token| token.claims["scope"] = json!("write\0")),
        ("a scope in a wide space", |token| token.claims["scope"] = json!("read\u{3000}write")),
        ("scopes by another name", |token| token.claims["scopes"] = json!("write")),
        ("a scope among the roles", |token| token.claims["roles"] = json!(["write"])),
    ];
    let mut cases: Vec<_> =
        changes.map(|(name, change)| lacking(name, &provider.access_token(change), Method::POST)).into();
    // The same, checked by the handler.
    let token = provider.access_token(|_| ());
    cases.push(lacking("another scope than the handler's", &token, Method::PUT));
    cases
}

fn lacking(name: &'static str, token: &str, method: Method) -> Case {
    let header = format!("Bearer {token}");
    Case::new(name, &[("authorization", header.as_bytes())], Refusal::InsufficientScope).at(method, "/things")
}

fn as_machine(token: &mut Jwt) {
    token.claims["sub"] = json!(APP_ID);
    remove(&mut token.claims, "scope");
}
