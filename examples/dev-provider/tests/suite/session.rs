use dev_provider::DevProvider;
use reqwest::header::{COOKIE, HeaderValue, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::app::{Browser, Callback, exchange, interaction, start};

fn set_cookie(response: &Response) -> &str {
    response.headers()[SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn the_cookie_is_this_providers_own() {
    let provider = start().await;
    let port = provider.endpoint().rsplit(':').next().unwrap();

    let response = Browser::new().authorize(&provider, &[]).await;

    let (pair, attributes) = set_cookie(&response).split_once("; ").unwrap();
    assert!(pair.starts_with(&format!("dev-provider-{port}=")), "{pair}");
    assert_eq!(attributes, "Path=/oidc; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn a_sign_in_renews_the_session_and_the_old_id_is_worth_nothing() {
    let provider = start().await;
    let browser = Browser::new();
    let shown = browser.authorize(&provider, &[]).await;
    let planted = set_cookie(&shown).split(';').next().unwrap().to_owned();
    let page = shown.text().await.unwrap();

    let answer = browser.submit(&provider, &page, &[("name", "Alice")]).await;

    assert!(!set_cookie(&answer).starts_with(&planted));
    assert_eq!(with_cookie(&provider, &planted).await.get("error").as_deref(), Some("login_required"));
    let renewed = set_cookie(&answer).split(';').next().unwrap();
    with_cookie(&provider, renewed).await.code();
}

#[tokio::test]
async fn an_ended_session_is_over_for_whoever_kept_the_cookie() {
    let provider = start().await;
    let browser = Browser::new();
    let page = browser.authorize(&provider, &[]).await.text().await.unwrap();
    let answer = browser.submit(&provider, &page, &[("name", "Alice")]).await;
    let cookie = set_cookie(&answer).split(';').next().unwrap();
    with_cookie(&provider, cookie).await.code();

    browser.get(&format!("{}/session/end", provider.issuer())).await;

    assert_eq!(with_cookie(&provider, cookie).await.get("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn two_tabs_can_sign_in_one_after_the_other() {
    let provider = start().await;
    for order in [[0, 1], [1, 0]] {
        let browser = Browser::new();
        let mut pages = Vec::new();
        for state in ["first", "second"] {
            pages.push(browser.authorize(&provider, &[("state", state)]).await.text().await.unwrap());
        }
        for tab in order {
            let callback = Callback::of(&browser.submit(&provider, &pages[tab], &[("name", "Alice")]).await);
            assert_eq!(callback.get("state").as_deref(), Some(["first", "second"][tab]));
            assert_eq!(exchange(&provider, &callback.code()).await.status, 200);
        }
    }
}

#[tokio::test]
async fn cookies_of_other_programs_are_no_hindrance() {
    let provider = start().await;
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let shown = client.get(silent_request(&provider).replace("prompt=none", "")).send().await.unwrap();
    let own = set_cookie(&shown).split(';').next().unwrap().to_owned();
    let (name, _) = own.split_once('=').unwrap();
    let page = shown.text().await.unwrap();

    // As apps with raw JSON, with bytes beyond ASCII and with this provider's cookie of another path leave them.
    let cookies = [
        br#"session={"a":"b=c, d"}; caf=caf"#.as_slice(),
        b"\xe9; empty=; =; ",
        name.as_bytes(),
        b"=stale; x",
        name.as_bytes(),
        b"=y; ",
        own.as_bytes(),
        b"; last=1",
    ];
    let request = client.post(format!("{}/sign-in", provider.issuer()));
    let request = request.header(COOKIE, HeaderValue::from_bytes(&cookies.concat()).unwrap());
    let response = request.form(&[("interaction", interaction(&page)), ("name", "Alice")]).send().await.unwrap();

    Callback::of(&response).code();
}

/// What a browser with nothing but this cookie is answered to a request that shows no page.
async fn with_cookie(provider: &DevProvider, cookie: &str) -> Callback {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    Callback::of(&client.get(silent_request(provider)).header(COOKIE, cookie).send().await.unwrap())
}

/// A request that shows no page.
fn silent_request(provider: &DevProvider) -> String {
    let challenge = "c".repeat(42) + "A";
    format!(
        "{}/auth?client_id={}&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback&response_type=code&scope=openid\
         &code_challenge={challenge}&code_challenge_method=S256&prompt=none",
        provider.issuer(),
        provider.config().client_id
    )
}
