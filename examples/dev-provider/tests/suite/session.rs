use dev_provider::{Config, DevProvider};
use reqwest::header::{COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use reqwest::{Response, StatusCode};

use crate::app::{Callback, Visitor, client, config, exchange, interaction, post, refresh, start, tokens, user_info};

/// The first cookie: of the interaction with a page, of the session after a sign-in.
fn set_cookie(response: &Response) -> &str {
    response.headers()[SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn the_cookies_are_this_providers_own() {
    let provider = start().await;
    let port = provider.endpoint().rsplit(':').next().unwrap();
    let visitor = Visitor::new();

    let shown = visitor.authorize(&provider, &[]).await;
    let interaction = set_cookie(&shown).to_owned();
    let answer = visitor.submit(&provider, &shown.text().await.unwrap(), &[("name", "Alice")]).await;

    for (cookie, name) in [(&*interaction, "-interaction"), (set_cookie(&answer), "")] {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with(&format!("dev-provider-{port}{name}=")), "{pair}");
        assert_eq!(attributes, "Path=/oidc; HttpOnly; SameSite=Lax");
    }
}

#[tokio::test]
async fn an_app_on_the_same_host_gets_a_cookie_of_raw_json() {
    let provider = start().await;

    let response = Visitor::new().authorize(&provider, &[]).await;

    let mut cookies = response.headers().get_all(SET_COOKIE).iter();
    assert!(cookies.any(|cookie| cookie == r#"_logto={"appId":"dev-client"}; Path=/; SameSite=Lax"#), "{response:?}");
}

#[tokio::test]
async fn a_sign_in_renews_the_session_and_the_old_id_is_worth_nothing() {
    let provider = start().await;
    let visitor = Visitor::new();
    let mut sessions = Vec::new();
    for name in ["Alice", "Alice", "Bob"] {
        let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
        let answer = visitor.submit(&provider, &page, &[("name", name)]).await;
        sessions.push(set_cookie(&answer).split(';').next().unwrap().to_owned());
    }

    for old in &sessions[..2] {
        assert_eq!(with_cookie(&provider, old).await.get("error").as_deref(), Some("login_required"));
    }
    with_cookie(&provider, &sessions[2]).await.code();
}

#[tokio::test]
async fn sign_ins_of_a_session_share_a_grant() {
    let provider = start().await;
    let visitor = Visitor::new();
    let sign_in = async |name: &str| exchange(&provider, &visitor.sign_in(&provider, name, &[]).await.code()).await;
    let (replaced, current) = (sign_in("Alice").await, sign_in("Alice").await);
    let elsewhere = tokens(&provider, "Alice", &[]).await;

    post(&provider, "/token/revocation", &[("token", replaced.get("refresh_token"))]).await;

    refresh(&provider, current.get("refresh_token"), &[]).await.assert_invalid_grant();
    assert_eq!(user_info(&provider, current.get("access_token")).await.status, 401);
    assert_eq!(refresh(&provider, elsewhere.get("refresh_token"), &[]).await.status, 200);
    let again = sign_in("Alice").await;
    assert_eq!(refresh(&provider, again.get("refresh_token"), &[]).await.status, 200, "it begins a new grant");
}

#[tokio::test]
async fn another_user_in_the_same_browser_has_another_grant() {
    let provider = start().await;
    let visitor = Visitor::new();
    let sign_in = async |name: &str| exchange(&provider, &visitor.sign_in(&provider, name, &[]).await.code()).await;
    let (alice, bob) = (sign_in("Alice").await, sign_in("Bob").await);

    post(&provider, "/token/revocation", &[("token", alice.get("refresh_token"))]).await;

    assert_eq!(refresh(&provider, bob.get("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn an_ended_session_is_over_for_whoever_kept_the_cookie() {
    let provider = start().await;
    let visitor = Visitor::new();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    let answer = visitor.submit(&provider, &page, &[("name", "Alice")]).await;
    let cookie = set_cookie(&answer).split(';').next().unwrap();
    with_cookie(&provider, cookie).await.code();

    visitor.get(&format!("{}/session/end", provider.issuer())).await;

    assert_eq!(with_cookie(&provider, cookie).await.get("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn two_tabs_share_an_interaction_and_the_first_to_submit_lands_on_the_last_opened() {
    let provider = start().await;
    for order in [[0, 1], [1, 0]] {
        let visitor = Visitor::new();
        let pages = two_tabs(&provider, &visitor).await;

        let first = Callback::of(&visitor.submit(&provider, &pages[order[0]], &[("name", "Alice")]).await);
        let second = visitor.submit(&provider, &pages[order[1]], &[("name", "Alice")]).await;

        assert_eq!(first.get("state").as_deref(), Some("second"));
        assert_eq!(exchange(&provider, &first.code()).await.status, 200);
        assert_eq!((second.status(), second.headers().get(LOCATION)), (StatusCode::BAD_REQUEST, None));
        assert!(second.text().await.unwrap().contains("<h1>Session not found</h1>"));
    }
}

#[tokio::test]
async fn the_dead_end_of_the_other_tab_can_lead_to_the_app() {
    let url = "http://localhost:3000/sign-in";
    let config = Config { unknown_session_redirect_url: Some(url.to_owned()), ..config() };
    let provider = DevProvider::start(config).await.unwrap();
    let visitor = Visitor::new();
    let [first, second] = two_tabs(&provider, &visitor).await;
    visitor.submit(&provider, &first, &[("name", "Alice")]).await;

    let answer = visitor.submit(&provider, &second, &[("name", "Alice")]).await;

    assert_eq!(Callback::of(&answer).0.as_str(), url);
}

async fn two_tabs(provider: &DevProvider, visitor: &Visitor) -> [String; 2] {
    let first = visitor.authorize(provider, &[("state", "first")]).await.text().await.unwrap();
    let second = visitor.authorize(provider, &[("state", "second")]).await.text().await.unwrap();
    [first, second]
}

#[tokio::test]
async fn cookies_of_other_programs_are_no_hindrance() {
    let provider = start().await;
    let client = client();
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
    Callback::of(&client().get(silent_request(provider)).header(COOKIE, cookie).send().await.unwrap())
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
