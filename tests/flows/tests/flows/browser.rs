//! A user's browser: it keeps cookies, and redirects are followed one by one.

use std::fmt;
use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use url::{Position, Url};

use crate::LIMIT;

#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    cookies: Arc<Jar>,
}

/// What a browser shows, or a redirect that it has not followed.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) location: Option<Url>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let cookies = Arc::new(Jar::default());
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(LIMIT);
        Self { client: client.cookie_provider(Arc::clone(&cookies)).build().unwrap(), cookies }
    }

    /// One request.
    pub(crate) async fn get(&self, url: &str) -> Page {
        self.send(self.client.get(url)).await
    }

    /// Goes there, and on wherever it is sent to.
    pub(crate) async fn visit(&self, url: &str) -> Page {
        self.follow(self.get(url).await, |_| false).await
    }

    /// Goes wherever the page sends it to, but not to where it is to `stop`.
    pub(crate) async fn follow(&self, mut page: Page, stop: impl Fn(&Url) -> bool) -> Page {
        for _ in 0..20 {
            match &page.location {
                Some(url) if !stop(url) => page = self.get(url.as_str()).await,
                _ => return page,
            }
        }
        panic!("there is no end to the redirects: {page:?}");
    }

    /// Fills in the page's form, unless the page has done so itself, and sends it.
    pub(crate) async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let mut form = page.form();
        for (name, value) in fields {
            if form.hidden.iter().all(|(hidden, _)| hidden != name) {
                form.hidden.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        self.send(self.client.post(form.action).form(&form.hidden)).await
    }

    /// A JSON document, whatever the status.
    pub(crate) async fn json(&self, url: &str) -> (u16, Value) {
        let page = self.get(url).await;
        let json = serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("no JSON: {page:?}"));
        (page.status.as_u16(), json)
    }

    /// All that it would send there.
    pub(crate) fn cookies(&self, url: &str) -> String {
        let cookies = self.cookies.cookies(&url.parse().unwrap());
        cookies.map(|cookies| cookies.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// The value of one that it would send there.
    pub(crate) fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let cookies = self.cookies(url);
        let mut cookies = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
        cookies.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    }

    /// Takes a cookie, as if the server there had set it.
    pub(crate) fn take_cookie(&self, url: &str, name: &str, value: &str) {
        self.cookies.add_cookie_str(&format!("{name}={value}; Path=/"), &url.parse().unwrap());
    }

    async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.expect("an answer");
        let (url, status) = (response.url().clone(), response.status());
        let location = response.headers().get(LOCATION).map(|to| url.join(to.to_str().unwrap()).unwrap());
        Page { url, status, body: response.text().await.unwrap(), location }
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, status, body, location } = self;
        let location = location.as_ref().map(Url::as_str);
        write!(f, "{status} from {}, to {location:?}: {body}", &url[..Position::AfterPath])
    }
}

/// The first form of a page.
struct Form {
    action: Url,
    hidden: Vec<(String, String)>,
}

impl Page {
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.body.contains(&format!("name=\"{name}\""))
    }

    fn form(&self) -> Form {
        let (_, form) = self.body.split_once("<form ").unwrap_or_else(|| panic!("no form: {self:?}"));
        let (form, _) = form.split_once("</form>").expect("the form's end");
        let inputs =
            form.split("<input ").skip(1).filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
        let hidden = inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
        let action = attribute(form, "action").expect("an action");
        Form { action: self.url.join(&action).unwrap(), hidden: hidden.collect() }
    }
}

/// An attribute of the start tag whose name the text comes after.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (tag, _) = tag.split_once('>')?;
    let (_, value) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("&#x2F;", "/").replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&"))
}
