//! Signs users in, with axum and `logto-client`.
//!
//! Uses the Logto named by `LOGTO_ENDPOINT`, `LOGTO_APP_ID` and `LOGTO_APP_SECRET`, or else a development provider
//! that it starts itself.

mod pages;
mod problem;
mod response;
mod rows;
mod settings;
mod stop;
mod store;

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;

use dev_provider::DevProvider;
use logto_client::axum::LogtoAuth;
use logto_client::vault::Vault;
use logto_client::{LogtoClient, LogtoConfig, scope};
use tokio::net::TcpListener;

use crate::settings::{Logto, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let settings = Settings::from_env()?;
    let stop = stop::signal()?;
    // Reachable from this machine only. Browsers that resolve localhost to ::1 fall back to this address.
    let listener = TcpListener::bind(("127.0.0.1", settings.port)).await.map_err(|error| {
        format!("cannot listen on port {}: {error}; set PORT to another port, or to 0 for any free port", settings.port)
    })?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    let base_url = settings.base_url.unwrap_or_else(|| url.clone());

    let (logto, provider) = if let Some(logto) = settings.logto {
        (logto, None)
    } else {
        let (logto, provider) = start_provider(&base_url).await?;
        (logto, Some(provider))
    };
    let config = LogtoConfig::builder(&logto.endpoint, &logto.app_id)
        .app_secret(logto.app_secret)
        .scopes(
            [scope::EMAIL, scope::PHONE, scope::ROLES, scope::ORGANIZATIONS, scope::ORGANIZATION_ROLES]
                .into_iter()
                .chain(logto.scopes.iter().map(|scope| &**scope)),
        )
        .resources(&logto.resources)
        .build()
        .map_err(settings::refused)?;
    let auth = LogtoAuth::builder(LogtoClient::new(config)?, &base_url).on_error(problem::failed).build()?;

    let vault = Vault::new(store::open(&settings.store).await?);
    let secure = base_url.starts_with("https:");
    let app = pages::routes(&auth);
    // Cookies ignore ports: under the default name, apps on localhost would overwrite each other's cookie.
    let app = app.layer(auth.vault_layer(vault).cookie_name("sign-in")?);
    let app = response::layer(app, &logto.endpoint, secure);

    println!("Listening on {url}");
    print_banner(&base_url, &auth, provider.as_ref());
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    if let Some(provider) = provider {
        provider.stop().await;
    }
    Ok(())
}

/// Starts a development provider in place of Logto, on any free port.
async fn start_provider(base_url: &str) -> Result<(Logto, DevProvider), Box<dyn Error>> {
    let config = dev_provider::Config {
        endpoint: "http://127.0.0.1:0".to_owned(),
        redirect_uris: vec![format!("{base_url}/logto/sign-in-callback")],
        post_logout_redirect_uris: vec![format!("{base_url}/")],
        ..dev_provider::Config::default()
    };
    let provider = DevProvider::start(config).await?;
    let config = provider.config();
    let resource_scopes = config.resources.iter().flat_map(|resource| &resource.scopes);
    let organization_scopes = config.organization_roles.iter().flat_map(|role| &role.scopes);
    let logto = Logto {
        endpoint: provider.endpoint().to_owned(),
        app_id: config.client_id.clone(),
        app_secret: config.client_secret.clone().unwrap_or_default(),
        resources: config.resources.iter().map(|resource| resource.indicator.clone()).collect(),
        scopes: resource_scopes.chain(organization_scopes).cloned().collect(),
    };
    Ok((logto, provider))
}

fn print_banner(base_url: &str, auth: &LogtoAuth, provider: Option<&DevProvider>) {
    println!("\nOpen {base_url}/ and click “Sign in”.\n");
    if let Some(provider) = provider {
        println!(
            "Users sign in with the development provider at {}, which is part of this program:",
            provider.endpoint()
        );
        println!(
            "anybody may sign in as anybody. Set LOGTO_ENDPOINT, LOGTO_APP_ID and LOGTO_APP_SECRET to use your Logto."
        );
    } else {
        println!("Users sign in at {}. Register there for this app:", auth.client().config().endpoint());
        println!("  Redirect URI                {}", auth.redirect_uri());
        println!("  Post sign-out redirect URI  {}", auth.post_sign_out_redirect_uri());
    }
    println!("\nPress Ctrl-C to stop.");
}
