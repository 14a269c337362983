//! What the modules of web frameworks share that look up the [`LogtoApi`] while they answer a request.

use std::any::type_name;

use serde_json::json;

use crate::api::{Allowed, ApiError, ApiResponse, Bearer, LogtoApi, OptionalBearer, TokenPermission};

/// What a request says about its caller.
pub(crate) struct Credentials<'a, A, H> {
    /// The app's `A`, if it has one.
    pub(crate) api: Option<&'a A>,
    /// The values of all `Authorization` headers.
    pub(crate) authorization: H,
    /// The query of the URL.
    pub(crate) query: Option<&'a str>,
}

impl<'a, A, H> Credentials<'a, A, H>
where
    A: AsRef<LogtoApi> + Clone,
    H: Iterator<Item = &'a [u8]>,
{
    pub(crate) async fn bearer(self) -> Result<Bearer<A>, ApiResponse> {
        let api = self.api.ok_or_else(missing::<A>)?;
        let bearer = Bearer::from_request(api.clone(), self.authorization, self.query).await;
        bearer.map_err(|error| api.as_ref().respond(&error))
    }

    /// Refuses a token that is not valid all the same.
    pub(crate) async fn optional_bearer(self) -> Result<OptionalBearer<A>, ApiResponse> {
        let api = self.api.ok_or_else(missing::<A>)?;
        match Bearer::from_request(api.clone(), self.authorization, self.query).await {
            Ok(bearer) => Ok(OptionalBearer(Some(bearer))),
            Err(ApiError::MissingToken) => Ok(OptionalBearer(None)),
            Err(error) => Err(api.as_ref().respond(&error)),
        }
    }

    pub(crate) async fn allowed<P: TokenPermission>(self) -> Result<Allowed<P, Bearer<A>>, ApiResponse>
    where
        A: Sync,
    {
        let bearer = self.bearer().await?;
        Allowed::check(bearer).await.map_err(|(bearer, error)| bearer.respond(&error))
    }
}

/// A mistake in the app. The operator finds it in the log.
fn missing<A>() -> ApiResponse {
    tracing::error!(missing = type_name::<A>(), "request refused: the app has nothing to verify access tokens with");
    let problem =
        json!({ "title": "Internal Server Error", "status": 500, "detail": "the API is not configured correctly" });
    let headers = [("content-type", "application/problem+json"), ("cache-control", "no-store")];
    let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
    ApiResponse { status: 500, headers, body: problem.to_string() }
}
