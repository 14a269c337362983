//! What a visitor gets where a handler has no page.

use std::error::Error;
use std::iter;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

pub(crate) enum Problem {
    /// A form was not filled in properly; this says what to do.
    Form(&'static str),
    /// The visitor can do nothing about it.
    Server(Box<dyn Error + Send + Sync>),
}

impl<E: Error + Send + Sync + 'static> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Server(error.into())
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    message: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Form(message) => (StatusCode::UNPROCESSABLE_ENTITY, message),
            Self::Server(error) => {
                // A storage's error never has an item's value in it, so it may go into a log.
                let chain = iter::successors(Some(&*error as &dyn Error), |&error| error.source());
                eprintln!("{}", chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
                (StatusCode::INTERNAL_SERVER_ERROR, "Your session cannot be used at the moment. Try again later.")
            }
        };
        let page = Page { message }.render().unwrap_or_else(|_| message.to_owned());
        (status, Html(page)).into_response()
    }
}
