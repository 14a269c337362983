//! The providers that the tests run on, as each knows the app under test.

use std::time::Duration;

use dev_provider::{Config, DevProvider, Membership, Organization, Resource, Role, User};
use logto_client::LogtoConfig;
use reqwest::StatusCode;
use servers::{
    Browser, Missing, OidcProvider, OidcProviderClient, OidcProviderOptions, OidcProviderSettings, Page, Rotation,
};
use url::Url;

pub(crate) const APP_ID: &str = "flows-app";
/// With what a form encodes, and Basic authentication with it.
pub(crate) const APP_SECRET: &str = "s3cret:/+ %&=";
pub(crate) const API: &str = "https://api.example.com";
pub(crate) const OTHER_API: &str = "https://other.example.com";

/// What a test wants to be different.
pub(crate) struct Setup {
    pub(crate) public: bool,
    pub(crate) base_path: &'static str,
    pub(crate) registered_callback: &'static str,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) resources: Vec<&'static str>,
    pub(crate) keep_session_id: bool,
    /// Those of the development provider. The other one knows everybody.
    pub(crate) users: Vec<&'static str>,
    pub(crate) provider: OidcProviderSettings,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            public: false,
            base_path: "",
            registered_callback: "/callback",
            scopes: vec![
                "email",
                "roles",
                "urn:logto:scope:organizations",
                "read:orders",
                "read:things",
                "read:members",
            ],
            resources: vec![API, OTHER_API],
            keep_session_id: false,
            users: vec!["ann", "bob"],
            provider: OidcProviderSettings::default(),
        }
    }
}

impl Setup {
    /// The app's configuration.
    pub(crate) fn config(&self, endpoint: &str) -> LogtoConfig {
        let mut config = LogtoConfig::builder(endpoint, APP_ID)
            .scopes(self.scopes.iter().copied())
            .resources(self.resources.iter().copied());
        if self.keep_session_id {
            config = config.dangerously_keep_session_id();
        }
        if !self.public {
            config = config.app_secret(APP_SECRET);
        }
        config.build().unwrap()
    }
}

/// Which provider a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// The library that Logto is built on.
    OidcProvider,
    /// What developers have instead of Logto.
    DevProvider,
}

impl On {
    pub(crate) fn available(self) -> Result<(), Missing> {
        match self {
            Self::OidcProvider => OidcProvider::available(),
            Self::DevProvider => Ok(()),
        }
    }
}

pub(crate) enum Provider {
    OidcProvider(OidcProvider),
    DevProvider(DevProvider),
}

/// A request to a provider's token endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TokenRequest {
    Code,
    Refresh,
}

impl Provider {
    /// Starts one that knows an app at that URL.
    pub(crate) async fn start(on: On, setup: &Setup, app_url: &str) -> Self {
        match on {
            On::OidcProvider => Self::OidcProvider(OidcProvider::start(OidcProviderOptions {
                base_path: setup.base_path.to_owned(),
                clients: vec![OidcProviderClient {
                    id: APP_ID.to_owned(),
                    secret: (!setup.public).then(|| APP_SECRET.to_owned()),
                    redirect_uris: vec![format!("{app_url}{}", setup.registered_callback)],
                    post_logout_redirect_uris: vec![format!("{app_url}/")],
                }],
                settings: setup.provider.clone(),
            })),
            On::DevProvider => {
                let config = dev_config(setup, "http://127.0.0.1:0", app_url);
                Self::DevProvider(DevProvider::start(config).await.unwrap())
            }
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        match self {
            Self::OidcProvider(provider) => provider.endpoint(),
            Self::DevProvider(provider) => provider.endpoint(),
        }
    }

    /// What the token endpoint was asked, in the order of its answers.
    pub(crate) fn token_requests(&self) -> Vec<TokenRequest> {
        let of_grant = |grant: &str| match grant {
            "authorization_code" => TokenRequest::Code,
            "refresh_token" => TokenRequest::Refresh,
            other => panic!("a grant of type {other:?}"),
        };
        match self {
            Self::OidcProvider(provider) => {
                let requests = provider.requests();
                requests.iter().filter_map(|request| request.grant_type.as_deref()).map(of_grant).collect()
            }
            Self::DevProvider(provider) => {
                provider.token_requests().iter().map(|request| of_grant(&request.grant_type)).collect()
            }
        }
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.token_requests().iter().filter(|request| **request == TokenRequest::Refresh).count()
    }

    /// The refresh tokens that were used, each as a hash, in the order of the answers.
    pub(crate) fn used_refresh_tokens(&self) -> Vec<String> {
        match self {
            Self::OidcProvider(provider) => {
                provider.requests().into_iter().filter_map(|request| request.refresh_token).collect()
            }
            Self::DevProvider(provider) => {
                let requests = provider.token_requests().into_iter();
                requests.filter(|request| request.grant_type == "refresh_token").map(|used| used.credential).collect()
            }
        }
    }

    /// What the user does on a page of the provider's to sign in as `name`. Pages ask who they are, whether the app may know,
    /// or both.
    async fn agree(&self, browser: &Browser, page: &Page, name: &str) -> Page {
        match self {
            Self::OidcProvider(_) if page.has_field("login") => browser.submit(page, &[("login", name)]).await,
            Self::OidcProvider(_) => browser.submit(page, &[("allow", "yes")]).await,
            Self::DevProvider(_) => browser.submit(page, &[("name", name)]).await,
        }
    }

    /// All that the user does at the provider to sign in as `name`, from a page of its own on, until it sends them where it is
    /// to stop.
    pub(crate) async fn agree_until(
        &self,
        browser: &Browser,
        mut page: Page,
        name: &str,
        stop: impl Fn(&Url) -> bool,
    ) -> Url {
        for _ in 0..5 {
            if let Some(callback) = page.location {
                return callback;
            }
            assert_eq!(page.status, StatusCode::OK, "{page:?}");
            page = self.agree(browser, &page, name).await;
            page = browser.follow(page, &stop).await;
        }
        panic!("the provider does not send the user back: {page:?}");
    }

    pub(crate) async fn deny(&self, browser: &Browser, page: &Page) -> Page {
        match self {
            Self::OidcProvider(_) | Self::DevProvider(_) => browser.submit(page, &[("deny", "yes")]).await,
        }
    }
}

/// The same users, organizations, APIs and lifetimes as the other provider has.
pub(crate) fn dev_config(setup: &Setup, origin: &str, app_url: &str) -> Config {
    let OidcProviderSettings { access_token_seconds, refresh_token_seconds, grace_seconds, rotation, .. } =
        setup.provider;
    let organizations: Vec<_> = (1..=6).map(|number| format!("org-{number}")).collect();
    let user = |name: &&str| User {
        roles: vec!["customer".to_owned()],
        memberships: organizations.iter().map(|organization| Membership::new(organization, &["member"])).collect(),
        custom_data: [("theme".to_owned(), "dark".into())].into(),
        ..User::named(name)
    };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Config {
        endpoint: format!("{origin}{}", setup.base_path),
        client_id: APP_ID.to_owned(),
        client_secret: (!setup.public).then(|| APP_SECRET.to_owned()),
        redirect_uris: vec![format!("{app_url}{}", setup.registered_callback)],
        post_logout_redirect_uris: vec![format!("{app_url}/")],
        users: setup.users.iter().map(user).collect(),
        roles: vec![Role::new("customer", &["read:orders", "write:orders", "read:things"])],
        resources: vec![
            Resource::new(API, &["read:orders", "write:orders"]),
            Resource::new(OTHER_API, &["read:things"]),
        ],
        organizations: organizations.iter().map(|id| Organization::new(id, id)).collect(),
        organization_roles: vec![Role::new("member", &["read:members"])],
        access_token_lifetime: seconds(access_token_seconds),
        refresh_token_lifetime: seconds(refresh_token_seconds),
        rotate_refresh_token_at: match rotation {
            Rotation::Always => 0.0,
            Rotation::Never => 2.0,
            Rotation::Logto => 0.7,
        },
        refresh_token_grace: seconds(grace_seconds),
        // Logto reports nothing; the other provider does.
        deny_with_error: true,
        ..Config::default()
    }
}
