//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0, section 2).

use url::Url;

/// Returns the URL of the provider's sign-out page. Given the client id, Logto does not ask for confirmation.
pub(crate) fn end_session_url(endpoint: &Url, client_id: &str, post_logout_redirect_uri: Option<&str>) -> Url {
    let mut url = endpoint.clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", client_id);
    query.extend_pairs(post_logout_redirect_uri.map(|uri| ("post_logout_redirect_uri", uri)));
    drop(query);
    url
}
