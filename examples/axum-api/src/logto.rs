//! Who issues the tokens: your Logto, or a development provider. An app needs the endpoint and the API's indicator only.

use std::env;
use std::error::Error;

use dev_provider::{Config, DevProvider};

pub(crate) struct Logto {
    pub(crate) endpoint: String,
    /// The API's indicator.
    pub(crate) resource: String,
    /// Stops when it is dropped.
    provider: Option<DevProvider>,
}

impl Logto {
    /// Returns the Logto of the environment variables. Without them, starts a provider on a free port.
    pub(crate) async fn from_env_or_start() -> Result<Self, Box<dyn Error>> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        match (variable("LOGTO_ENDPOINT"), variable("LOGTO_RESOURCE")) {
            (Some(endpoint), Some(resource)) => Ok(Self { endpoint, resource, provider: None }),
            (Some(_), None) => {
                Err("LOGTO_ENDPOINT is set, but not LOGTO_RESOURCE: set it to the API's indicator".into())
            }
            (None, Some(_)) => Err("LOGTO_RESOURCE is set, but not LOGTO_ENDPOINT".into()),
            (None, None) => {
                let config = Config { endpoint: "http://127.0.0.1:0".to_owned(), ..Config::default() };
                let resource = config.resources[0].indicator.clone();
                let provider = DevProvider::start(config).await?;
                Ok(Self { endpoint: provider.endpoint().to_owned(), resource, provider: Some(provider) })
            }
        }
    }

    /// Prints requests to paste into a shell, with tokens if the provider is the program's own.
    pub(crate) fn print_requests(&self, url: &str) {
        let Self { endpoint, resource, provider } = self;
        if let Some(provider) = provider {
            println!("\nA development provider issues the tokens: {endpoint} is part of this program.");
            println!("Set LOGTO_ENDPOINT and LOGTO_RESOURCE to use your Logto.");
            for (app, comment) in [("dev-admin-machine", "200: may write"), ("dev-machine", "403: may only read")] {
                if let Some(token) = provider.machine_token(app, resource) {
                    println!("\n# {comment}\ncurl -i -X POST '{url}/items' -H 'Authorization: Bearer {token}'");
                }
            }
            println!("\n# 401: no token\ncurl -i '{url}/items'");
        } else {
            println!("\nTokens for {resource} are issued by {endpoint}.");
            println!("Create the permission write:items there, then ask for a token as a machine-to-machine app:");
            println!("\ncurl -u 'APP-ID:APP-SECRET' '{endpoint}/oidc/token' -d grant_type=client_credentials \\");
            println!("  --data-urlencode 'resource={resource}' -d scope=write:items");
            println!("curl -i -X POST '{url}/items' -H 'Authorization: Bearer TOKEN'");
        }
        println!("\nPress Ctrl-C to stop.");
    }
}
