//! Users and organizations.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use crate::config::strings;

/// The maximum number of users, which bounds memory.
const CAPACITY: usize = 1_000;

#[derive(Clone, Debug)]
pub struct User {
    /// The `sub` of tokens.
    pub id: String,
    pub name: String,
    pub username: String,
    pub email: Option<String>,
    /// Digits only, as in Logto.
    pub phone_number: Option<String>,
    pub picture: Option<String>,
    /// Milliseconds since 1970, as in Logto.
    pub created_at: u64,
    /// Names of [`Config::roles`](crate::Config::roles). Without a role the user has no permission at any API.
    pub roles: Vec<String>,
    pub memberships: Vec<Membership>,
    pub custom_data: BTreeMap<String, Value>,
    /// The social accounts, by connector.
    pub identities: BTreeMap<String, Value>,
    /// Whether the user is suspended: sign-in and user info are rejected.
    pub is_suspended: bool,
}

impl User {
    /// Creates a user whose id is derived from the name, so that it stays the same after a restart.
    pub fn named(name: &str) -> Self {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let hash = digest(&SHA256, name.to_lowercase().as_bytes());
        let id = hash.as_ref()[..6].iter().fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
        let id = format!("{id:012x}");
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
            && name.starts_with(|first: char| first.is_ascii_alphabetic());
        let username = if plain { name.to_lowercase().replace(' ', "_") } else { format!("user_{id}") };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self {
            id,
            email: Some(format!("{username}@example.com")),
            name,
            username,
            phone_number: None,
            picture: None,
            created_at: u64::try_from(now).unwrap_or(u64::MAX),
            roles: Vec::new(),
            memberships: Vec::new(),
            custom_data: BTreeMap::new(),
            identities: BTreeMap::new(),
            is_suspended: false,
        }
    }

    pub(crate) fn membership(&self, organization: &str) -> Option<&Membership> {
        self.memberships.iter().find(|membership| membership.organization == organization)
    }

    fn answers_to(&self, identifier: &str) -> bool {
        let identifier = identifier.trim().to_lowercase();
        !identifier.is_empty() && self.identifiers().any(|own| own.to_lowercase() == identifier)
    }

    fn identifiers(&self) -> impl Iterator<Item = &str> {
        [&self.id, &self.name, &self.username].into_iter().chain(&self.email).map(String::as_str)
    }

    /// Returns the id, or an error message if the user cannot sign in.
    pub(crate) fn active_id(&self) -> Result<String, &'static str> {
        if self.is_suspended { Err("This account is suspended.") } else { Ok(self.id.clone()) }
    }
}

#[derive(Clone, Debug)]
pub struct Organization {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
}

impl Organization {
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), description: None }
    }
}

/// A named set of permissions.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub scopes: Vec<String>,
}

/// A role in the organization template. Its permissions apply within an organization: its own scopes, and scopes of
/// APIs in tokens for an API within the organization.
pub type OrganizationRole = Role;

impl Role {
    pub fn new(name: &str, scopes: &[&str]) -> Self {
        Self { name: name.to_owned(), scopes: strings(scopes) }
    }
}

#[derive(Clone, Debug)]
pub struct Membership {
    /// The organization's id.
    pub organization: String,
    /// The names of the member's roles.
    pub roles: Vec<String>,
}

impl Membership {
    pub fn new(organization: &str, roles: &[&str]) -> Self {
        Self { organization: organization.to_owned(), roles: strings(roles) }
    }
}

pub(crate) struct Users(pub(crate) Vec<User>);

impl Users {
    pub(crate) fn get(&self, id: &str) -> Option<&User> {
        self.0.iter().find(|user| user.id == id)
    }

    pub(crate) fn is_active(&self, id: &str) -> bool {
        self.get(id).is_some_and(|user| !user.is_suspended)
    }

    pub(crate) fn find_mut(&mut self, identifier: &str) -> Option<&mut User> {
        self.0.iter_mut().find(|user| user.answers_to(identifier))
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.0.retain(|user| user.id != id);
    }

    /// Finds a user by id, name, username or email address.
    pub(crate) fn find(&self, identifier: &str) -> Option<&User> {
        self.0.iter().find(|user| user.answers_to(identifier))
    }

    /// Creates a user and returns the id, or an error message for the page.
    pub(crate) fn create(&mut self, name: &str) -> Result<String, &'static str> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err("Enter a name of 1 to 64 characters.");
        }
        let user = User::named(name);
        if user.identifiers().any(|taken| self.find(taken).is_some()) {
            return Err("This name is taken. Choose another one.");
        }
        if self.0.len() >= CAPACITY {
            return Err("Too many users. Restart the provider.");
        }
        let id = user.id.clone();
        self.0.push(user);
        Ok(id)
    }
}
