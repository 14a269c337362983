//! The routes for signing in and out.

use ::axum::Router;
use ::axum::extract::{FromRef, FromRequestParts, OriginalUri, Query, State};
use ::axum::http::{HeaderMap, StatusCode, header};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::get;
use serde::Deserialize;

use super::LogtoAuth;
use super::extract::{Request, redirect_to};
use super::rejection::plain_page;
use crate::error::ErrorChain;
use crate::oidc::authorize::{FirstScreen, SignInOptions};
use crate::storage::LogtoStorage;

#[derive(Deserialize)]
struct SignInParams {
    return_to: Option<String>,
}

impl LogtoAuth {
    /// Returns the [routes](super#routes) for signing in and out, with sessions in the storage `S`.
    ///
    /// Merge them into a router whose state is this `LogtoAuth` or [contains it](super#state):
    ///
    /// ```
    /// # #[cfg(feature = "tower-sessions-0_15")]
    /// # mod app {
    /// use axum::Router;
    /// use logto_client::axum::{InSession, LogtoAuth};
    ///
    /// fn app(auth: LogtoAuth) -> Router {
    ///     Router::new().merge(auth.routes::<InSession<tower_sessions::Session>, _>()).with_state(auth)
    /// }
    /// # }
    /// # fn main() {}
    /// ```
    #[doc(alias = "login")]
    #[doc(alias = "logout")]
    pub fn routes<S, T>(&self) -> Router<T>
    where
        Self: FromRef<T>,
        S: LogtoStorage + FromRequestParts<T> + Send + Sync + 'static,
        T: Clone + Send + Sync + 'static,
    {
        let path = |name| format!("{}/{name}", self.0.prefix);
        Router::new()
            .route(&path("sign-in"), get(sign_in::<S>).head(not_allowed))
            .route(&path("sign-up"), get(sign_up::<S>).head(not_allowed))
            .route(&path("sign-in-callback"), get(callback::<S>).head(not_allowed))
            .route(&path("sign-out"), get(sign_out_page).post(sign_out::<S>))
    }

    async fn begin<S: LogtoStorage>(
        &self,
        storage: S,
        request: &Request,
        params: SignInParams,
        route: &str,
        first_screen: Option<FirstScreen>,
    ) -> Response {
        let return_to = params.return_to.and_then(|url| self.0.return_to.check(&url));
        let return_to = return_to.unwrap_or_else(|| self.0.after_sign_in.clone());
        let mut options = SignInOptions::new(self.redirect_uri()).post_redirect_uri(return_to.as_str());
        if let Some(screen) = first_screen {
            options = options.first_screen(screen);
        }
        let session = self.client().session(storage);
        match session.sign_in(options).await {
            Ok(url) => redirect_to(url.as_str()),
            Err(error) => {
                if error.is_misconfiguration() {
                    tracing::error!(error = %ErrorChain(&error), "sign-in not started");
                } else {
                    tracing::warn!(error = %ErrorChain(&error), "sign-in not started");
                }
                self.sign_in_failed(request, &session, error, route, Some(&return_to)).await
            }
        }
    }
}

async fn sign_in<S: LogtoStorage>(
    State(auth): State<LogtoAuth>,
    request: Request,
    Query(params): Query<SignInParams>,
    storage: S,
) -> Response {
    auth.begin(storage, &request, params, "sign-in", None).await
}

async fn sign_up<S: LogtoStorage>(
    State(auth): State<LogtoAuth>,
    request: Request,
    Query(params): Query<SignInParams>,
    storage: S,
) -> Response {
    auth.begin(storage, &request, params, "sign-up", Some(FirstScreen::Register)).await
}

/// These routes change the session: not for a client that only checks whether a link works.
async fn not_allowed() -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::ALLOW, "GET")];
    (StatusCode::METHOD_NOT_ALLOWED, headers).into_response()
}

async fn callback<S: LogtoStorage>(
    State(auth): State<LogtoAuth>,
    request: Request,
    OriginalUri(uri): OriginalUri,
    storage: S,
) -> Response {
    let session = auth.client().session(storage);
    let path_and_query = uri.path_and_query().map_or("/", |uri| uri.as_str());
    let callback_url = auth.0.return_to.outside(path_and_query);
    // The callback removes the pending sign-in, and a user who tries again still wants to go there.
    let pending = session.pending_post_redirect_uri(&callback_url).await.ok().flatten();
    let pending = pending.and_then(|url| auth.0.return_to.check_stored(&url));
    match session.handle_sign_in_callback(&callback_url).await {
        Ok(signed_in) => {
            let url = signed_in.post_redirect_uri.and_then(|url| auth.0.return_to.check_stored(&url));
            redirect_to(url.as_ref().unwrap_or(&auth.0.after_sign_in).as_str())
        }
        // A reload or the back button after a successful sign-in.
        Err(error) if error.is_stale_callback() && session.is_authenticated().await.unwrap_or(false) => {
            redirect_to(auth.0.after_sign_in.as_str())
        }
        Err(error) => auth.sign_in_failed(&request, &session, error, "sign-in", pending.as_ref()).await,
    }
}

/// Shows a form: a sign-out requires a POST, because other sites could link to a GET.
async fn sign_out_page() -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'")];
    (headers, plain_page("Sign out", "<form method=post><button>Sign out</button></form>")).into_response()
}

async fn sign_out<S: LogtoStorage>(
    State(auth): State<LogtoAuth>,
    request: Request,
    headers: HeaderMap,
    storage: S,
) -> Response {
    if is_cross_site(&headers, &auth) {
        tracing::warn!("cross-site sign-out rejected");
        return StatusCode::FORBIDDEN.into_response();
    }
    let session = auth.client().session(storage);
    match session.sign_out(Some(auth.post_sign_out_redirect_uri())).await {
        Ok(url) => redirect_to(url.as_str()),
        Err(error) => auth.sign_out_failed(&request, &session, error).await,
    }
}

/// Protects apps whose session cookie is not `SameSite=Lax`: browsers send such a cookie with other sites' forms.
///
/// `Origin: null` is accepted: browsers also send it with an app's own forms under `Referrer-Policy: no-referrer`.
fn is_cross_site(headers: &HeaderMap, auth: &LogtoAuth) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin != "null" && origin != auth.0.return_to.origin(),
        (None, None) => false,
    }
}
