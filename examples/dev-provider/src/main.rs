//! Runs the development provider as a program.

use std::env::{self, VarError};
use std::io;
use std::process::ExitCode;

use dev_provider::{Config, DevProvider};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let stop = stop().map_err(|error| format!("cannot wait for Ctrl-C: {error}"))?;
    let provider = DevProvider::start(config()?).await;
    let provider = provider.map_err(|error| format!("{error}; PORT sets another port, or 0 for any that is free"))?;
    print_banner(&provider);
    stop.await;
    provider.stop().await;
    Ok(())
}

/// Returns a future that is ready at Ctrl-C or SIGTERM. It catches signals from the call on, even before it is polled.
#[cfg(unix)]
fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
    })
}

#[cfg(windows)]
fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

/// Returns the default configuration with the changes from the environment.
fn config() -> Result<Config, String> {
    let mut config = Config::default();
    if let Some(port) = variable("PORT")? {
        let port: u16 = port.parse().map_err(|_| format!("PORT is {port:?}: set it to a number from 0 to 65535"))?;
        config.endpoint = format!("http://127.0.0.1:{port}");
    }
    if let Some(id) = variable("CLIENT_ID")? {
        config.client_id = id;
    }
    if let Some(secret) = variable("CLIENT_SECRET")? {
        config.client_secret = Some(secret).filter(|secret| !secret.is_empty());
    }
    let words = |list: String| list.split_whitespace().map(str::to_owned).collect();
    if let Some(uris) = variable("REDIRECT_URIS")? {
        config.redirect_uris = words(uris);
    }
    if let Some(uris) = variable("POST_LOGOUT_REDIRECT_URIS")? {
        config.post_logout_redirect_uris = words(uris);
    }
    Ok(config)
}

fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name} is not valid Unicode")),
    }
}

/// Includes the secrets, which protect nothing here.
fn print_banner(provider: &DevProvider) {
    let config = provider.config();
    let users: Vec<&str> = config.users.iter().map(|user| &*user.name).collect();
    println!("A development identity provider that looks like Logto to a client.");
    println!("For development only: anybody may sign in as anybody.\n");
    println!("Endpoint                   {}", provider.endpoint());
    println!("Client ID                  {}", config.client_id);
    println!("Client secret              {}", config.client_secret.as_deref().unwrap_or("(none: a public client)"));
    println!("Redirect URIs              {}", config.redirect_uris.join(" "));
    println!("Post-logout redirect URIs  {}", config.post_logout_redirect_uris.join(" "));
    for client in &config.machine_clients {
        println!("Machine-to-machine app     {} with secret {}", client.id, client.secret);
    }
    println!("Users                      {}, and any name you type", users.join(", "));
    println!("\nPress Ctrl-C to stop.");
}
