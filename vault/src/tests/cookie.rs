//! The ticket cookie: what it takes from a request, and what it sets.

use logto_storage_core::{Change, Changes, ErrorKind, Operation, SessionHandle};

use super::test_store::TestStore;
use crate::cookie::{CookieSettings, TicketCookie};
use crate::ticket::{TICKET_KEY, Ticket};
use crate::{Vault, Vaulted};

const NAME: &str = "__Host-logto_ticket";

fn request(headers: &[&str]) -> TicketCookie {
    TicketCookie::new(CookieSettings::default(), headers)
}

async fn ticket(cookie: &TicketCookie) -> Option<String> {
    cookie.read(TICKET_KEY.into()).await.unwrap()
}

async fn set_ticket(cookie: &TicketCookie, ticket: &str) -> Result<(), ErrorKind> {
    cookie.write(Changes::one(Change::set(TICKET_KEY, ticket))).await.map_err(|error| error.kind())
}

/// A page of a browser with these cookies.
fn page(headers: &[&str], vault: &Vault<TestStore>) -> (TicketCookie, Vaulted<TicketCookie, TestStore>) {
    let cookie = request(headers);
    (cookie.clone(), Vaulted::new(cookie, vault.clone()))
}

/// Signs somebody in, and returns their cookie.
async fn signed_in(name: &str, vault: &Vault<TestStore>) -> String {
    let (cookie, page) = page(&[], vault);
    page.write(Changes::one(Change::set("name", name)).renewing()).await.unwrap();
    pair(&cookie.finish().unwrap()).to_owned()
}

async fn name(page: &impl SessionHandle) -> Option<String> {
    page.read("name".into()).await.unwrap()
}

/// The name and value of a `Set-Cookie` header.
fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

#[tokio::test]
async fn over_https_the_cookie_is_for_this_host_and_lives_for_400_days() {
    let cookie = request(&[]);
    set_ticket(&cookie, "ticket").await.unwrap();
    let set_cookie = cookie.finish().unwrap();
    assert_eq!(set_cookie, "__Host-logto_ticket=ticket; Path=/; HttpOnly; SameSite=Lax; Max-Age=34560000; Secure");
}

#[tokio::test]
async fn over_http_the_cookie_has_no_prefix_and_is_not_secure() {
    let settings = CookieSettings::default().name("shop").unwrap().dangerously_allow_http();
    let cookie = TicketCookie::new(settings, [""; 0]);
    set_ticket(&cookie, "ticket").await.unwrap();
    let set_cookie = cookie.finish().unwrap();
    assert_eq!(set_cookie, "shop=ticket; Path=/; HttpOnly; SameSite=Lax; Max-Age=34560000");
}

#[tokio::test]
async fn a_ticket_that_is_removed_expires_the_cookie() {
    let cookie = request(&[&format!("{NAME}={}", Ticket::random().encode())]);
    cookie.write(Changes::one(Change::remove(TICKET_KEY)).renewing()).await.unwrap();
    assert_eq!(ticket(&cookie).await, None);
    let set_cookie = cookie.finish().unwrap();
    assert_eq!(set_cookie, "__Host-logto_ticket=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
}

#[tokio::test]
async fn a_cookie_that_stays_is_not_set_again() {
    let text = Ticket::random().encode();
    for headers in [vec![], vec![format!("{NAME}={text}")]] {
        let cookie = TicketCookie::new(CookieSettings::default(), &headers);
        for value in [Some("other"), ticket(&cookie).await.as_deref()] {
            let change = value.map_or(Change::remove(TICKET_KEY), |value| Change::set(TICKET_KEY, value));
            cookie.write(Changes::one(change)).await.unwrap();
        }
        assert_eq!(cookie.finish(), None);
    }
}

#[tokio::test]
async fn the_ticket_is_found_among_other_cookies() {
    let text = Ticket::random().encode();
    let own = format!("{NAME}={text}");
    for headers in [
        vec![own.clone()],
        vec![format!("a=b; {own}; c=d")],
        vec![format!("a=b;{own} ;c=d")],
        vec!["a=b".to_owned(), own.clone()],
        vec![format!(r#"_logto={{"appId":"a=b","x":["é"]}}; flag; =; ;; logto_ticket=x; x{NAME}=y; {own}"#)],
    ] {
        let cookie = TicketCookie::new(CookieSettings::default(), &headers);
        assert_eq!(ticket(&cookie).await.as_ref(), Some(&text), "{headers:?}");
    }
    let bytes = [b"name=\xff\xfe; ", own.as_bytes()].concat();
    assert_eq!(ticket(&TicketCookie::new(CookieSettings::default(), [bytes])).await, Some(text));
}

#[tokio::test]
async fn whatever_is_no_ticket_reads_as_nothing() {
    let text = Ticket::random().encode();
    let oversized = [text.as_str(); 9].join(".");
    for value in ["", "x", &text[1..], &format!("\"{text}\""), &oversized, &"A".repeat(100_000), "\u{e9}", "{\"a\":1}"]
    {
        let cookie = request(&[&format!("{NAME}={value}")]);
        assert_eq!(ticket(&cookie).await, None, "{value}");
        assert_eq!(cookie.finish(), None, "{value}");
    }
    for name in ["logto_ticket", "__Host-logto", "__host-logto_ticket", "logto_vault", "__Host-__Host-logto_ticket"] {
        assert_eq!(ticket(&request(&[&format!("{name}={text}")])).await, None, "{name}");
    }
}

#[tokio::test]
async fn the_longest_list_of_tickets_is_taken() {
    let list = Ticket::encode_list(&[(); 8].map(|()| Ticket::random()));
    assert_eq!(ticket(&request(&[&format!("{NAME}={list}")])).await, Some(list));
}

#[tokio::test]
async fn of_several_cookies_the_first_that_opens_a_record_counts() {
    let vault = Vault::new(TestStore::default());
    let (ada, bob) = (signed_in("Ada", &vault).await, signed_in("Bob", &vault).await);
    let forged = format!("{NAME}={}", Ticket::random().encode());
    for (headers, expected) in [
        (vec![format!("{forged}; {ada}; {bob}")], "Ada"),
        (vec![bob.clone(), ada.clone()], "Bob"),
        (vec![format!("{NAME}=garbage; {forged}"), bob.clone()], "Bob"),
    ] {
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        let (cookie, page) = page(&headers, &vault);
        assert_eq!(name(&page).await.as_deref(), Some(expected), "{headers:?}");
        page.reload().await.unwrap();
        page.write(Changes::one(Change::set("cart", "apples"))).await.unwrap();
        assert_eq!(page.read("cart".into()).await.unwrap().as_deref(), Some("apples"));
        assert_eq!(cookie.finish(), None);
    }
}

#[tokio::test]
async fn a_request_stays_with_the_record_that_it_has_opened() {
    let vault = Vault::new(TestStore::default());
    let (ada, bob) = (signed_in("Ada", &vault).await, signed_in("Bob", &vault).await);
    let (_, late) = page(&[&ada, &bob], &vault);
    assert_eq!(name(&late).await.as_deref(), Some("Ada"));
    let (cookie, signing_out) = page(&[&ada], &vault);
    signing_out.write(Changes::one(Change::remove("name")).renewing()).await.unwrap();
    assert_eq!(cookie.finish().as_deref().map(pair), Some("__Host-logto_ticket="));

    late.reload().await.unwrap();

    assert_eq!(name(&late).await, None, "not Bob");
    let written = late.write(Changes::one(Change::set("cart", "apples"))).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Ended);
}

#[tokio::test]
async fn a_renewal_sets_one_ticket_to_the_record_that_opened() {
    let vault = Vault::new(TestStore::default());
    let ada = signed_in("Ada", &vault).await;
    let forged = format!("{NAME}={}", Ticket::random().encode());
    let (cookie, page) = page(&[&forged, &ada], &vault);

    page.write(Changes::one(Change::set("name", "Bob")).renewing()).await.unwrap();

    let set_cookie = cookie.finish().unwrap();
    let new = pair(&set_cookie);
    assert_eq!(new.len(), NAME.len() + 1 + 43);
    let of = async |cookie: &str| name(&self::page(&[cookie], &vault).1).await;
    assert_eq!(of(new).await.as_deref(), Some("Bob"));
    assert_eq!(of(&ada).await, None);
}

#[tokio::test]
async fn a_renewal_that_fails_keeps_both_tickets_of_the_record_and_no_other() {
    let store = TestStore::default();
    let vault = Vault::new(store.clone());
    let ada = signed_in("Ada", &vault).await;
    let forged = format!("{NAME}={}", Ticket::random().encode());
    let (cookie, page) = page(&[&forged, &ada], &vault);
    assert_eq!(name(&page).await.as_deref(), Some("Ada"));
    store.calls();
    // After the read of all items.
    store.fail(1, super::test_store::Fault::RequestLost);

    page.write(Changes::one(Change::set("name", "Bob")).renewing()).await.unwrap_err();

    let set_cookie = cookie.finish().unwrap();
    let (_, tickets) = pair(&set_cookie).split_once('=').unwrap();
    let tickets = Ticket::parse_list(tickets);
    let old = Ticket::parse_list(ada.split_once('=').unwrap().1)[0];
    assert_eq!(tickets.len(), 2);
    assert_eq!(tickets[1], old);
    assert_eq!(tickets[0].id(), old.id());
}

#[tokio::test]
async fn a_visitor_gets_no_cookie_before_something_is_stored() {
    let vault = Vault::new(TestStore::default());
    let (cookie, page) = page(&["theme=dark"], &vault);
    assert_eq!(name(&page).await, None);
    page.write(Changes::one(Change::remove("name"))).await.unwrap();
    page.write(Changes::all(&[]).renewing()).await.unwrap();
    assert_eq!(cookie.finish(), None);
}

#[tokio::test]
async fn once_the_response_has_begun_the_ticket_cannot_change_and_nothing_is_lost() {
    let store = TestStore::default();
    let vault = Vault::new(store.clone());
    let ada = signed_in("Ada", &vault).await;
    let (cookie, page) = page(&[&ada], &vault);
    assert_eq!(name(&page).await.as_deref(), Some("Ada"));
    assert_eq!(cookie.finish(), None);

    let renewed = page.write(Changes::one(Change::set("name", "Bob")).renewing()).await.unwrap_err();

    assert_eq!((renewed.kind(), renewed.operation()), (ErrorKind::Session, Some(Operation::Renew)));
    let source = std::error::Error::source(&renewed).unwrap().to_string();
    assert!(source.starts_with("the response has begun"), "{source}");
    page.write(Changes::one(Change::set("cart", "apples"))).await.expect("an item in the vault");
    let (_, next) = self::page(&[&ada], &vault);
    assert_eq!(name(&next).await.as_deref(), Some("Ada"));
    assert_eq!(next.read("cart".into()).await.unwrap().as_deref(), Some("apples"));
}

#[tokio::test]
async fn a_first_write_after_the_response_has_begun_leaves_no_record() {
    let store = TestStore::default();
    let vault = Vault::new(store.clone());
    let (cookie, page) = page(&[], &vault);
    assert_eq!(cookie.finish(), None);

    let written = page.write(Changes::one(Change::set("name", "Ada"))).await.unwrap_err();

    assert_eq!(written.kind(), ErrorKind::Session);
    assert_eq!(store.calls(), ["swap", "end"]);
    assert_eq!(cookie.finish(), None);
}

#[tokio::test]
async fn the_cookie_holds_no_other_item() {
    let cookie = request(&[]);
    let changes = [Change::set(TICKET_KEY, "ticket"), Change::set("logto_id_token", "s3cr3t")];
    let error = cookie.write(Changes::all(&changes)).await.unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::Unsupported, Some("logto_id_token")));
    assert!(error.to_string().ends_with("a ticket cookie holds no items: wrap it in `Vaulted`"), "{error}");
    assert_eq!(cookie.read("logto_id_token".into()).await.unwrap(), None);
    assert_eq!(cookie.finish(), None, "all or nothing");
    cookie.write(Changes::one(Change::remove("logto_id_token"))).await.expect("it is not there");
}

#[test]
fn a_name_is_a_token_without_a_prefix() {
    for name in ["logto_ticket", "shop-1", "a.b!"] {
        assert!(CookieSettings::default().name(name).is_ok(), "{name}");
    }
    for name in ["", "a b", "a=b", "a;b", "é", "a\r\nb", "__Host-a", "__host-a", "__Secure-a", "a\"b", "a,b"] {
        let error = CookieSettings::default().name(name).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{name:?} cannot be")), "{error}");
    }
}

#[test]
fn debug_output_has_no_ticket() {
    let text = Ticket::random().encode();
    let debug = format!("{:?}", request(&[&format!("{NAME}={text}")]));
    assert!(debug.contains("logto_ticket") && !debug.contains(&text), "{debug}");
}
