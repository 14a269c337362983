//! Somebody who visits the app, step by step.

use dev_provider::{Config, DevProvider, User};
use reqwest::header::{ACCEPT, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, Url};
use servers::{App, Browser, Page, Request, block_on};
use tokio::runtime::Runtime;

use crate::gateway::Gateway;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_sign-in");
pub(crate) const COOKIE_NAME: &str = "sign-in";

/// As the app has it without configuration, whatever the environment of the tests says.
const NO_SETTINGS: [(&str, &str); 7] = [
    ("BASE_URL", ""),
    ("STORE", ""),
    ("LOGTO_ENDPOINT", ""),
    ("LOGTO_APP_ID", ""),
    ("LOGTO_APP_SECRET", ""),
    ("LOGTO_RESOURCES", ""),
    ("LOGTO_RESOURCE_SCOPES", ""),
];

pub(crate) fn settings<'a>(variables: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&NO_SETTINGS, variables].concat()
}

pub(crate) fn start(variables: &[(&str, &str)]) -> App {
    App::start(PROGRAM, &settings(variables))
}

/// A provider that is no part of the app.
pub(crate) struct Provider {
    provider: DevProvider,
    /// Where it runs.
    runtime: Runtime,
}

impl Provider {
    /// For an app whose users find it at `base_url`.
    pub(crate) fn start(base_url: &str) -> Self {
        Self::start_with(base_url, |_| ())
    }

    pub(crate) fn start_with(base_url: &str, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            endpoint: "http://127.0.0.1:0/a/path".to_owned(),
            redirect_uris: vec![format!("{base_url}/logto/sign-in-callback")],
            post_logout_redirect_uris: vec![format!("{base_url}/")],
            deny_with_error: true,
            ..Config::default()
        };
        change(&mut config);
        let runtime = Runtime::new().expect("a runtime");
        let provider = runtime.block_on(DevProvider::start(config));
        Self { provider: provider.expect("a provider"), runtime }
    }

    /// Stops it, and leaves nothing on its port.
    pub(crate) fn stop(self) {
        self.runtime.block_on(self.provider.stop());
    }

    /// Stops it, and puts a gateway on its port, as in front of a Logto that is down.
    pub(crate) fn replace_with_gateway(self) -> Gateway {
        let url: Url = self.endpoint().parse().expect("a URL");
        self.stop();
        Gateway::start(url.port().expect("a port"))
    }

    pub(crate) fn update_user(&self, user: &str, change: impl FnOnce(&mut User)) {
        assert!(self.provider.update_user(user, change), "no user {user}");
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.provider.endpoint()
    }

    pub(crate) fn revoke_all_grants(&self) {
        self.provider.revoke_all_grants();
    }

    /// What an app is told of it.
    pub(crate) fn settings(&self) -> [(&str, &str); 5] {
        [
            ("LOGTO_ENDPOINT", self.endpoint()),
            ("LOGTO_APP_ID", "dev-client"),
            ("LOGTO_APP_SECRET", "dev-secret"),
            ("LOGTO_RESOURCES", "https://api.example.com  https://billing.example.com"),
            ("LOGTO_RESOURCE_SCOPES", "read:items"),
        ]
    }
}

/// A browser that looks at each of the app's responses: whatever it is, it has to have the headers that protect it.
pub(crate) struct Visitor {
    browser: Browser,
    app: String,
    /// Where the app says that it is.
    base_url: String,
}

/// What comes back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl From<Page> for Answer {
    fn from(page: Page) -> Self {
        Self { status: page.status.as_u16(), headers: page.headers, body: page.body }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Where it redirects to.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header(LOCATION.as_str())
    }

    /// The ticket in the cookie that it sets, which is empty if the cookie is removed.
    pub(crate) fn ticket(&self) -> Option<&str> {
        self.cookie().map(|cookie| cookie.split(';').next().unwrap_or_default())
    }

    pub(crate) fn cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().expect("text"));
        let cookie = cookies.next().and_then(|cookie| cookie.strip_prefix(COOKIE_NAME)?.strip_prefix('='));
        assert_eq!(cookies.next(), None, "one cookie at most");
        cookie
    }
}

impl Visitor {
    pub(crate) fn of(app: &App) -> Self {
        Self::through(app, app.url())
    }

    /// Through a proxy, by which the app is at `base_url`.
    pub(crate) fn through(app: &App, base_url: &str) -> Self {
        Self { browser: Browser::new(), app: app.url().to_owned(), base_url: base_url.to_owned() }
    }

    /// The same, with the same cookies, at another app.
    pub(crate) fn at(&self, app: &App, base_url: &str) -> Self {
        Self { browser: self.browser.clone(), app: app.url().to_owned(), base_url: base_url.to_owned() }
    }

    /// As in a `Cookie` header.
    pub(crate) fn cookies(&self) -> String {
        self.browser.cookies(&self.app).expect("cookies")
    }

    /// A page of the app.
    pub(crate) fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path))
    }

    /// A page of the app, with the ticket of another visitor.
    pub(crate) fn get_with_ticket(&self, path: &str, ticket: &str) -> Answer {
        let stranger = Self { browser: Browser::new(), app: self.app.clone(), base_url: self.base_url.clone() };
        stranger.browser.take_cookies(&self.app, &format!("{COOKIE_NAME}={ticket}"));
        stranger.get(path)
    }

    /// A request for a page.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        self.browser.request(method, &format!("{}{path}", self.app)).header(ACCEPT, "text/html,*/*;q=0.8")
    }

    /// Goes there, and on to the provider's page.
    pub(crate) fn begin(&self, path: &str) -> SignInPage {
        let mut answer = self.get(path);
        loop {
            let to = answer.location().to_owned();
            match self.path_of(&to) {
                Some(path) => answer = self.get(path),
                None => return SignInPage::open(&self.browser, &to),
            }
        }
    }

    /// Goes there, and signs in on the way. What there is in the end, and its path.
    pub(crate) fn sign_in(&self, path: &str, name: &str) -> (String, Answer) {
        self.finish(&self.begin(path).sign_in(name))
    }

    /// Goes to the callback, and on from there.
    pub(crate) fn finish(&self, callback: &str) -> (String, Answer) {
        let mut path = self.path_of(callback).expect("a URL of the app").to_owned();
        loop {
            let answer = self.get(&path);
            if answer.status != 303 {
                return (path, answer);
            }
            self.path_of(answer.location()).expect("a URL of the app").clone_into(&mut path);
        }
    }

    /// Signs out here and at the provider; what there is in the end, and its path.
    pub(crate) fn sign_out(&self) -> (String, Answer) {
        let answer = send(self.request(Method::POST, "/logto/sign-out"));
        let back = Answer::from(block_on(self.browser.get(answer.location())));
        self.finish(back.location())
    }

    /// Whether the app takes them for signed in.
    pub(crate) fn is_signed_in(&self) -> bool {
        let page = self.get("/");
        assert_eq!(page.status, 200, "{page:?}");
        page.body.contains("Signed in as")
    }

    /// What the app is to answer, if the URL is its own.
    fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let path = url.strip_prefix(&self.base_url)?;
        assert!(path.starts_with('/'), "{url}");
        Some(path)
    }
}

/// Sends a request to the app.
pub(crate) fn send(request: Request) -> Answer {
    let answer = Answer::from(block_on(request.load()));
    assert_is_protected(&answer);
    answer
}

/// The provider's page to sign in on.
pub(crate) struct SignInPage {
    browser: Browser,
    page: Page,
}

impl SignInPage {
    fn open(browser: &Browser, url: &str) -> Self {
        let page = block_on(browser.get(url));
        assert_eq!(page.status, 200, "{page:?}");
        Self { browser: browser.clone(), page }
    }

    pub(crate) fn url(&self) -> &str {
        self.page.url.as_str()
    }

    pub(crate) fn html(&self) -> &str {
        &self.page.body
    }

    /// The URL of the callback.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        self.submit("name", name)
    }

    /// The URL of the callback.
    pub(crate) fn deny(&self) -> String {
        self.submit("deny", "deny")
    }

    /// Whether the provider has forgotten the sign-in.
    pub(crate) fn is_dead(&self) -> bool {
        let answer = self.post("name", "Alice");
        answer.status == 400 && answer.body.contains("Session not found")
    }

    fn submit(&self, name: &str, value: &str) -> String {
        self.post(name, value).location().to_owned()
    }

    fn post(&self, name: &str, value: &str) -> Answer {
        block_on(self.browser.submit(&self.page, &[(name, value)])).into()
    }
}

/// Says nothing that anybody has to look at.
pub(crate) fn assert_is_quiet(app: &App) {
    let log = app.log();
    assert!(!["WARN", "ERROR", "eyJ", "\u{1b}"].iter().any(|bad| log.contains(bad)), "{log}");
}

/// What is between the first of `begin` and the next `end`.
pub(crate) fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {begin} in {text}")).0
}

fn assert_is_protected(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    let policy_begin = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://127.0.0.1:";
    assert!(policy.starts_with(policy_begin), "{answer:?}");
    assert!(policy.ends_with("; base-uri 'none'; frame-ancestors 'none'"), "{answer:?}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{answer:?}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {answer:?}");
    }
    let caching: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
    let is_style = answer.header("content-type").starts_with("text/css");
    assert_eq!(caching, [if is_style { "max-age=3600" } else { "no-store" }], "{answer:?}");
}
