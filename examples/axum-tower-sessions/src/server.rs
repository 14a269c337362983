//! The HTTP server.

use std::error::Error;
use std::{env, io};

use axum::Router;
use tokio::net::TcpListener;

pub(crate) async fn run(app: Router) -> Result<(), Box<dyn Error>> {
    let port = port()?;
    let stop = stop()?;
    // Reachable from this machine only. Browsers that resolve localhost to ::1 fall back to this address.
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("cannot listen on port {port}: {error}; set PORT to another port, or to 0 for any free port")
    })?;
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    Ok(())
}

fn port() -> Result<u16, String> {
    let Some(port) = env::var_os("PORT") else { return Ok(3000) };
    let port = port.to_string_lossy();
    port.parse()
        .map_err(|_| format!("PORT is {port:?}: set it to a number from 0 (any free port) to 65535, or unset it"))
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
