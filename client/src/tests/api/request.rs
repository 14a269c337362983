use super::World;
use crate::api::{ApiError, Bearer};

async fn check(world: &World, headers: &[&str], query: Option<&str>) -> Result<Bearer, ApiError> {
    Bearer::from_request(world.api.clone(), headers.iter().map(|header| header.as_bytes()), query).await
}

#[tokio::test]
async fn the_token_is_in_the_authorization_header() {
    let world = World::start().await;
    let token = world.token(|_| ());
    for header in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER   {token} ")] {
        let bearer = check(&world, &[&header], Some("a=b&access=token")).await.unwrap();
        world.provider.assert_no_secret_in(&format!("{bearer:?}"));
    }
}

#[tokio::test]
async fn a_request_without_a_token_has_no_error_code() {
    let world = World::start().await;
    for headers in [&[][..], &["Basic YTpi"], &["Bearerx y"], &["Beare"], &[""], &["DPoP x"]] {
        let error = check(&world, headers, None).await.unwrap_err();
        assert!(matches!(error, ApiError::MissingToken), "{headers:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_request_with_several_tokens_or_none_that_is_one_is_invalid() {
    let world = World::start().await;
    let token = world.token(|_| ());
    let bearer = format!("Bearer {token}");
    for (headers, query) in [
        (&[&*bearer, &bearer][..], None),
        (&["Basic YTpi", &bearer], None),
        (&[&bearer], Some("access_token=x")),
        (&[&bearer], Some("a=b&access%5Ftoken")),
        (&[], Some("access_token=x")),
        (&["Bearer"], None),
        (&["Bearer "], None),
        (&["Bearer a b"], None),
        (&["Bearer a,b"], None),
        (&["Bearer ="], None),
        (&["Bearer é"], None),
        (&[&*format!("{bearer}\u{0}")], None),
    ] {
        let error = check(&world, headers, query).await.unwrap_err();
        assert!(matches!(error, ApiError::InvalidRequest(_)), "{headers:?}: {error:?}");
        assert_eq!((error.status(), error.code()), (400, Some("invalid_request")));
        world.provider.assert_no_secret_in(&format!("{error} {error:?}"));
    }
    assert_eq!(world.provider.count_all(), 0);
}

#[tokio::test]
async fn a_token_has_the_characters_of_rfc_6750() {
    let world = World::start().await;
    let allowed = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    for byte in 0..=u8::MAX {
        let header = [b"Bearer a", &[byte][..], b"b"].concat();
        let error = Bearer::from_request(world.api.clone(), [&*header], None).await.unwrap_err();
        let is_refused_unread = matches!(error, ApiError::InvalidRequest(_));
        assert_eq!(is_refused_unread, !allowed.contains(&byte), "{:?}: {error:?}", char::from(byte));
    }
}
