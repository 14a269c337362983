use fake_provider::API;
use serde_json::json;

use super::World;
use crate::api::{
    Allowed, AnyOf, ApiError, Bearer, Caller, LogtoApiBuilder, LogtoScope, Permission, Rule, TokenPermission,
};

const OTHER: &str = "https://other.example.com";

macro_rules! scopes {
    ($($name:ident: $scope:literal, $resource:expr;)*) => {$(
        #[derive(Debug)]
        pub(super) struct $name;

        impl LogtoScope for $name {
            const SCOPE: &'static str = $scope;
            const RESOURCE: Option<&'static str> = $resource;
        }
    )*};
}
scopes! {
    Read: "read", None;
    Write: "write", None;
    Admin: "admin", None;
    ReadHere: "read", Some(API);
    ReadOther: "read", Some(OTHER);
    Invite: "invite", Some("urn:logto:resource:organizations");
}

async fn allows<P: TokenPermission>(world: &World, scope: &str) -> bool {
    let token = world.token(|token| token.claims["scope"] = json!(scope));
    world.api.verify(&token).await.unwrap().allows::<P>()
}

#[test]
fn a_rule_is_what_its_type_says() {
    let read = Read::RULE;
    assert_eq!(read, Rule::Scope { scope: "read", resource: None });
    assert_eq!(<(Read, Write)>::RULE, Rule::AllOf(&[Read::RULE, Write::RULE]));
    assert_eq!(AnyOf::<(Read, Write)>::RULE, Rule::AnyOf(&[Read::RULE, Write::RULE]));
    assert_eq!((AnyOf::<Read>::RULE, AnyOf::<AnyOf<(Write,)>>::RULE), (read, Rule::AnyOf(&[Write::RULE])));
}

#[tokio::test]
async fn a_scope_is_allowed_if_it_was_granted() {
    let world = World::start().await;
    assert!(allows::<Read>(&world, "read").await);
    assert!(allows::<Read>(&world, "write read admin").await);
    assert!(allows::<ReadHere>(&world, "read").await);
    for other in ["", "readx", "xread", "READ", "write"] {
        assert!(!allows::<Read>(&world, other).await, "{other}");
    }
}

#[tokio::test]
async fn a_tuple_is_all_and_any_of_is_one() {
    type Edit = AnyOf<((Read, Write), Admin)>;
    let world = World::start().await;
    assert!(allows::<(Read, Write)>(&world, "write read").await);
    assert!(!allows::<(Read, Write)>(&world, "read").await);
    assert!(allows::<AnyOf<(Read, Write)>>(&world, "write").await);
    assert!(!allows::<AnyOf<(Read, Write)>>(&world, "admin").await);
    for (scope, allowed) in [("admin", true), ("read write", true), ("read", false), ("", false)] {
        assert_eq!(allows::<Edit>(&world, scope).await, allowed, "{scope}");
    }
}

#[tokio::test]
async fn a_scope_counts_at_its_own_api_only() {
    let world = World::start_with(|builder| builder.audience(API).audience(OTHER)).await;
    let token = world.api.verify(&world.token(|_| ())).await.unwrap();
    assert!(token.allows::<ReadHere>());
    assert!(!token.allows::<ReadOther>());
    assert!(matches!(token.require::<ReadOther>(), Err(ApiError::InsufficientScope { .. })));
    let error = token.require::<Read>().unwrap_err();
    assert!(matches!(error, ApiError::UnknownResource { scope: "read", resource: None, .. }), "{error:?}");
    assert_eq!(error.status(), 500);
    assert!(!token.allows::<Read>(), "of which API is not clear");
}

#[tokio::test]
async fn a_scope_of_an_api_that_is_not_answered_for_is_an_error_and_not_allowed() {
    let world = World::start().await;
    let token = world.api.verify(&world.token(|_| ())).await.unwrap();
    for error in [token.require::<ReadOther>(), token.require::<Invite>(), token.require::<AnyOf<(Read, Invite)>>()] {
        assert!(matches!(error, Err(ApiError::UnknownResource { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn a_permission_of_an_organization_is_not_one_of_an_api() {
    let world = World::start_with(|builder| builder.audience(API).organization_tokens()).await;
    let token = world.token(|token| {
        token.claims["aud"] = json!("urn:logto:organization:acme");
        token.claims["scope"] = json!("invite read");
    });
    let of_organization = world.api.verify(&token).await.unwrap();
    assert!(of_organization.allows::<Invite>());
    assert!(!of_organization.allows::<Read>() && !of_organization.allows::<ReadHere>());

    let token = world.token(|token| token.claims["scope"] = json!("invite read"));
    let of_api = world.api.verify(&token).await.unwrap();
    assert!(!of_api.allows::<Invite>());
    assert!(of_api.allows::<Read>());
}

#[tokio::test]
async fn a_permission_in_an_organization_counts_there_only() {
    let world = World::start_with(|builder| builder.audience(API).in_organizations().organization_tokens()).await;
    let of_organization = world.token(|token| {
        token.claims["aud"] = json!("urn:logto:organization:acme");
        token.claims["scope"] = json!("invite");
    });
    let within = world.token(|token| {
        token.claims["organization_id"] = json!("acme");
        token.claims["scope"] = json!("read");
    });
    let of_api = world.token(|token| token.claims["scope"] = json!("read invite"));
    let verified = async |token: &String| world.api.verify(token).await.unwrap();
    let (of_organization, within) = (verified(&of_organization).await, verified(&within).await);

    for (token, holds) in [(&of_organization, [true, false]), (&within, [false, true])] {
        assert!(token.require_in_organization::<()>("acme").is_ok());
        let invite = token.require_in_organization::<Invite>("acme");
        let read = token.require_in_organization::<ReadHere>("acme");
        assert_eq!([invite.is_ok(), read.is_ok()], holds, "{invite:?} {read:?}");
        for lacking in [invite, read].into_iter().filter_map(Result::err) {
            assert!(matches!(lacking, ApiError::InsufficientScope { .. }), "{lacking:?}");
        }
        for other in ["globex", "", "Acme", "acme:admin"] {
            let refused = token.require_in_organization::<()>(other);
            assert!(matches!(refused, Err(ApiError::WrongOrganization)), "{other}: {refused:?}");
        }
    }
    let refused = verified(&of_api).await.require_in_organization::<ReadHere>("acme");
    assert!(matches!(refused, Err(ApiError::WrongOrganization)), "{refused:?}");
}

/// What a handler for both kinds of callers does.
async fn may_read<C: Caller>(caller: &C, organization: &str) -> bool {
    caller.require_in_organization::<Read>(organization).await.is_ok()
}

#[tokio::test]
async fn a_handler_for_any_caller_can_ask_about_an_organization() {
    let world = World::start_with(|builder| builder.audience(API).in_organizations()).await;
    let token = world.token(|token| token.claims["organization_id"] = json!("acme"));
    let token = format!("Bearer {token}");
    let bearer = Bearer::from_request(world.api.clone(), [token.as_bytes()], None).await.unwrap();

    assert!(may_read(&bearer, "acme").await);
    assert!(!may_read(&bearer, "globex").await);
}

/// A permission written by hand, which an access token cannot grant.
struct Role;

impl Permission for Role {
    const RULE: Rule = Rule::role("read");
}

impl TokenPermission for Role {}

#[tokio::test]
async fn a_role_is_not_a_scope_of_the_same_name() {
    let world = World::start().await;
    assert!(!allows::<Role>(&world, "read").await);
    assert!(allows::<AnyOf<(Role, Read)>>(&world, "read").await);
}

#[tokio::test]
async fn without_an_api_a_scope_is_one_of_the_organization() {
    let world = World::start_with(LogtoApiBuilder::organization_tokens).await;
    let token = world.token(|token| token.claims["aud"] = json!("urn:logto:organization:acme"));
    assert!(world.api.verify(&token).await.unwrap().allows::<Read>());
}

#[tokio::test]
async fn a_caller_without_the_permission_is_handed_back() {
    let world = World::start().await;
    let token = format!("Bearer {}", world.token(|_| ()));
    let bearer = Bearer::from_request(world.api.clone(), [token.as_bytes()], None).await.unwrap();

    let Allowed(bearer): Allowed<Read> = Allowed::check(bearer).await.unwrap();
    let (bearer, error) = Allowed::<(Read, Write)>::check(bearer).await.unwrap_err();

    assert!(matches!(&error, ApiError::InsufficientScope { required, .. } if *required == ["read", "write"]));
    assert_eq!(bearer.respond(&error).status, 403);
}

#[test]
fn futures_and_callers_are_send() {
    fn is_send<T: Send + Sync>() {}
    is_send::<Allowed<(Read, Write)>>();
    is_send::<Allowed<std::rc::Rc<()>>>();
    is_send::<Bearer>();
}
