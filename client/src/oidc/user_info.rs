//! The user info endpoint (OpenID Connect Core 1.0, section 5.3).

use url::Url;

use crate::claims::UserInfo;
use crate::error::{Endpoint, RequestError};
use crate::util::http::Http;

/// Fetches the claims of the user that the access token belongs to.
pub(crate) async fn fetch(http: &Http, endpoint: &Url, access_token: &str) -> Result<UserInfo, RequestError> {
    let request = http.get(endpoint.clone()).bearer_auth(access_token);
    http.send(Endpoint::UserInfo, request).await?.json()
}
