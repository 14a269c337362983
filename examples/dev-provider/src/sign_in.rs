//! The sign-in page: the user says who they are, or goes back.

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::authorize::AuthorizationRequest;
use crate::error::OAuthError;
use crate::page;
use crate::params::Form;
use crate::state::{Provider, Shared, Tables};
use crate::users::User;

/// So many users are on the page; the others sign in by their name.
const USERS_ON_PAGE: usize = 20;

/// A sign-in page that somebody is looking at.
#[derive(Clone)]
pub(crate) struct Interaction {
    request: AuthorizationRequest,
    /// The session that the page was shown in. Only the same browser may answer.
    pub(crate) session: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    root: &'a str,
    client: &'a str,
    interaction: &'a str,
    register: bool,
    /// Whose button comes first, and why.
    suggested: Option<(&'a User, &'static str)>,
    others: Vec<&'a User>,
    typed: &'a str,
    problem: Option<&'static str>,
}

/// Shows the page. `user` is who is signed in already.
pub(crate) fn ask(
    provider: &Provider,
    tables: &mut Tables,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    user: Option<&str>,
) -> Response {
    let known = provider.session(tables, headers);
    let session = known.clone().unwrap_or_else(|| tables.sessions.insert(None));
    let id = tables.interactions.insert(Interaction { request: request.clone(), session: session.clone() });
    let page = Page::new(provider, tables, &id, request, user).respond(StatusCode::OK);
    match known {
        Some(_) => page,
        None => ([(SET_COOKIE, provider.cookie(&session))], page).into_response(),
    }
}

/// A form of the page was sent.
pub(crate) async fn submit(State(provider): State<Shared>, headers: HeaderMap, Form(form): Form) -> Response {
    let field = |name| form.get(name).ok().flatten();
    let mut tables = provider.tables();
    let id = field("interaction").unwrap_or_default();
    let session = provider.session(&tables, &headers);
    let interaction = tables.interactions.get(id).filter(|shown| session.as_ref() == Some(&shown.session)).cloned();
    let Some(Interaction { request, session }) = interaction else {
        let advice =
            "It was used already, or shown to another browser, or is too old. Go back to the app and start again.";
        return page::problem(&provider, "This page is not valid any more", advice);
    };
    if field("deny").is_some() {
        tables.interactions.remove(id);
        return request.reply_to.refuse(&provider, &OAuthError::new("access_denied", "the user denied the request"));
    }
    let name = field("name").unwrap_or_default();
    match choose_user(&mut tables, field("user"), name, request.register) {
        Err(problem) => {
            let page =
                Page { typed: name, problem: Some(problem), ..Page::new(&provider, &tables, id, &request, None) };
            page.respond(StatusCode::UNPROCESSABLE_ENTITY)
        }
        Ok(user) => {
            tables.interactions.remove(id);
            let session = tables.renew_session(&session, &user);
            let answer = Redirect::to(&request.grant(&provider, &mut tables, user));
            ([(SET_COOKIE, provider.cookie(&session))], answer).into_response()
        }
    }
}

/// The id of the user whose button was pressed or whose name was typed, or what to tell instead.
fn choose_user(tables: &mut Tables, id: Option<&str>, name: &str, register: bool) -> Result<String, &'static str> {
    if let Some(id) = id {
        return tables.users.get(id).map(|user| user.id.clone()).ok_or("There is no such user. Choose another one.");
    }
    match tables.users.find(name) {
        Some(user) if !register => Ok(user.id.clone()),
        _ => tables.users.create(name),
    }
}

impl<'a> Page<'a> {
    fn new(
        provider: &'a Provider,
        tables: &'a Tables,
        interaction: &'a str,
        request: &'a AuthorizationRequest,
        user: Option<&str>,
    ) -> Self {
        let hint = request.login_hint.as_deref().unwrap_or_default();
        let hinted = tables.users.find(hint).map(|user| (user, "suggested by the app"));
        let signed_in = user.and_then(|id| tables.users.get(id)).map(|user| (user, "signed in here"));
        let suggested = hinted.or(signed_in);
        let is_other = |user: &&User| suggested.is_none_or(|(suggested, _)| suggested.id != user.id);
        Self {
            root: &provider.root,
            client: &provider.config.client_id,
            interaction,
            register: request.register,
            suggested,
            others: tables.users.0.iter().filter(is_other).take(USERS_ON_PAGE).collect(),
            typed: if hinted.is_none() { hint } else { "" },
            problem: None,
        }
    }

    fn respond(&self, status: StatusCode) -> Response {
        (status, page::html(self)).into_response()
    }
}
