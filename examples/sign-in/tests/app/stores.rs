//! Stores that last.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use servers::{Missing, Mongodb, Postgres, Redis, RedisCluster};
use tempfile::TempDir;

use crate::visitor::{Provider, Visitor, assert_is_quiet, send, start};

const BASE_URL: &str = "http://app.localhost";

pub(crate) fn with_redis_a_sign_in_outlives_the_app() {
    let redis = Redis::start(&[]);
    a_sign_in_outlives_the_app(&redis.url());
}

pub(crate) fn with_redis_over_tls_a_sign_in_outlives_the_app() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path in Unicode").to_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let mut openssl = Command::new("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate]);
    let created = openssl.output().expect("openssl");
    assert!(created.status.success(), "{created:?}");
    let port = free_port().to_string();
    let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &certificate];
    let _redis = Redis::start(&[&["--tls-port", &port, "--tls-auth-clients", "no"], &files[..]].concat());

    a_sign_in_outlives_the_app_with(&[
        ("STORE", &format!("rediss://localhost:{port}")),
        ("SSL_CERT_FILE", &certificate),
    ]);
}

/// Whether there is what creates a certificate.
pub(crate) fn openssl_available() -> Result<(), Missing> {
    let found =
        Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if found { Ok(()) } else { Err(Missing::Program("openssl is not installed".to_owned())) }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

pub(crate) fn with_a_redis_cluster_a_sign_in_outlives_the_app() {
    let cluster = RedisCluster::start();
    a_sign_in_outlives_the_app(&cluster.urls().join(","));
}

pub(crate) fn with_mongodb_a_sign_in_outlives_the_app() {
    let mongodb = Mongodb::start();
    a_sign_in_outlives_the_app(mongodb.url());
}

pub(crate) fn with_postgres_a_sign_in_outlives_the_app() {
    let postgres = Postgres::start();
    a_sign_in_outlives_the_app(&postgres.url());
}

pub(crate) fn with_sqlite_a_sign_in_outlives_the_app() {
    let (_folder, url) = sqlite();
    a_sign_in_outlives_the_app(&url);
}

pub(crate) fn sqlite() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("vault.db").display());
    (folder, url)
}

fn a_sign_in_outlives_the_app(store: &str) {
    a_sign_in_outlives_the_app_with(&[("STORE", store)]);
}

fn a_sign_in_outlives_the_app_with(store: &[(&str, &str)]) {
    let provider = Provider::start(BASE_URL);
    let variables = [&provider.settings()[..], &[("BASE_URL", BASE_URL)], store].concat();
    let mut app = start(&variables);
    let (visitor, late) = (Visitor::through(&app, BASE_URL), Visitor::through(&app, BASE_URL));
    assert_eq!(visitor.sign_in("/protected", "Alice").0, "/protected");
    let under_way = late.begin("/protected");
    app.kill();

    let app = start(&variables);
    let (visitor, late) = (visitor.at(&app, BASE_URL), late.at(&app, BASE_URL));

    assert!(visitor.is_signed_in());
    for path in ["/claims", "/user-info", "/access-token?resource=https://api.example.com", "/organizations"] {
        assert_eq!(visitor.get(path).status, 200, "{path}");
    }
    assert_eq!(late.finish(&under_way.sign_in("Bob")).0, "/protected");
    assert_eq!(visitor.sign_out().0, "/");
    assert!(!visitor.is_signed_in() && late.is_signed_in());
    assert_is_quiet(&app);
}

/// The provider that is part of the program forgets all when it ends; a session that lasts does not.
pub(crate) fn a_session_of_a_provider_that_is_gone_is_asked_to_sign_in() {
    let (_folder, store) = sqlite();
    let mut app = start(&[("STORE", &store)]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Dora");
    app.kill();

    let app = start(&[("STORE", &store)]);
    let visitor = visitor.at(&app, app.url());

    // The provider that starts with the app is another one, at another URL.
    assert!(!visitor.is_signed_in());
    let (path, page) = visitor.sign_in("/user-info", "Dora");
    assert_eq!((path.as_str(), page.status), ("/user-info", 200));
    assert_eq!(visitor.get("/access-token?resource=https://api.example.com").status, 200);
}

pub(crate) fn two_apps_on_redis_share_their_users() {
    let redis = Redis::start(&[]);
    let provider = Provider::start(BASE_URL);
    let url = redis.url();
    let variables = [&provider.settings()[..], &[("BASE_URL", BASE_URL), ("STORE", &url)]].concat();
    let apps = [start(&variables), start(&variables)];
    let visitor = Visitor::through(&apps[0], BASE_URL);

    let under_way = visitor.begin("/protected");
    let other = visitor.at(&apps[1], BASE_URL);
    assert_eq!(other.finish(&under_way.sign_in("Alice")).0, "/protected");

    for _ in 0..5 {
        assert!(visitor.is_signed_in() && other.is_signed_in());
    }
    assert_eq!(visitor.sign_out().0, "/");
    assert!(!other.is_signed_in());
    apps.iter().for_each(assert_is_quiet);
}

pub(crate) fn a_restart_of_redis_between_requests_signs_nobody_out() {
    let mut redis = Redis::start(&[]);
    let provider = Provider::start(BASE_URL);
    let url = redis.url();
    let variables = [&provider.settings()[..], &[("BASE_URL", BASE_URL), ("STORE", &url)]].concat();
    let apps = [start(&variables), start(&variables)];
    let visitors = apps.each_ref().map(|app| Visitor::through(app, BASE_URL));
    for (visitor, name) in visitors.iter().zip(["Alice", "Bob"]) {
        assert_eq!(visitor.sign_in("/protected", name).0, "/protected");
    }

    for _ in 0..3 {
        redis.kill();
        redis.restart();
        for (visitor, app) in visitors.iter().zip(apps.iter().rev()) {
            assert!(visitor.is_signed_in() && visitor.at(app, BASE_URL).is_signed_in());
            assert_eq!(visitor.get("/access-token?resource=https://api.example.com").status, 200);
        }
    }
    apps.iter().for_each(assert_is_quiet);
}

pub(crate) fn without_redis_requests_fail_soon_and_with_it_they_work_again() {
    let redis = Redis::start(&[]);
    let url = redis.url();
    requests_fail_soon_and_work_again(&url, redis, Redis::kill, Redis::restart);
}

pub(crate) fn without_postgres_requests_fail_soon_and_with_it_they_work_again() {
    let postgres = Postgres::start();
    let url = postgres.url();
    requests_fail_soon_and_work_again(&url, postgres, Postgres::kill, Postgres::restart);
}

fn requests_fail_soon_and_work_again<S>(url: &str, mut store: S, kill: fn(&mut S), restart: fn(&mut S)) {
    let app = start(&[("STORE", url)]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Alice");

    kill(&mut store);
    for (method, path) in [(Method::GET, "/"), (Method::GET, "/claims"), (Method::POST, "/logto/sign-out")] {
        let begin = Instant::now();
        let page = send(visitor.request(method, path));
        assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
        assert_eq!((page.status, page.header("content-type")), (500, "text/html; charset=utf-8"), "{path}");
        let title = if path == "/logto/sign-out" { "Sign-out failed" } else { "This page is not available" };
        assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{}", page.body);
    }
    // Browsers read a path with two slashes at its beginning as a URL of another host.
    let page = visitor.get("//evil.example/");
    assert!(page.status == 500 && !page.body.contains("\"//evil"), "{page:?}");

    restart(&mut store);
    assert!(visitor.is_signed_in());
    assert!(!app.log().contains("eyJ"), "{}", app.log());
}
