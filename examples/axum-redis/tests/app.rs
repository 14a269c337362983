//! The app as its users meet it: the real binary, over HTTP, on a real Redis.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use servers::{App, Redis, Visitor};

const APP: &str = env!("CARGO_BIN_EXE_axum-redis");

fn main() -> ExitCode {
    servers::run(servers::trials!(
        Redis::available() => [
            nobody_is_signed_in_at_first,
            a_stored_item_is_there_in_a_later_request,
            two_visitors_do_not_see_each_others_items,
            the_cookie_survives_the_way_back_from_logto,
            what_was_acknowledged_outlives_the_app,
            what_one_machine_stores_another_reads_at_once,
            without_redis_requests_fail_soon_and_with_it_they_work_again,
        ],
        Ok(()) => [
            a_server_that_is_down_is_named_in_one_line_without_the_password,
            a_url_that_is_none_is_told_in_one_line_without_the_password,
        ],
    ))
}

fn nobody_is_signed_in_at_first() {
    let redis = Redis::start(&[]);
    let app = start(&redis);

    let response = Visitor::new().get(&app);

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("set-cookie"), None);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.text().unwrap(), "Nobody is signed in.");
}

fn a_stored_item_is_there_in_a_later_request() {
    let redis = Redis::start(&[]);
    let (app, visitor) = (start(&redis), Visitor::new());

    visitor.sign_in(&app, "a token");
    assert_eq!(visitor.page(&app), signed_in(7));

    visitor.sign_in(&app, &"x".repeat(65_536));
    assert_eq!(visitor.page(&app), signed_in(65_536));
}

fn two_visitors_do_not_see_each_others_items() {
    let redis = Redis::start(&[]);
    let app = start(&redis);
    let (one, other, third) = (Visitor::new(), Visitor::new(), Visitor::new());

    one.sign_in(&app, "1");
    other.sign_in(&app, "22");

    assert_eq!(one.page(&app), signed_in(1));
    assert_eq!(other.page(&app), signed_in(2));
    assert_eq!(third.page(&app), "Nobody is signed in.");
}

fn the_cookie_survives_the_way_back_from_logto() {
    let redis = Redis::start(&[]);
    let (app, visitor) = (start(&redis), Visitor::new());

    let response = visitor.put(&app, "a token");

    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert!(pair.starts_with("axum-redis="), "{pair}");
    assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
}

fn what_was_acknowledged_outlives_the_app() {
    let redis = Redis::start(&[]);
    let (mut app, visitor) = (start(&redis), Visitor::new());

    for len in 1..=5 {
        visitor.sign_in(&app, &"x".repeat(len));
        app.kill();

        app = start(&redis);
        assert_eq!(visitor.page(&app), signed_in(len));
    }
}

fn what_one_machine_stores_another_reads_at_once() {
    let redis = Redis::start(&[]);
    let (mut apps, visitor) = ([start(&redis), start(&redis)], Visitor::new());

    for len in 1..=50 {
        visitor.sign_in(&apps[len % 2], &"x".repeat(len));
        assert_eq!(visitor.page(&apps[(len + 1) % 2]), signed_in(len));
    }

    for killed in [0, 1] {
        apps[killed].kill();
        assert_eq!(visitor.page(&apps[1 - killed]), signed_in(50));
        apps[killed] = start(&redis);
    }
    assert_eq!(visitor.page(&apps[1]), signed_in(50));
}

fn without_redis_requests_fail_soon_and_with_it_they_work_again() {
    let mut redis = Redis::start(&[]);
    let (app, visitor) = (start(&redis), Visitor::new());
    visitor.sign_in(&app, "a token");

    for round in 1..=2 {
        redis.kill();
        for request in [Visitor::get, |visitor: &Visitor, app: &App| visitor.put(app, "secret")] {
            let start = Instant::now();
            let response = request(&visitor, &app);
            assert_eq!(response.status(), 503, "round {round}");
            // It waits for three seconds.
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
            assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
            let line = "Your session cannot be used at the moment. Try again later.";
            assert_eq!(response.text().unwrap(), line);
        }

        redis.restart();
        assert_eq!(visitor.page(&app), signed_in(7), "round {round}");
    }

    visitor.sign_in(&app, "another token");
    assert_eq!(visitor.page(&app), signed_in(13));
    let log = app.log();
    assert!(log.contains(r#"cannot get "logto_id_token""#), "{log}");
    assert!(!log.contains("a token") && !log.contains("secret"), "{log}");
}

fn a_server_that_is_down_is_named_in_one_line_without_the_password() {
    let start = Instant::now();

    let line = App::refusal(APP, &[("REDIS_URL", "redis://somebody:hunter2@127.0.0.1:1")]);

    assert!(line.contains("cannot connect to redis://127.0.0.1:1: "), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

fn a_url_that_is_none_is_told_in_one_line_without_the_password() {
    let line = App::refusal(APP, &[("REDIS_URL", "//somebody:hunter2@127.0.0.1")]);

    assert!(line.starts_with("REDIS_URL is not the URL of a Redis: "), "{line}");
    assert!(!line.contains("hunter2"), "{line}");
}

fn start(redis: &Redis) -> App {
    App::start(APP, &[("REDIS_URL", &redis.url())])
}

fn signed_in(len: usize) -> String {
    format!("Signed in: the id token has {len} bytes.")
}
