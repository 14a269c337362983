//! What every example of an API is tested for, as its users meet it: the real program, and the requests that it prints.

use reqwest::Method;

use crate::{App, Browser, Page, Trials, block_on};

/// An example's program.
pub trait ApiExample: 'static {
    /// Its `CARGO_BIN_EXE_…`.
    const PROGRAM: &'static str;
}

impl Trials {
    /// What holds for an example of an API.
    #[must_use]
    pub fn api_example<E: ApiExample>(self) -> Self {
        let tests: [(&str, fn()); 6] = [
            ("each_printed_request_is_answered_as_the_line_above_it_says", printed_requests_are_answered::<E>),
            ("anybody_reads_the_public_route", anybody_reads_the_public_route::<E>),
            ("reading_needs_a_token_but_no_permission", reading_needs_a_token_but_no_permission::<E>),
            ("a_token_that_was_changed_is_refused", a_token_that_was_changed_is_refused::<E>),
            ("another_logto_is_named_by_the_environment", another_logto_is_named_by_the_environment::<E>),
            ("half_of_a_logto_is_refused_in_one_line", half_of_a_logto_is_refused_in_one_line::<E>),
        ];
        tests.into_iter().fold(self, |trials, (name, test)| trials.test(Ok(()), name, test))
    }
}

/// A request of which a program has printed the command line.
struct Printed {
    /// What the line above says.
    status: u16,
    method: Method,
    url: String,
    authorization: Option<String>,
}

impl Printed {
    fn parse(comment: &str, command: &str) -> Self {
        let status = comment.strip_prefix("# ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
        let mut request = Self {
            status: status.unwrap_or_else(|| panic!("no status: {comment:?}")),
            method: Method::GET,
            url: String::new(),
            authorization: None,
        };
        let mut words = words(command).into_iter().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} has no value"));
            match &*word {
                "-i" => {}
                "-X" => request.method = value().parse().expect("a method"),
                "-H" => request.authorization = value().strip_prefix("Authorization: ").map(str::to_owned),
                url if url.starts_with("http://localhost:") => url.clone_into(&mut request.url),
                other => panic!("{other:?} is unknown"),
            }
        }
        request
    }

    fn send(&self) -> Page {
        send(&self.method, &self.url, self.authorization.as_deref())
    }
}

/// Splits a command line as a shell does that knows no quotes but `'`.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in command.split('\'').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn send(method: &Method, url: &str, authorization: Option<&str>) -> Page {
    let browser = Browser::new();
    let request = browser.request(method.clone(), url);
    block_on(match authorization {
        Some(value) => request.with(|request| request.header("authorization", value)).load(),
        None => request.load(),
    })
}

/// The program on its own provider, and the requests that it prints.
fn start<E: ApiExample>(variables: &[(&str, &str)]) -> (App, Vec<String>, Vec<Printed>) {
    let app = App::start(E::PROGRAM, variables);
    let lines = app.lines_until("Ctrl-C");
    let pairs = lines.windows(2).filter(|pair| pair[0].starts_with("# ") && pair[1].starts_with("curl "));
    let requests = pairs.map(|pair| Printed::parse(&pair[0], &pair[1])).collect();
    (app, lines, requests)
}

/// The request that is answered with this status.
fn find(requests: &[Printed], status: u16) -> &Printed {
    requests.iter().find(|request| request.status == status).expect("it is printed")
}

fn challenge(page: &Page) -> &str {
    page.headers["www-authenticate"].to_str().expect("text")
}

fn printed_requests_are_answered<E: ApiExample>() {
    let (app, _, requests) = start::<E>(&[]);

    let pages: Vec<_> = requests.iter().map(Printed::send).collect();

    assert_eq!(requests.iter().map(|request| request.status).collect::<Vec<_>>(), [200, 403, 401]);
    let statuses: Vec<_> = pages.iter().map(|page| page.status.as_u16()).collect();
    assert_eq!(statuses, [200, 403, 401], "{}", app.log());
    assert_eq!(pages[0].body, "created by dev-admin-machine\n");
    assert_eq!(pages[0].headers.get("www-authenticate"), None);
    let forbidden = challenge(&pages[1]);
    assert!(forbidden.contains(r#"error="insufficient_scope""#), "{forbidden}");
    assert!(forbidden.contains(r#"scope="write:items""#), "{forbidden}");
    // A request without a token is told nothing about tokens (RFC 6750, section 3.1).
    assert_eq!(challenge(&pages[2]), r#"Bearer realm="https://api.example.com""#);
    for page in &pages[1..] {
        assert_eq!(page.headers["content-type"], "application/problem+json");
    }
}

fn anybody_reads_the_public_route<E: ApiExample>() {
    let (app, _, _) = start::<E>(&[]);

    let page = send(&Method::GET, app.url(), None);

    assert_eq!((page.status.as_u16(), &*page.body), (200, "an API: see /items\n"));
}

fn reading_needs_a_token_but_no_permission<E: ApiExample>() {
    let (app, _, requests) = start::<E>(&[]);
    let items = format!("{}/items", app.url());

    let without = send(&Method::GET, &items, None);
    let with = send(&Method::GET, &items, find(&requests, 403).authorization.as_deref());

    assert_eq!(without.status, 401);
    assert_eq!((with.status.as_u16(), &*with.body), (200, "the items of dev-machine\n"), "{}", app.log());
}

fn a_token_that_was_changed_is_refused<E: ApiExample>() {
    let (_app, _, requests) = start::<E>(&[]);
    let request = find(&requests, 200);
    let token = request.authorization.as_deref().expect("a token");
    let (claims, signature) = token.rsplit_once('.').expect("a JWT");
    let forged = format!("{claims}.{}", signature.chars().rev().collect::<String>());

    let page = send(&request.method, &request.url, Some(&forged));

    assert_eq!(page.status, 401);
    assert!(challenge(&page).contains(r#"error="invalid_token""#), "{}", challenge(&page));
}

fn another_logto_is_named_by_the_environment<E: ApiExample>() {
    let (_other, lines, requests) = start::<E>(&[]);
    let provider = lines.iter().flat_map(|line| line.split(' ')).find(|word| word.starts_with("http://127.0.0.1:"));
    let provider = provider.expect("it says where its provider is");
    let variables = [("LOGTO_ENDPOINT", provider), ("LOGTO_RESOURCE", "https://api.example.com")];

    let (app, lines, printed) = start::<E>(&variables);

    assert!(printed.is_empty(), "it has no tokens of that Logto's");
    assert!(lines.iter().any(|line| line.contains(provider)), "{lines:#?}");
    let items = format!("{}/items", app.url());
    let token = find(&requests, 200).authorization.as_deref();
    assert_eq!(send(&Method::POST, &items, token).status, 200, "{}", app.log());
}

fn half_of_a_logto_is_refused_in_one_line<E: ApiExample>() {
    let line = App::refusal(E::PROGRAM, &[("LOGTO_ENDPOINT", "https://tenant.logto.app")]);
    assert!(line.contains("LOGTO_ENDPOINT is set, but not LOGTO_RESOURCE"), "{line}");

    let variables = [("LOGTO_ENDPOINT", "http://logto.example.com"), ("LOGTO_RESOURCE", "https://api.example.com")];
    assert!(App::refusal(E::PROGRAM, &variables).contains("`endpoint`"));
}
