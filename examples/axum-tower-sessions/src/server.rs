//! Listens until told to stop.

use std::error::Error;
use std::{env, io};

use axum::Router;
use tokio::net::TcpListener;

pub(crate) async fn run(app: Router) -> Result<(), Box<dyn Error>> {
    let port = port()?;
    let stop = stop()?;
    // Only for this machine. A browser that takes localhost for ::1 first comes here next.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("cannot listen on port {port}: {error}; set PORT to another one, or to 0 for any that is free")
    })?;
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    Ok(())
}

fn port() -> Result<u16, String> {
    let Some(port) = env::var_os("PORT") else { return Ok(3000) };
    let port = port.to_string_lossy();
    port.parse().map_err(|_| {
        format!("PORT is {port:?}: set it to a number from 0 (for any free port) to 65535, or leave it out")
    })
}

/// Ends at Ctrl-C, or at the SIGTERM of a service manager. It listens from the call on, not only once it is awaited.
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
