//! Somebody who signs in, with a browser's cookies.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use reqwest::header::ACCEPT;
use servers::{Browser, Page};

use crate::apps::{App, Kind};

/// A clone is the same browser.
#[derive(Clone)]
pub(crate) struct Visitor {
    browser: Browser,
    /// Where the app is.
    app: String,
}

impl Visitor {
    pub(crate) fn of(port: u16) -> Self {
        // Not the provider's host: cookies do not look at ports.
        Self { browser: Browser::new(), app: format!("http://localhost:{port}") }
    }

    /// Signs in; whoever is returned is signed in.
    pub(crate) async fn sign_in(app: &App) -> Result<Self> {
        let visitor = Self::of(app.port);
        if app.kind == Kind::Plain {
            visitor.get("/insert").await?;
            visitor.get("/renew").await?;
            return Ok(visitor);
        }
        let callback = visitor.go_to_provider(app).await?;
        visitor.come_back(&callback).await?;
        Ok(visitor)
    }

    /// Signs in at the provider. The path to come back to the app by.
    pub(crate) async fn go_to_provider(&self, app: &App) -> Result<String> {
        let page_url = location(&self.get("/logto/sign-in").await?)?;
        let page = self.browser.get(&page_url).await;
        let callback = location(&self.browser.submit(&page, &[("name", "Ada")]).await)?;
        let path = callback.strip_prefix(app.kind.base_url()).context("the provider leads somewhere else")?;
        Ok(path.to_owned())
    }

    pub(crate) async fn come_back(&self, callback: &str) -> Result<()> {
        location(&self.get(callback).await?)?;
        Ok(())
    }

    /// An answer that is no error, once all of it is there: express-session holds its end back until the session is saved.
    pub(crate) async fn get(&self, path: &str) -> Result<Page> {
        let request = self.browser.request(Method::GET, &format!("{}{path}", self.app));
        let page = request.header(ACCEPT, "text/html").load().await;
        ensure!(!page.status.is_client_error() && !page.status.is_server_error(), "{page:?}");
        Ok(page)
    }

    /// What a request of theirs has in its `Cookie`.
    pub(crate) fn cookie(&self) -> Result<String> {
        self.browser.cookies(&self.app).context("the app has set no cookie")
    }
}

/// Where it redirects to.
fn location(page: &Page) -> Result<String> {
    let location = page.location.as_ref().with_context(|| format!("no redirect: {page:?}"))?;
    Ok(location.to_string())
}
