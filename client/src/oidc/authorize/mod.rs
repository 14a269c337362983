//! Authorization requests (OpenID Connect Core 1.0, section 3.1.2.1, and Logto's own parameters).

mod options;

use url::Url;

pub(crate) use self::options::check_prompts;
pub use self::options::{DirectSignIn, FirstScreen, Identifier, Prompt, SignInOptions};

pub(crate) struct AuthorizationRequest<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) code_challenge: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) resources: &'a [String],
    /// Used if the options set no prompts.
    pub(crate) default_prompts: &'a [Prompt],
    pub(crate) options: &'a SignInOptions,
}

impl AuthorizationRequest<'_> {
    pub(crate) fn url(&self, endpoint: &Url) -> Url {
        let options = self.options;
        let mut url = endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", &options.redirect_uri)
            .append_pair("code_challenge", self.code_challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", self.state)
            .append_pair("nonce", self.nonce)
            .append_pair("response_type", "code");
        let prompts = options.prompts.as_deref().unwrap_or(self.default_prompts);
        let direct_sign_in = options.direct_sign_in.as_ref().map(DirectSignIn::to_param);
        let optional = [
            ("prompt", &*words(prompts.iter().map(|prompt| prompt.as_str()))),
            ("scope", &self.scopes.join(" ")),
            ("login_hint", options.login_hint.as_deref().unwrap_or_default()),
            ("one_time_token", options.one_time_token.as_ref().map(|token| &*token.0).unwrap_or_default()),
            ("direct_sign_in", direct_sign_in.as_deref().unwrap_or_default()),
            ("first_screen", options.first_screen.map(FirstScreen::as_str).unwrap_or_default()),
            ("identifier", &words(options.identifiers.iter().map(|identifier| identifier.as_str()))),
        ];
        query.extend_pairs(optional.into_iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(self.resources.iter().map(|resource| ("resource", resource)));
        query.extend_pairs(&options.extra_params);
        drop(query);
        url
    }
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
