//! A user's browser: it keeps cookies, and follows redirects one by one.

#![expect(clippy::missing_panics_doc, reason = "for tests, which fail by a panic")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A clone is another tab of the same browser: it has the same cookies.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    cookies: Arc<Jar>,
}

/// What a browser shows, or a redirect that it has not followed.
pub struct Page {
    pub url: Url,
    pub status: StatusCode,
    pub body: String,
    pub location: Option<Url>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new() -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(LIMIT);
        Self { client: client.build().expect("an HTTP client"), cookies: Arc::default() }
    }

    /// Another user's browser, on the same connections.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { client: self.client.clone(), cookies: Arc::default() }
    }

    /// One request.
    pub async fn get(&self, url: &str) -> Page {
        self.send(self.client.get(url)).await
    }

    /// Goes there, and on wherever it is sent to.
    pub async fn visit(&self, url: &str) -> Page {
        self.follow(self.get(url).await, |_| false).await
    }

    /// Goes wherever the page sends it to, but not to where it is to `stop`.
    pub async fn follow(&self, mut page: Page, stop: impl Fn(&Url) -> bool) -> Page {
        for _ in 0..20 {
            match &page.location {
                Some(url) if !stop(url) => page = self.get(url.as_str()).await,
                _ => return page,
            }
        }
        panic!("there is no end to the redirects: {page:?}");
    }

    /// Fills in the page's form, unless the page has done so itself, and sends it.
    pub async fn submit(&self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let mut form = page.form();
        for (name, value) in fields {
            if form.hidden.iter().all(|(hidden, _)| hidden != name) {
                form.hidden.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        self.send(self.client.post(form.action).form(&form.hidden)).await
    }

    /// A JSON document, whatever the status.
    pub async fn json(&self, url: &str) -> (u16, Value) {
        let page = self.get(url).await;
        let json = serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("no JSON: {page:?}"));
        (page.status.as_u16(), json)
    }

    /// All that it would send there.
    pub fn cookies(&self, url: &str) -> String {
        let cookies = self.cookies.cookies(&url.parse().unwrap());
        cookies.map(|cookies| cookies.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// The value of one that it would send there.
    pub fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let cookies = self.cookies(url);
        let mut cookies = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
        cookies.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    }

    /// Takes a cookie, as if the server there had set it.
    pub fn take_cookie(&self, url: &str, name: &str, value: &str) {
        self.cookies.add_cookie_str(&format!("{name}={value}; Path=/"), &url.parse().unwrap());
    }

    async fn send(&self, request: RequestBuilder) -> Page {
        let mut request = request.build().expect("a request");
        if let Some(cookies) = self.cookies.cookies(request.url()) {
            request.headers_mut().insert(COOKIE, cookies);
        }
        let response = self.client.execute(request).await.expect("an answer");
        let (url, status) = (response.url().clone(), response.status());
        self.cookies.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), &url);
        let location = response.headers().get(LOCATION).map(|to| url.join(to.to_str().unwrap()).unwrap());
        Page { url, status, body: response.text().await.unwrap(), location }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

/// Without the query of its URL, which may have a code in it.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, status, body, location } = self;
        let location = location.as_ref().map(Url::as_str);
        let url = url.as_str().split('?').next().unwrap_or_default();
        write!(f, "{status} from {url}, to {location:?}: {body}")
    }
}

/// The first form of a page.
struct Form {
    action: Url,
    hidden: Vec<(String, String)>,
}

impl Page {
    pub fn has_field(&self, name: &str) -> bool {
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
