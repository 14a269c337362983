//! A user's browser: it keeps cookies, and follows redirects one by one.

#![expect(clippy::missing_panics_doc, reason = "for tests, which fail by a panic")]

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
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
    pub headers: HeaderMap,
    pub body: String,
    pub location: Option<Url>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new() -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(LIMIT);
        Self { client: client.build().expect("an HTTP client"), cookies: Arc::default() }
    }

    /// Another user's browser, on the same connections. A client of its own would take 20 ms to build where reqwest has TLS.
    #[must_use]
    pub fn another(&self) -> Self {
        Self { client: self.client.clone(), cookies: Arc::default() }
    }

    /// Prepares a request.
    pub fn request(&self, method: Method, url: &str) -> Request {
        Request { browser: self.clone(), builder: self.client.request(method, url) }
    }

    /// One request.
    pub async fn get(&self, url: &str) -> Page {
        self.request(Method::GET, url).load().await
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
        self.request(Method::POST, form.action.as_str()).with(|request| request.form(&form.hidden)).load().await
    }

    /// A JSON document, whatever the status.
    pub async fn json(&self, url: &str) -> (u16, Value) {
        let page = self.get(url).await;
        let json = serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("no JSON: {page:?}"));
        (page.status.as_u16(), json)
    }

    /// All the cookies that it would send there, as in a `Cookie` header.
    pub fn cookies(&self, url: &str) -> Option<String> {
        let cookies = self.cookies.cookies(&url.parse().unwrap())?;
        Some(cookies.to_str().unwrap().to_owned())
    }

    /// The value of one that it would send there.
    pub fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let cookies = self.cookies(url)?;
        let mut cookies = cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
        cookies.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    }

    /// Takes cookies, as [`Self::cookies`] returns them, as if the server there had set them.
    pub fn take_cookies(&self, url: &str, cookies: &str) {
        let url = url.parse().unwrap();
        for cookie in cookies.split("; ") {
            self.cookies.add_cookie_str(&format!("{cookie}; Path=/"), &url);
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that a browser is about to send.
#[must_use]
pub struct Request {
    browser: Browser,
    builder: RequestBuilder,
}

impl Request {
    /// Adds a header.
    pub fn header(self, name: impl AsRef<str>, value: &str) -> Self {
        self.with(|request| request.header(name.as_ref(), value))
    }

    /// Adds whatever else reqwest can, such as a body.
    pub fn with(self, add: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { builder: add(self.builder), ..self }
    }

    /// Sends it with the cookies for its URL, and keeps those that the response sets.
    ///
    /// # Errors
    ///
    /// Fails if there is no response.
    pub async fn send(self) -> reqwest::Result<Response> {
        let Self { browser: Browser { client, cookies }, builder } = self;
        let mut request = builder.build()?;
        if let Some(cookies) = cookies.cookies(request.url()) {
            request.headers_mut().insert(COOKIE, cookies);
        }
        let response = client.execute(request).await?;
        cookies.set_cookies(&mut response.headers().get_all(SET_COOKIE).iter(), response.url());
        Ok(response)
    }

    /// The same, and reads the whole response.
    pub async fn load(self) -> Page {
        let response = self.send().await.expect("an answer");
        let (url, status, headers) = (response.url().clone(), response.status(), response.headers().clone());
        let location = headers.get(LOCATION).map(|to| url.join(to.to_str().unwrap()).unwrap());
        Page { url, status, headers, body: response.text().await.unwrap(), location }
    }
}

/// Without the query of its URL, which may have a code in it.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, status, body, location, .. } = self;
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
