//! Where a browser is sent to sign in (OpenID Connect Core 1.0, section 3.1.2.1, and Logto's own parameters).

use std::fmt;

use url::Url;

use crate::error::{Error, Result};
use crate::oidc::callback::ANSWER_PARAMS;
use crate::util::web_url::WebUrl;

/// The most bytes that a URL in the options may have: it is kept in the session until the callback, and up to eight of
/// them.
const MAX_URL: usize = 2048;

/// What the client sets itself, or would have to check the answer for: [`SignInOptions::extra_param`] takes none of
/// them.
const OWN_PARAMS: [&str; 22] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "direct_sign_in",
    "first_screen",
    "id_token_hint",
    "identifier",
    "login_hint",
    "max_age",
    "nonce",
    "one_time_token",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// How a user is to be signed in.
///
/// ```
/// use logto_client::{FirstScreen, Identifier, SignInOptions};
///
/// let options = SignInOptions::new("https://app.example.com/callback")
///     .post_redirect_uri("/orders/7")
///     .first_screen(FirstScreen::Register)
///     .identifiers([Identifier::Email, Identifier::Phone])
///     .extra_param("ui_locales", "pt-BR");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SignInOptions {
    pub(crate) redirect_uri: String,
    pub(crate) post_redirect_uri: Option<String>,
    prompts: Option<Vec<Prompt>>,
    first_screen: Option<FirstScreen>,
    identifiers: Vec<Identifier>,
    direct_sign_in: Option<DirectSignIn>,
    login_hint: Option<String>,
    one_time_token: Option<OneTimeToken>,
    extra_params: Vec<(String, String)>,
    pub(crate) clear_tokens: bool,
}

/// Signs a user in by itself, so it is not printed.
#[derive(Clone)]
struct OneTimeToken(String);

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeToken(…)")
    }
}

/// What the provider asks of the user (`prompt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// Nothing: who is not signed in at the provider comes back with the error `login_required`. Stands alone.
    None,
    /// To sign in, even if they are at the provider.
    Login,
    /// To consent. Logto gives a refresh token only then.
    Consent,
}

/// The page that Logto begins with (`first_screen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirstScreen {
    /// To sign in.
    SignIn,
    /// To register.
    Register,
    /// To set a new password.
    ResetPassword,
    /// To sign in with one of the [identifiers](SignInOptions::identifiers).
    IdentifierSignIn,
    /// To register with one of the [identifiers](SignInOptions::identifiers).
    IdentifierRegister,
    /// To sign in by the company's single sign-on.
    SingleSignOn,
}

/// What a user may enter to be known by (`identifier`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// An email address.
    Email,
    /// A phone number.
    Phone,
    /// A username.
    Username,
}

/// Past Logto's own pages, at once to another provider (`direct_sign_in`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DirectSignIn {
    /// To a social one, by its target, such as `google`.
    Social(String),
    /// To a company's, by its connector's id.
    Sso(String),
}

impl SignInOptions {
    /// A sign-in that comes back to `redirect_uri`: an absolute URL of the app, registered in Logto's console.
    pub fn new(redirect_uri: impl Into<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.into(),
            post_redirect_uri: None,
            prompts: None,
            first_screen: None,
            identifiers: Vec::new(),
            direct_sign_in: None,
            login_hint: None,
            one_time_token: None,
            extra_params: Vec::new(),
            clear_tokens: false,
        }
    }

    /// Where the user goes on after the sign-in. It is kept in the session, and given back by
    /// [`SignedIn::post_redirect_uri`](crate::SignedIn::post_redirect_uri) as it is: whether the app may redirect there
    /// is for the app to decide before it puts it here, where a URL comes from a request (open redirects).
    pub fn post_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.post_redirect_uri = Some(uri.into());
        self
    }

    /// Instead of the configuration's [`prompt`](crate::LogtoConfigBuilder::prompt).
    pub fn prompt(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        self.prompts = Some(prompts.into_iter().collect());
        self
    }

    /// The page that Logto begins with.
    pub fn first_screen(mut self, screen: FirstScreen) -> Self {
        self.first_screen = Some(screen);
        self
    }

    /// What the user may enter, for [`IdentifierSignIn`](FirstScreen::IdentifierSignIn) and
    /// [`IdentifierRegister`](FirstScreen::IdentifierRegister).
    pub fn identifiers(mut self, identifiers: impl IntoIterator<Item = Identifier>) -> Self {
        self.identifiers = identifiers.into_iter().collect();
        self
    }

    /// Past Logto's own pages, at once to another provider.
    pub fn direct_sign_in(mut self, to: DirectSignIn) -> Self {
        self.direct_sign_in = Some(to);
        self
    }

    /// What is known of who signs in: an email address, phone number or username, which is filled in for them.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// A one-time token of Logto's, from the link in an email that your app sent (a magic link): it signs the user in
    /// without a password. Logto also requires the email address it was issued for, as the
    /// [`login_hint`](Self::login_hint).
    pub fn one_time_token(mut self, token: impl Into<String>) -> Self {
        self.one_time_token = Some(OneTimeToken(token.into()));
        self
    }

    /// Another parameter of the provider's, such as `ui_locales`. None that the client sets itself, or that changes how
    /// the answer has to be checked (`request`, `max_age` and the like).
    pub fn extra_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_params.push((name.into(), value.into()));
        self
    }

    /// Whether who is signed in is signed out of this session at once, not only when somebody has signed in. The
    /// default is `false`: otherwise a link to the sign-in, on any page of the web, signs the user out.
    pub fn clear_tokens(mut self, clear: bool) -> Self {
        self.clear_tokens = clear;
        self
    }

    /// Checks what can be checked without the provider.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |name, problem: &str| Err(Error::InvalidOption { name, problem: problem.to_owned() });
        // RFC 6749, section 3.1.2, forbids the fragment.
        match WebUrl::parse(&self.redirect_uri).and_then(WebUrl::without_fragment) {
            Err(problem) => return wrong("redirect_uri", problem),
            Ok(uri) if uri.as_url().query_pairs().any(|(name, _)| ANSWER_PARAMS.contains(&&*name)) => {
                return wrong("redirect_uri", "has a parameter of the provider's answer, such as `code`, in its query");
            }
            Ok(_) if self.redirect_uri.len() > MAX_URL => return wrong("redirect_uri", "is longer than 2048 bytes"),
            Ok(_) => {}
        }
        if self.post_redirect_uri.as_ref().is_some_and(|uri| uri.len() > MAX_URL) {
            return wrong("post_redirect_uri", "is longer than 2048 bytes");
        }
        if let Some(Err(problem)) = self.prompts.as_deref().map(check_prompts) {
            return wrong("prompt", problem);
        }
        match self.extra_params.iter().find(|(name, _)| OWN_PARAMS.contains(&&**name)) {
            Some((name, _)) => wrong("extra_param", &format!("has {name:?}, which the client sets itself")),
            None => Ok(()),
        }
    }
}

/// An authorization request (OpenID Connect Core 1.0, section 3.1.2.1).
pub(crate) struct AuthorizationRequest<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) code_challenge: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) resources: &'a [String],
    /// Unless the options have their own.
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

impl Prompt {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
        }
    }
}

/// OpenID Connect Core 1.0, section 3.1.2.1: `none` stands alone.
pub(crate) fn check_prompts(prompts: &[Prompt]) -> Result<(), &'static str> {
    if prompts.contains(&Prompt::None) && prompts.len() > 1 { Err("has `None` beside others") } else { Ok(()) }
}

impl FirstScreen {
    fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Register => "register",
            Self::ResetPassword => "reset_password",
            Self::IdentifierSignIn => "identifier:sign_in",
            Self::IdentifierRegister => "identifier:register",
            Self::SingleSignOn => "single_sign_on",
        }
    }
}

impl Identifier {
    fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }
}

impl DirectSignIn {
    fn to_param(&self) -> String {
        match self {
            Self::Social(target) => format!("social:{target}"),
            Self::Sso(connector) => format!("sso:{connector}"),
        }
    }
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
