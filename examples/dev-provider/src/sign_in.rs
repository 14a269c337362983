//! The sign-in page.

use askama::Template;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};

use crate::authorize::AuthorizationRequest;
use crate::error::OAuthError;
use crate::page;
use crate::params::Form;
use crate::state::{Provider, Shared, Tables};
use crate::users::User;

/// The maximum number of users on the page. Others sign in by typing their name.
const USERS_ON_PAGE: usize = 20;

/// A pending sign-in at the provider.
#[derive(Clone)]
pub(crate) struct Interaction {
    request: AuthorizationRequest,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    root: &'a str,
    client: &'a str,
    /// For scripts that look for the form. Only the cookie identifies the interaction.
    interaction: &'a str,
    register: bool,
    /// The user whose button comes first, and why.
    suggested: Option<(&'a User, &'static str)>,
    others: Vec<&'a User>,
    typed: &'a str,
    problem: Option<&'static str>,
}

/// Shows the page. `user` is the user who is already signed in.
///
/// As with Logto, a browser has one interaction: forms in other tabs now belong to this request.
pub(crate) fn ask(
    provider: &Provider,
    tables: &mut Tables,
    request: &AuthorizationRequest,
    user: Option<&str>,
) -> Response {
    let id = tables.interactions.insert(Interaction { request: request.clone() });
    let page = Page::new(provider, tables, &id, request, user).respond(StatusCode::OK);
    let cookies = [(SET_COOKIE, provider.set_interaction(&id)), (SET_COOKIE, provider.set_app())];
    (AppendHeaders(cookies), page).into_response()
}

/// Handles a form of the page. The cookie, not the form, identifies the interaction.
pub(crate) async fn submit(State(provider): State<Shared>, headers: HeaderMap, Form(form): Form) -> Response {
    let field = |name| form.get(name).ok().flatten();
    let mut tables = provider.tables();
    let id = provider.interaction(&tables, &headers).unwrap_or_default();
    let Some(Interaction { request }) = tables.interactions.get(&id).cloned() else {
        return session_not_found(&provider);
    };
    if field("deny").is_some() {
        if !provider.config.deny_with_error {
            return Redirect::to(request.reply_to.redirect_uri()).into_response();
        }
        tables.interactions.remove(&id);
        return request.reply_to.refuse(&provider, &OAuthError::access_denied("the user denied the request"));
    }
    let name = field("name").unwrap_or_default();
    match choose_user(&mut tables, field("user"), name, request.register) {
        Err(problem) => {
            let page =
                Page { typed: name, problem: Some(problem), ..Page::new(&provider, &tables, &id, &request, None) };
            page.respond(StatusCode::UNPROCESSABLE_ENTITY)
        }
        Ok(user) => {
            tables.interactions.remove(&id);
            let old = provider.session(&tables, &headers);
            let session = tables.sign_in(old.as_deref(), &user);
            let Some(grant) = tables.grant_of_session(&session) else { return session_not_found(&provider) };
            let answer = Redirect::to(&request.grant(&provider, &mut tables, grant));
            let cookies = [(SET_COOKIE, provider.set_session(&session)), (SET_COOKIE, provider.unset_interaction())];
            (AppendHeaders(cookies), answer).into_response()
        }
    }
}

/// Responds to a form whose interaction has ended or belongs to another browser.
fn session_not_found(provider: &Provider) -> Response {
    match &provider.config.unknown_session_redirect_url {
        Some(url) => Redirect::to(url).into_response(),
        None => page::problem(provider, "Session not found", "Go back to the app and sign in again."),
    }
}

/// Returns the id of the chosen or typed user, or an error message for the page.
fn choose_user(tables: &mut Tables, id: Option<&str>, name: &str, register: bool) -> Result<String, &'static str> {
    if let Some(id) = id {
        let user = tables.users.get(id).ok_or("This user does not exist. Choose another one.")?;
        return user.active_id();
    }
    match tables.users.find(name) {
        Some(user) if !register => user.active_id(),
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
