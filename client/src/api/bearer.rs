//! The caller with an access token.

use std::fmt;
use std::ops::Deref;

use crate::api::{ApiError, ApiResponse, LogtoApi, VerifiedToken};

/// The bearer of a valid access token, as an argument of a handler. Requests without one never reach the handler.
///
/// Derefs to the [`VerifiedToken`]. The module of your web framework extracts it. `A` is where the [`LogtoApi`] comes
/// from; see [several issuers](super#several-issuers).
///
/// ```
/// # #[cfg(feature = "axum-0_8")]
/// # mod app {
/// use logto_client::api::Bearer;
///
/// async fn whoami(token: Bearer) -> String {
///     token.sub().to_owned()
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Bearer<A = LogtoApi> {
    token: VerifiedToken,
    api: A,
}

impl<A> Bearer<A> {
    /// Returns the token, whose clones outlive the request.
    ///
    /// ```
    /// # use logto_client::api::{Bearer, VerifiedToken};
    /// fn keep(bearer: &Bearer) -> VerifiedToken {
    ///     bearer.token().clone()
    /// }
    /// ```
    pub fn token(&self) -> &VerifiedToken {
        &self.token
    }
}

impl<A: AsRef<LogtoApi>> Bearer<A> {
    /// Verifies the token of a request. For the modules of web frameworks, and your own.
    ///
    /// `authorization` has the values of all `Authorization` headers, and `query` is that of the request's URL, if it
    /// has one.
    ///
    /// ```
    /// use logto_client::api::{ApiResponse, Bearer, LogtoApi};
    ///
    /// async fn handle(api: LogtoApi, authorization: Option<&str>) -> Result<String, ApiResponse> {
    ///     let headers = authorization.map(str::as_bytes);
    ///     match Bearer::from_request(api.clone(), headers, None).await {
    ///         Ok(bearer) => Ok(format!("Hello {}", bearer.sub())),
    ///         Err(error) => Err(api.respond(&error)),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ApiError::MissingToken`]: there is no `Authorization: Bearer`.
    /// - [`ApiError::InvalidRequest`]: there are several headers, something else than one token, or a parameter
    ///   `access_token` in the query.
    /// - Those of [`LogtoApi::verify`].
    pub async fn from_request<'a>(
        api: A,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        query: Option<&str>,
    ) -> Result<Self, ApiError> {
        let token = super::request::bearer_token(authorization, query)?;
        let token = api.as_ref().verify(token).await?;
        Ok(Self { token, api })
    }

    /// Returns the response to an error, as [`LogtoApi::respond`] does.
    ///
    /// ```
    /// # use logto_client::api::{ApiResponse, Bearer, TokenPermission};
    /// fn check<P: TokenPermission>(bearer: &Bearer) -> Result<(), ApiResponse> {
    ///     bearer.require::<P>().map_err(|error| bearer.respond(&error))
    /// }
    /// ```
    pub fn respond(&self, error: &ApiError) -> ApiResponse {
        self.api.as_ref().respond(error)
    }
}

impl<A> Deref for Bearer<A> {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.token
    }
}

impl<A> fmt::Debug for Bearer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bearer").field(&self.token).finish()
    }
}
