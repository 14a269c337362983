//! Settings from environment variables.

use std::env::{self, VarError};

use logto_client::{Error, Url};

pub(crate) struct Settings {
    pub(crate) port: u16,
    /// The URL at which users reach the app, if the app does not listen there itself.
    pub(crate) base_url: Option<String>,
    /// `None` for the development provider.
    pub(crate) logto: Option<Logto>,
    pub(crate) store: String,
}

pub(crate) struct Logto {
    pub(crate) endpoint: String,
    pub(crate) app_id: String,
    pub(crate) app_secret: String,
    /// The APIs to request tokens for.
    pub(crate) resources: Vec<String>,
    /// The permissions to request at these APIs and in organizations.
    pub(crate) scopes: Vec<String>,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, String> {
        let port = match variable("PORT")? {
            Some(port) => port.parse().map_err(|_| {
                format!("PORT is {port:?}: set it to a number from 0 (any free port) to 65535, or unset it")
            })?,
            None => 3000,
        };
        let base_url = variable("BASE_URL")?.map(|url| origin(&url)).transpose()?;
        let store = variable("STORE")?.unwrap_or_else(|| "memory".to_owned());
        Ok(Self { port, base_url, logto: logto()?, store })
    }
}

/// Rejects a path, because the pages link to each other from the root.
fn origin(url: &str) -> Result<String, String> {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let origin = parsed.map(|url| url.origin().ascii_serialization());
    origin.filter(|origin| origin == url.trim_end_matches('/')).ok_or_else(|| {
        format!(
            "BASE_URL is {url:?}: set it to the URL at which users reach the app, such as https://app.example.com, without a path"
        )
    })
}

fn logto() -> Result<Option<Logto>, String> {
    let names = ["LOGTO_ENDPOINT", "LOGTO_APP_ID", "LOGTO_APP_SECRET"];
    match [variable(names[0])?, variable(names[1])?, variable(names[2])?] {
        [None, None, None] => Ok(None),
        [Some(endpoint), Some(app_id), Some(app_secret)] => {
            let words = |list: Option<String>| {
                list.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            let resources = words(variable("LOGTO_RESOURCES")?);
            let scopes = words(variable("LOGTO_RESOURCE_SCOPES")?);
            Ok(Some(Logto { endpoint, app_id, app_secret, resources, scopes }))
        }
        values => {
            let missing = |is_missing: bool| {
                let some = names.iter().zip(&values).filter(|(_, value)| value.is_none() == is_missing);
                some.map(|(name, _)| *name).collect::<Vec<_>>().join(" and ")
            };
            Err(format!(
                "{} is set, but not {}: set all three to use your Logto, or none to use the development provider",
                missing(false),
                missing(true),
            ))
        }
    }
}

/// Names the variable that `logto-client` rejected.
pub(crate) fn refused(error: Error) -> String {
    let Error::Config { field, problem, .. } = error else { return error.to_string() };
    let variable = match field {
        "endpoint" => "LOGTO_ENDPOINT",
        "app_id" => "LOGTO_APP_ID",
        "app_secret" => "LOGTO_APP_SECRET",
        "resources" => "LOGTO_RESOURCES",
        "scopes" => "LOGTO_RESOURCE_SCOPES",
        other => other,
    };
    format!("{variable} {problem}")
}

/// Treats an empty variable as missing.
fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not valid Unicode")),
    }
}
