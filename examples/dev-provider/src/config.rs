//! The provider's configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use std::{fmt, io};

use url::{Host, Url};

use crate::keys::SigningAlgorithm;
use crate::users::{Membership, Organization, OrganizationRole, Role, User};

/// The configuration. [`Config::default`] is for an app on `http://localhost:3000`.
///
/// It does not implement `Debug`, because it contains the client's secret.
#[derive(Clone)]
pub struct Config {
    /// The provider's URL: `http`, a loopback host, a port (0 for any free port), and an optional path. The issuer is
    /// `{endpoint}/oidc`.
    ///
    /// The default is `http://127.0.0.1:3001`. For a browser it is a different site from `http://localhost:3000`, just
    /// as Logto is a different site from your app. An app whose session cookie is `SameSite=Strict` fails with both.
    pub endpoint: String,
    pub client_id: String,
    /// `None` for a public client.
    pub client_secret: Option<String>,
    /// Compared with the request's value character by character.
    pub redirect_uris: Vec<String>,
    /// Compared with the request's value character by character.
    pub post_logout_redirect_uris: Vec<String>,
    /// Machine-to-machine apps, in addition to the app above.
    pub machine_clients: Vec<MachineClient>,
    pub users: Vec<User>,
    /// The roles of users and machine-to-machine apps, with their permissions at APIs.
    pub roles: Vec<Role>,
    pub resources: Vec<Resource>,
    pub organizations: Vec<Organization>,
    /// The organization template: the roles of members, which are the same in each organization.
    pub organization_roles: Vec<OrganizationRole>,
    pub code_lifetime: Duration,
    /// The lifetime of access tokens. ID tokens are valid for an hour.
    pub access_token_lifetime: Duration,
    pub refresh_token_lifetime: Duration,
    /// The share of its lifetime after which a refresh token is rotated when it is used: 0 rotates at every use, more
    /// than 1 never. A public client's tokens are rotated at every use.
    pub rotate_refresh_token_at: f64,
    /// How long a rotated refresh token still works. Later, its use revokes the whole grant.
    pub refresh_token_grace: Duration,
    pub signing_algorithm: SigningAlgorithm,
    /// Whether ID tokens contain `custom_data`, `identities`, `sso_identities` and `organization_data`. By default
    /// only user info does. In Logto this is a setting of the tenant.
    pub extended_id_token_claims: bool,
    /// The URL to redirect to when the interaction of a sign-in page has ended, instead of showing an error page. In
    /// Logto this is a setting of the tenant.
    pub unknown_session_redirect_url: Option<String>,
    /// Whether "Cancel" sends `error=access_denied` to the app, as other providers do. Logto opens the bare redirect
    /// URI.
    pub deny_with_error: bool,
}

/// A machine-to-machine app, which gets tokens by the grant `client_credentials` only.
///
/// It does not implement `Debug`, because it contains the secret.
#[derive(Clone)]
pub struct MachineClient {
    pub id: String,
    pub secret: String,
    /// Names of [`Config::roles`].
    pub roles: Vec<String>,
    pub memberships: Vec<Membership>,
}

impl MachineClient {
    pub(crate) fn membership(&self, organization: &str) -> Option<&Membership> {
        self.memberships.iter().find(|membership| membership.organization == organization)
    }
}

/// An API that clients can request access tokens for.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The resource indicator (RFC 8707), such as `https://api.example.com`.
    pub indicator: String,
    /// The permissions that roles can grant.
    pub scopes: Vec<String>,
}

impl Resource {
    pub fn new(indicator: &str, scopes: &[&str]) -> Self {
        Self { indicator: indicator.to_owned(), scopes: strings(scopes) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "http://127.0.0.1:3001".to_owned(),
            client_id: "dev-client".to_owned(),
            client_secret: Some("dev-secret".to_owned()),
            redirect_uris: strings(&["http://localhost:3000/callback"]),
            post_logout_redirect_uris: strings(&["http://localhost:3000/"]),
            machine_clients: vec![
                MachineClient {
                    id: "dev-machine".to_owned(),
                    secret: "dev-machine-secret".to_owned(),
                    roles: strings(&["viewer"]),
                    memberships: vec![Membership::new("acme", &["member"])],
                },
                MachineClient {
                    id: "dev-admin-machine".to_owned(),
                    secret: "dev-admin-machine-secret".to_owned(),
                    roles: strings(&["admin"]),
                    memberships: vec![Membership::new("acme", &["admin"])],
                },
            ],
            roles: vec![
                Role::new("admin", &["read:items", "write:items", "read:invoices"]),
                Role::new("viewer", &["read:items"]),
            ],
            users: vec![
                User {
                    roles: strings(&["admin"]),
                    phone_number: Some("15550100".to_owned()),
                    memberships: vec![
                        Membership::new("acme", &["admin", "member"]),
                        Membership::new("globex", &["member"]),
                    ],
                    ..User::named("Alice")
                },
                User {
                    roles: strings(&["viewer"]),
                    // Without a role, so without any permission.
                    memberships: vec![Membership::new("acme", &[])],
                    ..User::named("Bob")
                },
                User::named("Carol"),
            ],
            resources: vec![
                Resource::new("https://api.example.com", &["read:items", "write:items"]),
                Resource::new("https://billing.example.com", &["read:invoices"]),
            ],
            organizations: vec![Organization::new("acme", "Acme"), Organization::new("globex", "Globex")],
            organization_roles: vec![
                OrganizationRole::new("admin", &["read:members", "invite:members"]),
                OrganizationRole::new("member", &["read:members"]),
            ],
            code_lifetime: Duration::from_mins(1),
            access_token_lifetime: Duration::from_hours(1),
            refresh_token_lifetime: Duration::from_hours(14 * 24),
            rotate_refresh_token_at: 0.7,
            refresh_token_grace: Duration::from_secs(3),
            signing_algorithm: SigningAlgorithm::default(),
            extended_id_token_claims: false,
            unknown_session_redirect_url: None,
            deny_with_error: false,
        }
    }
}

impl Config {
    /// Returns the endpoint and the address to listen on.
    pub(crate) fn validate(&self) -> Result<(Url, SocketAddr), StartError> {
        for uri in self.redirect_uris.iter().chain(&self.post_logout_redirect_uris) {
            if Url::parse(uri).map_or(true, |url| url.fragment().is_some()) {
                return Err(StartError::RedirectUri(uri.clone()));
            }
        }
        let endpoint = Url::parse(&self.endpoint).map_err(|_| StartError::Endpoint)?;
        let path_is_plain = endpoint.path().chars().all(|c| c.is_ascii_alphanumeric() || "/-._~".contains(c));
        let nothing_else = endpoint.username().is_empty() && endpoint.password().is_none();
        let nothing_else = nothing_else && endpoint.query().is_none() && endpoint.fragment().is_none();
        if endpoint.scheme() != "http" || !path_is_plain || !nothing_else {
            return Err(StartError::Endpoint);
        }
        let ip = match endpoint.host() {
            Some(Host::Ipv4(ip)) => IpAddr::from(ip),
            Some(Host::Ipv6(ip)) => IpAddr::from(ip),
            // Browsers that resolve localhost to ::1 fall back to this address.
            Some(Host::Domain("localhost")) => IpAddr::from(Ipv4Addr::LOCALHOST),
            _ => return Err(StartError::NotLoopback(self.endpoint.clone())),
        };
        if !ip.is_loopback() {
            return Err(StartError::NotLoopback(self.endpoint.clone()));
        }
        let address = SocketAddr::new(ip, endpoint.port_or_known_default().unwrap_or(80));
        Ok((endpoint, address))
    }
}

/// Why the provider did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The endpoint is not an `http` URL with a host, a port and a plain path. The error does not repeat it, because
    /// it may contain a password.
    Endpoint,
    /// The endpoint is not on loopback. Anybody may sign in as anybody, so only programs on the same machine may
    /// connect.
    NotLoopback(String),
    /// The redirect URI is not an absolute URL, or has a fragment.
    RedirectUri(String),
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    SigningKey,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint => {
                f.write_str("the endpoint is not of the form http://127.0.0.1:3001, with an optional plain path")
            }
            Self::NotLoopback(endpoint) => {
                write!(f, "the endpoint {endpoint:?} is not on loopback: use 127.0.0.1, [::1] or localhost")
            }
            Self::RedirectUri(uri) => write!(f, "the redirect URI {uri:?} is not an absolute URL without a fragment"),
            Self::Listen { address, source } => write!(f, "cannot listen on {address}: {source}"),
            Self::SigningKey => f.write_str("cannot generate a signing key"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { source, .. } => Some(source),
            _ => None,
        }
    }
}

pub(crate) fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
