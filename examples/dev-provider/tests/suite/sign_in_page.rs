use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};

use dev_provider::{Config, DevProvider};

use crate::app::{Callback, REDIRECT_URI, Visitor, config, exchange, start, tokens, user_info};

#[tokio::test]
async fn one_click_signs_in() {
    let provider = start().await;
    let visitor = Visitor::new();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    assert!(page.contains("<h1>Sign in</h1>"), "{page}");
    for user in config().users {
        assert!(page.contains(&format!(r#"name="user" value="{}">{} <small>"#, user.id, user.name)), "{page}");
    }
    let bob = &config().users[1];

    let callback = Callback::of(&visitor.submit(&provider, &page, &[("user", &bob.id)]).await);

    let tokens = exchange(&provider, &callback.code()).await;
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.body["sub"], *bob.id);
}

#[tokio::test]
async fn any_name_signs_in_and_is_the_same_user_next_time() {
    let provider = start().await;
    let mut subjects = Vec::new();
    for name in ["Zoë  Smith ", "zoë smith", "Alice", "alice@example.com"] {
        let tokens = tokens(&provider, name, &[]).await;
        subjects.push(user_info(&provider, tokens.get("access_token")).await.body["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_eq!(subjects[2..], [config().users[0].id.clone(), config().users[0].id.clone()]);
    assert_ne!(subjects[0], subjects[2]);

    let restarted = start().await;
    let tokens = tokens(&restarted, "Zoë Smith", &[]).await;
    assert_eq!(user_info(&restarted, tokens.get("access_token")).await.body["sub"], subjects[0]);
}

#[tokio::test]
async fn a_name_that_is_none_is_explained_on_the_same_page() {
    let provider = start().await;
    let visitor = Visitor::new();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    for fields in [("name", ""), ("name", "  "), ("name", &*"x".repeat(65)), ("name", "a\u{7}"), ("user", "nobody")] {
        let response = visitor.submit(&provider, &page, &[fields]).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(response.text().await.unwrap().contains(r#"role="alert""#), "{fields:?}");
    }
    Callback::of(&visitor.submit(&provider, &page, &[("name", &"x".repeat(64))]).await).code();
}

#[tokio::test]
async fn cancelling_opens_the_bare_redirect_uri_and_signs_nobody_in() {
    let provider = start().await;
    let visitor = Visitor::new();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    assert!(page.contains(r#"name="deny" value="deny">Cancel<"#), "{page}");

    let callback = Callback::of(&visitor.submit(&provider, &page, &[("deny", "deny")]).await);

    assert_eq!(callback.0.as_str(), REDIRECT_URI);
    let silent = Callback::of(&visitor.authorize(&provider, &[("prompt", "none")]).await);
    assert_eq!(silent.get("error").as_deref(), Some("login_required"));
    Callback::of(&visitor.submit(&provider, &page, &[("name", "Alice")]).await).code();
}

#[tokio::test]
async fn cancelling_can_be_reported_to_the_app_as_other_providers_do() {
    let provider = DevProvider::start(Config { deny_with_error: true, ..config() }).await.unwrap();
    let visitor = Visitor::new();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    assert!(page.contains(r#"name="deny""#));

    let callback = Callback::of(&visitor.submit(&provider, &page, &[("deny", "deny")]).await);

    assert_eq!(callback.get("error").as_deref(), Some("access_denied"));
    assert_eq!(callback.get("code"), None);
    let silent = Callback::of(&visitor.authorize(&provider, &[("prompt", "none")]).await);
    assert_eq!(silent.get("error").as_deref(), Some("login_required"));
    let again = visitor.submit(&provider, &page, &[("name", "Alice")]).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST, "the page was used");
}

#[tokio::test]
async fn the_app_can_suggest_a_user() {
    let provider = start().await;
    for hint in ["carol", "Carol", "carol@example.com"] {
        let page = Visitor::new().authorize(&provider, &[("login_hint", hint)]).await.text().await.unwrap();
        let first_button = page.split("<button").nth(1).unwrap();
        assert!(first_button.contains("autofocus") && first_button.contains("Carol <small>suggested"), "{page}");
        assert_eq!(page.matches("Carol <small>").count(), 1);
    }
    let page = Visitor::new().authorize(&provider, &[("login_hint", "\"><script>")]).await.text().await.unwrap();
    assert!(!page.contains("<script>") && page.contains("script"), "{page}");
}

#[tokio::test]
async fn a_new_account_is_made_where_the_app_asks_for_it_and_stays() {
    let provider = start().await;
    let screens = ["register", "identifier:register"].map(|screen| ("first_screen", screen));
    for field in [&screens[..], &[("interaction_mode", "signUp")]].concat() {
        let visitor = Visitor::new();
        let fields = [field];
        let page = visitor.authorize(&provider, &fields).await.text().await.unwrap();
        assert!(page.contains("<h1>Create your account</h1>") && !page.contains(r#"name="user""#), "{page}");

        let taken = visitor.submit(&provider, &page, &[("name", "alice")]).await;
        assert_eq!(taken.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(taken.text().await.unwrap().contains(r#"value="alice""#), "what was typed is kept");

        let name = format!("Newcomer {}", field.1.len());
        Callback::of(&visitor.submit(&provider, &page, &[("name", &name)]).await).code();
        let page = Visitor::new().authorize(&provider, &[]).await.text().await.unwrap();
        assert!(page.contains(&format!("{name} <small>")), "{page}");
    }
    let page = Visitor::new().authorize(&provider, &[("first_screen", "sign_in")]).await.text().await.unwrap();
    assert!(page.contains("<h1>Sign in</h1>"));
}

#[tokio::test]
async fn a_page_is_good_for_one_answer_from_the_browser_that_it_was_shown_to() {
    let provider = start().await;
    let (visitor, thief) = (Visitor::new(), Visitor::new());
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();

    let refused = thief.submit(&provider, &page, &[("name", "Alice")]).await;
    assert_eq!((refused.status(), refused.headers().get(LOCATION)), (StatusCode::BAD_REQUEST, None));
    Callback::of(&visitor.submit(&provider, &page, &[("name", "Alice")]).await).code();
    let again = visitor.submit(&provider, &page, &[("name", "Alice")]).await;
    assert_eq!((again.status(), again.headers().get(LOCATION)), (StatusCode::BAD_REQUEST, None));
}

#[tokio::test]
async fn names_are_text_on_the_page() {
    let provider = start().await;
    tokens(&provider, "<script>alert(1)</script>", &[]).await;
    let page = Visitor::new().authorize(&provider, &[]).await.text().await.unwrap();
    assert!(page.contains("alert(1)") && !page.contains("<script"), "{page}");
}

#[tokio::test]
async fn pages_run_no_script_are_framed_by_nobody_and_tell_no_address() {
    let provider = start().await;
    let visitor = Visitor::new();
    let shown = visitor.authorize(&provider, &[]).await;
    assert_secure(shown.headers());
    let page = shown.text().await.unwrap();
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<style"), "{page}");
    let stylesheet = page.split(r#"rel="stylesheet" href=""#).nth(1).unwrap().split('"').next().unwrap();
    let stylesheet = visitor.get(&format!("{}{stylesheet}", provider.endpoint())).await;
    assert_eq!(stylesheet.headers()["content-type"], "text/css; charset=utf-8");

    assert_secure(visitor.authorize(&provider, &[("client_id", "another")]).await.headers());
    let answer = visitor.submit(&provider, &page, &[("name", "Alice")]).await;
    assert_secure(answer.headers());
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

fn assert_secure(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
    assert!(!policy.contains("form-action"), "Chromium would not follow the redirect to the app: {policy}");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
}
