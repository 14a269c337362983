//! Somebody who signs in, with a browser's cookies.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};

use crate::apps::{App, Kind};

pub(crate) struct Visitor {
    client: Client,
    jar: Arc<Jar>,
    /// Where the app is.
    app: Url,
}

impl Visitor {
    pub(crate) fn of(port: u16) -> Result<Self> {
        let jar = Arc::new(Jar::default());
        let client = Client::builder().no_proxy().redirect(Policy::none()).cookie_provider(Arc::clone(&jar)).build()?;
        // Not the provider's host: cookies do not look at ports.
        Ok(Self { client, jar, app: format!("http://localhost:{port}").parse()? })
    }

    /// Signs in; whoever is returned is signed in.
    pub(crate) async fn sign_in(app: &App) -> Result<Self> {
        let visitor = Self::of(app.port)?;
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
        let page_url: Url = location(self.get("/logto/sign-in").await?).await?.parse()?;
        let page = send(self.client.get(page_url.clone())).await?.text().await?;
        let action = between(&page, "<form method=\"post\" action=\"", "\"").context("no form to sign in")?;
        let interaction = between(&page, "name=\"interaction\" value=\"", "\"").context("no interaction")?;
        let form = [("interaction", interaction), ("name", "Ada")];
        let callback = location(send(self.client.post(page_url.join(action)?).form(&form)).await?).await?;
        let path = callback.strip_prefix(app.kind.base_url()).context("the provider leads somewhere else")?;
        Ok(path.to_owned())
    }

    pub(crate) async fn come_back(&self, callback: &str) -> Result<()> {
        location(self.get(callback).await?).await?;
        Ok(())
    }

    /// An answer that is no error.
    pub(crate) async fn get(&self, path: &str) -> Result<Response> {
        send(self.client.get(self.app.join(path)?).header("Accept", "text/html")).await
    }

    /// What a request of theirs has in its `Cookie`.
    pub(crate) fn cookie(&self) -> Result<String> {
        let cookies = self.jar.cookies(&self.app).context("the app has set no cookie")?;
        Ok(cookies.to_str()?.to_owned())
    }
}

async fn send(request: RequestBuilder) -> Result<Response> {
    let response = request.send().await?;
    let (status, path) = (response.status(), response.url().path().to_owned());
    ensure!(!status.is_client_error() && !status.is_server_error(), "{path}: {status}\n{}", response.text().await?);
    Ok(response)
}

/// Where it redirects to, once all of it is there: express-session holds its end back until the session is saved.
async fn location(response: Response) -> Result<String> {
    let location = response.headers().get(LOCATION);
    let location = location.with_context(|| format!("{} is no redirect", response.url().path()))?;
    let location = location.to_str()?.to_owned();
    response.bytes().await?;
    Ok(location)
}

/// What is between the first of `begin` and the next `end`.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}
