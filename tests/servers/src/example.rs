//! What every example of a store is tested for, as its users meet it: the real program, over HTTP, on a real server.

use std::time::Instant;

use crate::app::SOON;
use crate::{App, Missing, Trials, Visitor};

/// An example's program, and where one test's sessions are.
pub trait Example: 'static {
    /// Its `CARGO_BIN_EXE_…`.
    const PROGRAM: &'static str;
    /// The name of its cookie.
    const COOKIE: &'static str;

    /// A place for sessions that is the test's own.
    fn start() -> Self;

    /// What tells the program of that place.
    fn variables(&self) -> Vec<(&'static str, String)>;

    /// Starts the program.
    fn app(&self) -> App {
        let variables = self.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        App::start(Self::PROGRAM, &variables)
    }
}

/// An example whose server can be made to fail.
pub trait Failing: Example {
    /// What the app's log has then.
    const LOG: &'static str;

    /// From now on no request gets at its session.
    fn fail(&mut self);

    /// From now on all do again.
    fn recover(&mut self);
}

impl Trials {
    /// What holds for an example while all goes well.
    #[must_use]
    pub fn example<E: Example>(self, available: &Result<(), Missing>) -> Self {
        let tests: [(&str, fn()); 6] = [
            ("nobody_is_signed_in_at_first", nobody_is_signed_in_at_first::<E>),
            ("a_stored_item_is_there_in_a_later_request", a_stored_item_is_there_in_a_later_request::<E>),
            ("two_visitors_do_not_see_each_others_items", two_visitors_do_not_see_each_others_items::<E>),
            ("the_cookie_survives_the_way_back_from_logto", the_cookie_survives_the_way_back_from_logto::<E>),
            ("what_was_acknowledged_outlives_the_app", what_was_acknowledged_outlives_the_app::<E>),
            ("what_one_machine_stores_another_reads_at_once", what_one_machine_stores_another_reads_at_once::<E>),
        ];
        tests.into_iter().fold(self, |trials, (name, test)| trials.test(available.clone(), name, test))
    }

    /// What holds for an example while its server fails in the way that `name` tells of.
    #[must_use]
    pub fn failing<E: Failing>(self, available: Result<(), Missing>, name: &str) -> Self {
        self.test(available, name, requests_fail_soon_and_work_again_afterwards::<E>)
    }
}

fn nobody_is_signed_in_at_first<E: Example>() {
    let example = E::start();

    let response = Visitor::new().get(&example.app());

    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("set-cookie"), None);
    assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.body, "Nobody is signed in.");
}

fn a_stored_item_is_there_in_a_later_request<E: Example>() {
    let example = E::start();
    let (app, visitor) = (example.app(), Visitor::new());

    for token in ["a token", "", &"é".repeat(32_768)] {
        visitor.sign_in(&app, token);
        assert_eq!(visitor.page(&app), signed_in(token.len()));
    }
    assert_eq!(app.log(), "");
}

fn two_visitors_do_not_see_each_others_items<E: Example>() {
    let example = E::start();
    let app = example.app();
    let (one, other, third) = (Visitor::new(), Visitor::new(), Visitor::new());

    one.sign_in(&app, "1");
    other.sign_in(&app, "22");

    assert_eq!(one.page(&app), signed_in(1));
    assert_eq!(other.page(&app), signed_in(2));
    assert_eq!(third.page(&app), "Nobody is signed in.");
}

fn the_cookie_survives_the_way_back_from_logto<E: Example>() {
    let example = E::start();

    let response = Visitor::new().put(&example.app(), "a token");

    let cookie = response.headers["set-cookie"].to_str().expect("text");
    let (name, _) = cookie.split_once('=').expect("a cookie");
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(name, E::COOKIE);
    assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
}

fn what_was_acknowledged_outlives_the_app<E: Example>() {
    let example = E::start();
    let (mut app, visitor) = (example.app(), Visitor::new());

    for len in 1..=5 {
        visitor.sign_in(&app, &"x".repeat(len));
        app.kill();

        // On another port, which makes no difference to the cookie.
        app = example.app();
        assert_eq!(visitor.page(&app), signed_in(len));
    }
}

fn what_one_machine_stores_another_reads_at_once<E: Example>() {
    let example = E::start();
    let (mut apps, visitor) = ([example.app(), example.app()], Visitor::new());

    for len in 1..=50 {
        visitor.sign_in(&apps[len % 2], &"x".repeat(len));
        assert_eq!(visitor.page(&apps[(len + 1) % 2]), signed_in(len));
    }

    // Whichever of them ends, the other has it all.
    for killed in [0, 1] {
        visitor.sign_in(&apps[killed], &"x".repeat(51 + killed));
        apps[killed].kill();
        assert_eq!(visitor.page(&apps[1 - killed]), signed_in(51 + killed));
        apps[killed] = example.app();
    }
}

fn requests_fail_soon_and_work_again_afterwards<E: Failing>() {
    let mut example = E::start();
    let (app, visitor) = (example.app(), Visitor::new());
    visitor.sign_in(&app, "a token");

    for round in 1..=2 {
        example.fail();
        for request in [Visitor::get, |visitor: &Visitor, app: &App| visitor.put(app, "secret")] {
            let start = Instant::now();
            let response = request(&visitor, &app);
            assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
            assert_eq!(response.status, 503, "round {round}");
            assert_eq!(response.headers["content-type"], "text/plain; charset=utf-8");
            let line = "Your session cannot be used at the moment. Try again later.";
            assert_eq!(response.body, line);
        }

        example.recover();
        assert_eq!(visitor.page(&app), signed_in(7), "round {round}");
    }

    visitor.sign_in(&app, "another token");
    assert_eq!(visitor.page(&app), signed_in(13));
    let log = app.log();
    assert!(log.contains(E::LOG), "{log}");
    assert!(!log.contains("a token") && !log.contains("secret"), "{log}");
}

fn signed_in(len: usize) -> String {
    format!("Signed in: the ID token has {len} bytes.")
}
