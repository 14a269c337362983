//! What the pages say.

use std::fs;
use std::path::Path;

use logto_client::SessionHandle as _;
use logto_client::vault::cookie::{CookieSettings, TicketCookie};
use logto_client::vault::{SqliteVault, Vault, Vaulted};
use reqwest::Method;
use serde_json::Value;
use servers::{App, block_on};

use crate::stores::sqlite;
use crate::visitor::{COOKIE_NAME, Provider, Visitor, assert_is_quiet, between, send, start};

const BASE_URL: &str = "http://localhost:1";

const ORGANIZATION_SCOPES: (&str, &str) = ("LOGTO_RESOURCE_SCOPES", "read:members invite:members");

/// Of who is signed in.
pub(crate) const PAGES: [&str; 7] = [
    "/",
    "/claims",
    "/user-info",
    "/access-token",
    "/access-token?resource=https://api.example.com",
    "/organizations",
    "/protected",
];

/// The provider's Alice, who has everything.
fn alice(app: &App) -> Visitor {
    let visitor = Visitor::of(app);
    visitor.sign_in("/logto/sign-in", "Alice");
    visitor
}

pub(crate) fn the_home_page_is_for_everybody() {
    let app = start(&[]);

    let stranger = Visitor::of(&app).get("/");
    assert_eq!((stranger.status, stranger.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(stranger.body.contains("You are not signed in."), "{}", stranger.body);
    assert!(stranger.body.contains("href=\"/logto/sign-in\"") && stranger.body.contains("href=\"/logto/sign-up\""));

    let page = alice(&app).get("/").body;
    assert!(page.contains("<h1>Hello Alice</h1>"), "{page}");
    assert!(!page.contains("href=\"/logto/sign-in\""), "{page}");
}

pub(crate) fn claims_are_those_of_the_id_token() {
    let app = start(&[]);
    let page = alice(&app).get("/claims");

    assert_eq!(page.status, 200);
    for (claim, value) in [
        ("name", "Alice"),
        ("username", "alice"),
        ("email", "alice@example.com"),
        ("phone_number", "15550100"),
        ("roles", "admin"),
        ("organizations", "acme, globex"),
        ("organization_roles", "acme:admin, acme:member, globex:member"),
        ("aud", "dev-client"),
    ] {
        assert_row(&page.body, claim, value);
    }
}

pub(crate) fn user_info_is_what_the_provider_says() {
    let app = start(&[]);
    let page = alice(&app).get("/user-info");

    assert_eq!(page.status, 200);
    assert_row(&page.body, "name", "Alice");
    assert_row(&page.body, "email", "alice@example.com");
    let organizations = "id: acme, name: Acme, description: none; id: globex, name: Globex, description: none";
    assert_row(&page.body, "organization_data", organizations);
}

pub(crate) fn an_access_token_is_for_the_api_that_was_chosen() {
    let app = start(&[]);
    let visitor = alice(&app);

    let choice = visitor.get("/access-token");
    assert_eq!(choice.status, 200);
    for api in ["https://api.example.com", "https://billing.example.com"] {
        assert!(choice.body.contains(&format!("<option>{api}</option>")), "{}", choice.body);
    }
    assert!(!choice.body.contains("urn:logto:") && !choice.body.contains("<table>"), "{}", choice.body);
    for (api, scopes) in
        [("https://api.example.com", "read:items write:items"), ("https://billing.example.com", "read:invoices")]
    {
        let page = visitor.get(&format!("/access-token?resource={api}"));
        assert_eq!(page.status, 200);
        assert_row(&page.body, "aud", api);
        assert_row(&page.body, "scope", scopes);
        assert!(page.body.contains(&format!("<option selected>{api}</option>")), "{}", page.body);
    }
}

pub(crate) fn an_api_that_is_unknown_is_told_of() {
    let app = start(&[]);
    let visitor = alice(&app);
    for resource in ["https://unknown.example.com", "<script>alert(1)</script>", "", "urn:logto:resource:organizations"]
    {
        let page = send(
            visitor.request(Method::GET, "/access-token").with(|request| request.query(&[("resource", resource)])),
        );

        assert_eq!(page.status, 404, "{resource}: {page:?}");
        assert!(page.body.contains("<h1>Unknown API</h1>"), "{}", page.body);
        assert!(!page.body.contains("<script"), "{}", page.body);
    }
    assert!(visitor.is_signed_in());
    assert_is_quiet(&app);
}

pub(crate) fn each_organization_has_its_name_and_a_token() {
    let provider = Provider::start_with(BASE_URL, |config| {
        config.organizations[0].description = Some("It makes everything.".to_owned());
    });
    let app = start(&[&provider.settings()[..], &[ORGANIZATION_SCOPES, ("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    visitor.sign_in("/logto/sign-in", "Alice");

    let page = visitor.get("/organizations");

    assert_eq!(page.status, 200);
    for (id, name, scopes) in [("acme", "Acme", "read:members invite:members"), ("globex", "Globex", "read:members")] {
        let section = organization(&page.body, name);
        assert!(section.contains(&format!("<code>{id}</code>")), "{section}");
        assert_row(section, "aud", &format!("urn:logto:organization:{id}"));
        assert_row(section, "scope", scopes);
        assert_eq!(section.contains("<p>It makes everything.</p>"), id == "acme", "{section}");
    }
}

/// The ID token still names an organization that the user has left.
pub(crate) fn an_organization_that_refuses_a_token_does_not_fail_the_page() {
    let provider = Provider::start(BASE_URL);
    let app = start(&[&provider.settings()[..], &[ORGANIZATION_SCOPES, ("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    visitor.sign_in("/logto/sign-in", "Alice");
    provider.update_user("Alice", |user| user.memberships.retain(|of| of.organization != "globex"));

    let page = visitor.get("/organizations");

    assert_eq!(page.status, 200);
    assert_row(organization(&page.body, "Acme"), "aud", "urn:logto:organization:acme");
    let refused = organization(&page.body, "globex");
    let reason = "<p>Logto refused a token for this organization: user is not a member of the organization.</p>";
    assert!(refused.contains(reason) && !refused.contains("<table>"), "{refused}");
}

/// A member without a role, and a user without a role.
pub(crate) fn no_permissions_are_shown_in_words() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Bob");

    let organizations = visitor.get("/organizations").body;
    let api = visitor.get("/access-token?resource=https://billing.example.com").body;

    assert_row(organization(&organizations, "Acme"), "scope", "No permissions");
    assert_row(&api, "scope", "No permissions");
}

pub(crate) fn empty_lists_are_shown_in_words() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Carol");

    let page = visitor.get("/claims").body;

    for claim in ["roles", "organizations", "organization_roles"] {
        assert_row(&page, claim, "none");
    }
}

pub(crate) fn times_are_shown_as_dates() {
    let provider = Provider::start(BASE_URL);
    provider.update_user("Alice", |user| user.created_at = 1_700_000_000_999);
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    visitor.sign_in("/logto/sign-in", "Alice");

    let page = visitor.get("/claims").body;

    assert_row(&page, "created_at", "2023-11-14 22:13:20 UTC");
    for claim in ["exp", "iat"] {
        let date = between(&page, &format!("<tr><th scope=\"row\">{claim}</th><td>"), "</td>");
        let is_now = date.starts_with("20") && !date.starts_with("2023") && date.ends_with(" UTC");
        assert!(is_now && date.len() == 23, "{date}");
    }
}

/// The part of the page that is about one organization.
fn organization<'a>(page: &'a str, name: &str) -> &'a str {
    between(page, &format!("\">{name}</h2>"), "</section>")
}

pub(crate) fn who_is_no_member_is_told_so() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Nobody's member");

    let page = visitor.get("/organizations");

    assert_eq!(page.status, 200);
    assert!(page.body.contains("You are not a member of any organization."), "{}", page.body);
}

pub(crate) fn what_users_call_themselves_is_text() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "<script>alert('é\"&')</script>");

    for path in PAGES {
        let page = visitor.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("<script"), "{path}: {}", page.body);
        assert!(page.body.contains("&#60;script&#62;alert(&#39;é&#34;&#38;&#39;)"), "{path}: {}", page.body);
    }
}

pub(crate) fn no_page_shows_a_token() {
    let (folder, store) = sqlite();
    let app = start(&[("STORE", &store)]);
    let visitor = alice(&app);
    let pages = || PAGES.into_iter().chain(["/claims?a=1", "/nowhere"]).map(|path| (path, visitor.get(path).body));
    assert_eq!(pages().filter(|(_, page)| page.contains("begins with <code>eyJ")).count(), 2);

    let tokens = block_on(stored_tokens(&store, &visitor));
    // The refresh token, the ID token, and access tokens for user info, an API and two organizations.
    assert!(tokens.len() >= 6, "{} tokens", tokens.len());
    let files = stored_bytes(folder.path());
    for token in &tokens {
        assert!(!files.contains(&token[..12]), "it is encrypted");
    }
    for (path, page) in pages() {
        for token in &tokens {
            assert!(!page.contains(&token[..12]), "{path} shows {token}");
        }
    }
}

/// The tokens of the visitor's record, which their cookie opens.
async fn stored_tokens(store: &str, visitor: &Visitor) -> Vec<String> {
    let settings = CookieSettings::default().name(COOKIE_NAME).expect("a name").dangerously_allow_http();
    let cookie = TicketCookie::new(settings, [visitor.cookies()]);
    let vault = Vault::new(SqliteVault::connect(store).await.expect("the store"));
    let record = Vaulted::new(cookie, vault);
    let item = async |key: &str| -> Value {
        let item = record.read(key.into()).await.expect("the store").unwrap_or_else(|| panic!("no {key}"));
        serde_json::from_str(&item).expect("JSON")
    };
    let index = item("logto_access_token_map").await;
    let targets = index["expiresAt"].as_object().expect("the targets").keys();
    let mut keys: Vec<_> = targets.map(|target| format!("logto_access_token:{target}")).collect();
    keys.extend(["logto_id_token", "logto_refresh_token"].map(str::to_owned));
    let mut tokens = Vec::new();
    for key in keys {
        tokens.push(item(&key).await["token"].as_str().expect("a token").to_owned());
    }
    tokens
}

/// What the database has in its files.
fn stored_bytes(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("the folder").map(|file| fs::read(file.expect("a file").path()));
    files.map(|file| String::from_utf8_lossy(&file.expect("a file")).into_owned()).collect()
}

pub(crate) fn there_is_a_page_for_what_is_not_there() {
    let app = start(&[]);
    for visitor in [Visitor::of(&app), alice(&app)] {
        for path in ["/nowhere", "/claims/", "//evil.example/", "/logto", "/assets/style.css", "/../Cargo.toml"] {
            let page = visitor.get(path);
            assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
            assert!(page.body.contains("<h1>Page not found</h1>"), "{}", page.body);
        }
    }
}

fn assert_row(page: &str, claim: &str, value: &str) {
    let row = format!("<tr><th scope=\"row\">{claim}</th><td>{value}</td></tr>");
    assert!(page.contains(&row), "{row} in {page}");
}
