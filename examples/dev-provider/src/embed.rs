//! Sign-in without a browser, for tests that need a signed-in user but no sign-in page.

use std::{error, fmt};

use axum::Router;
use url::Url;

use crate::DevProvider;
use crate::authorize::{AuthorizationRequest, ReplyTo};
use crate::grants::Grant;
use crate::params::Params;
use crate::users::User;
use crate::{routes, token};

/// Why a user could not be sent back to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// The URL is not one of this provider's authorization endpoint.
    OtherEndpoint,
    /// The client or the redirect URI is invalid. A browser would stay at the provider.
    Client { error: &'static str, description: String },
    /// The name is invalid, or the user cannot sign in.
    User(&'static str),
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherEndpoint => f.write_str("the URL is not one of this provider's authorization endpoint"),
            Self::Client { error, description } => write!(f, "{error}: {description}"),
            Self::User(problem) => f.write_str(problem),
        }
    }
}

impl error::Error for AuthorizeError {}

impl DevProvider {
    /// Returns the service that also listens on the port. It serves the paths below [`DevProvider::endpoint`].
    pub fn router(&self) -> Router {
        routes(&self.provider)
    }

    /// Signs a user in and consents, in a new browser session. Returns the URL to redirect the browser to: the
    /// redirect URI with `code`, `state` and `iss`, or with `error` if the request is invalid.
    ///
    /// `user` is an id, a name, a username or an email address. A new name creates a user.
    ///
    /// # Errors
    ///
    /// Fails if the browser would not be redirected.
    #[expect(clippy::unused_async, reason = "a provider on another machine would have to wait")]
    pub async fn authorize(&self, authorization_url: &Url, user: &str) -> Result<Url, AuthorizeError> {
        let provider = &*self.provider;
        let endpoint = format!("{}/auth", provider.issuer);
        if authorization_url.as_str().split(['?', '#']).next() != Some(&*endpoint) {
            return Err(AuthorizeError::OtherEndpoint);
        }
        let params = Params::parse(authorization_url.query().unwrap_or_default().as_bytes());
        let reply_to = ReplyTo::read(&provider.config, &params)
            .map_err(|error| AuthorizeError::Client { error: error.error, description: error.description })?;
        let location = match AuthorizationRequest::read(&provider.config, &params, &reply_to) {
            Err(error) => reply_to.refusal(provider, &error),
            Ok(request) => {
                let mut tables = provider.tables();
                let known = tables.users.find(user).map(User::active_id);
                let user = known.unwrap_or_else(|| tables.users.create(user)).map_err(AuthorizeError::User)?;
                request.grant(provider, &mut tables, Grant::new(&user))
            }
        };
        // A registered redirect URI is a URL, and a query does not change that.
        Url::parse(&location)
            .map_err(|_| AuthorizeError::Client { error: "invalid_redirect_uri", description: location })
    }

    /// Issues an access token to a machine-to-machine app, for an API and with every permission that the app's roles
    /// grant there. Returns `None` if there is no such app or API.
    pub fn machine_token(&self, client_id: &str, resource: &str) -> Option<String> {
        let config = &self.provider.config;
        let client = config.machine_clients.iter().find(|client| client.id == client_id)?;
        let resource = config.resources.iter().find(|known| known.indicator == resource)?;
        token::machine_token(&self.provider, client, resource).ok()
    }
}
