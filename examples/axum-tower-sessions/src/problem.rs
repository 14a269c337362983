//! Error pages.

use std::error::Error;
use std::iter;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

pub(crate) enum Problem {
    /// The visitor made a mistake in a form. The message says how to correct it.
    Form(&'static str),
    /// The server failed.
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
                // Storage errors never contain an item's value, so they are safe to log.
                let chain = iter::successors(Some(&*error as &dyn Error), |&error| error.source());
                eprintln!("{}", chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
                (StatusCode::INTERNAL_SERVER_ERROR, "Your session cannot be used at the moment. Try again later.")
            }
        };
        let page = Page { message }.render().unwrap_or_else(|_| message.to_owned());
        (status, Html(page)).into_response()
    }
}
