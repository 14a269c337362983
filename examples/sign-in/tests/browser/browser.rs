//! A browser with what its tests do again and again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use servers::{App, Chromium};
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::runtime::Runtime;

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Browser {
    /// Dropped first: it tells Chromium to end.
    pub(crate) driver: WebDriver,
    _chromium: Chromium,
}

/// Runs the test in a browser of its own, which must have had nothing to complain of in the end.
pub(crate) fn with(test: impl AsyncFnOnce(&Browser)) {
    Runtime::new().expect("a runtime").block_on(async {
        let browser = Browser::start().await;
        test(&browser).await;
        browser.assert_complaints(&[]).await;
        browser.driver.quit().await.expect("it ends");
    });
}

/// As it is without configuration, whatever the environment of the tests says.
pub(crate) fn start_app() -> App {
    start_app_with(&[])
}

pub(crate) fn start_app_with(variables: &[(&str, &str)]) -> App {
    let none = ["BASE_URL", "STORE", "LOGTO_ENDPOINT", "LOGTO_APP_ID", "LOGTO_APP_SECRET"].map(|name| (name, ""));
    App::start(env!("CARGO_BIN_EXE_sign-in"), &[&none, variables].concat())
}

impl Browser {
    async fn start() -> Self {
        let chromium = Chromium::start();
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(&chromium.program()).expect("a capability");
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a capability");
        for argument in chromium.arguments() {
            capabilities.add_arg(&argument).expect("an argument");
        }
        let driver = WebDriver::new(chromium.url(), capabilities).await.expect("Chromium starts");
        Self { driver, _chromium: chromium }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect(url);
    }

    pub(crate) async fn find(&self, css: &str) -> WebElement {
        match self.driver.find(By::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}\n{}", self.text().await),
        }
    }

    /// Clicks on the first link or button that says so, and waits for the page that it leads to.
    pub(crate) async fn click_on(&self, label: &str) {
        let path = format!("//*[self::a or self::button][starts-with(normalize-space(), '{label}')]");
        match self.driver.find(By::XPath(path.as_str())).await {
            Ok(element) => self.leave_by(async || element.click().await.expect(label)).await,
            Err(error) => panic!("no {label}: {error}\n{}", self.text().await),
        }
    }

    /// Waits for the page that the action leads to. (After a click the driver waits, too, but not for a form that is redirected from
    /// site to site.)
    pub(crate) async fn leave_by(&self, action: impl AsyncFnOnce()) {
        self.script("document.isLeft = true").await;
        action().await;
        self.wait_until("!document.isLeft").await;
    }

    /// Signs in from the page it is on, as one of the provider's users.
    pub(crate) async fn sign_in(&self, app: &App, user: &str) {
        self.open(&format!("{}/logto/sign-in", app.url())).await;
        self.click_on(user).await;
        self.assert_at(app, "/").await;
    }

    pub(crate) async fn url(&self) -> String {
        self.driver.current_url().await.expect("a URL").to_string()
    }

    pub(crate) async fn assert_at(&self, app: &App, path: &str) {
        assert_eq!(self.url().await, format!("{}{path}", app.url()), "{}", self.text().await);
    }

    /// The page's heading.
    pub(crate) async fn heading(&self) -> String {
        self.find("h1").await.text().await.expect("text")
    }

    /// What is to be read on the page.
    pub(crate) async fn text(&self) -> String {
        self.script("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn script(&self, script: &str) -> Value {
        self.driver.execute(script, []).await.expect("it runs").json().clone()
    }

    /// A script that calls back.
    pub(crate) async fn script_async(&self, script: &str) -> Value {
        self.driver.execute_async(script, []).await.expect("it runs").json().clone()
    }

    /// Waits until there is a whole page of which this holds.
    async fn wait_until(&self, condition: &str) {
        let script = format!("return document.readyState === 'complete' && {condition}");
        let deadline = Instant::now() + LIMIT;
        // In between pages there is nothing for scripts to run in.
        while self.driver.execute(&script, []).await.map_or(Value::Null, |value| value.json().clone()) != true {
            assert!(Instant::now() < deadline, "{condition}: {}", self.text().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn ticket(&self) -> String {
        self.driver.get_named_cookie("sign-in").await.expect("a ticket").value
    }

    pub(crate) async fn color_scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await.expect("it emulates");
    }

    pub(crate) async fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.expect("it emulates");
    }

    /// What the console has, since the last time: errors of scripts, violations of the content security policy, resources that
    /// were not there. Each has to contain its part of `expected`.
    pub(crate) async fn assert_complaints(&self, expected: &[&str]) {
        let log = self.driver.browser_log().await.expect("the console");
        let log: Vec<_> = log.into_iter().map(|entry| entry.message).collect();
        let all = log.len() == expected.len() && log.iter().zip(expected).all(|(entry, part)| entry.contains(part));
        assert!(all, "{log:#?}");
    }
}
