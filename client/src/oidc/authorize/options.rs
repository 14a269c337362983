//! Options of a sign-in, and their validation.

use std::fmt;

use crate::error::{Error, Result};
use crate::oidc::callback::RESPONSE_PARAMS;
use crate::util::web_url::WebUrl;

/// The maximum length of a URL in bytes. The session stores two per sign-in, for up to eight sign-ins.
const MAX_URL: usize = 2048;

/// Parameters that [`SignInOptions::extra_param`] rejects: the client sets them itself, or they change how it would
/// have to verify the response.
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

/// Options of one sign-in, for [`LogtoSession::sign_in`](crate::LogtoSession::sign_in).
///
/// They are validated when the sign-in starts.
///
/// # Example
///
/// ```
/// use logto_client::{FirstScreen, Identifier, SignInOptions};
///
/// let options = SignInOptions::new("https://app.example.com/callback")
///     .post_redirect_uri("/orders/7")
///     .first_screen(FirstScreen::IdentifierRegister)
///     .identifiers([Identifier::Email, Identifier::Phone])
///     .extra_param("ui_locales", "pt-BR");
/// ```
#[doc(alias = "login")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SignInOptions {
    pub(crate) redirect_uri: String,
    pub(crate) post_redirect_uri: Option<String>,
    pub(super) prompts: Option<Vec<Prompt>>,
    pub(super) first_screen: Option<FirstScreen>,
    pub(super) identifiers: Vec<Identifier>,
    pub(super) direct_sign_in: Option<DirectSignIn>,
    pub(super) login_hint: Option<String>,
    pub(super) one_time_token: Option<OneTimeToken>,
    pub(super) extra_params: Vec<(String, String)>,
    pub(crate) clear_tokens: bool,
}

/// A secret: it signs a user in without a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OneTimeToken(pub(super) String);

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeToken(…)")
    }
}

/// What the provider asks of the user (`prompt`; OpenID Connect Core 1.0, section 3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// Shows no page. If the provider would have to show one, the callback fails with an error for which
    /// [`is_sign_in_required`](crate::Error::is_sign_in_required) is true. Cannot be combined with other prompts.
    None,
    /// Asks the user to sign in, even if they are signed in at the provider.
    Login,
    /// Asks the user for consent. Logto issues a refresh token only with this prompt.
    Consent,
}

/// The first page that Logto shows (`first_screen`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FirstScreen {
    /// The sign-in page.
    SignIn,
    /// The registration page.
    Register,
    /// The page to reset a password.
    ResetPassword,
    /// A sign-in page for the chosen [identifiers](SignInOptions::identifiers) only.
    IdentifierSignIn,
    /// A registration page for the chosen [identifiers](SignInOptions::identifiers) only.
    IdentifierRegister,
    /// The page for enterprise single sign-on.
    SingleSignOn,
}

/// What users identify themselves with (`identifier`).
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

/// An identity provider to go to without showing Logto's sign-in page (`direct_sign_in`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DirectSignIn {
    /// A social identity provider, by its connector's target, such as `google`.
    Social(String),
    /// An enterprise identity provider, by its connector's id.
    Sso(String),
}

impl SignInOptions {
    /// Creates options for a sign-in that returns to `redirect_uri`: an absolute URL of your app, without a fragment,
    /// of at most 2048 bytes, registered in Logto's console as a redirect URI.
    ///
    /// See the [example](Self#example).
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

    /// Sets where your app sends the user after the sign-in, in at most 2048 bytes. See the [example](Self#example).
    ///
    /// The session stores the value and [`SignedIn::post_redirect_uri`](crate::SignedIn::post_redirect_uri) returns it
    /// unchanged. The client does not check it: if it comes from a request, first make sure that it leads to your own
    /// app (open redirects).
    pub fn post_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.post_redirect_uri = Some(uri.into());
        self
    }

    /// Sets what the provider asks of the user, instead of the configuration's
    /// [`prompt`](crate::LogtoConfigBuilder::prompt).
    ///
    /// ```
    /// # use logto_client::{Prompt, SignInOptions};
    /// // Asks for the password again, even if the user is signed in at Logto.
    /// let options = SignInOptions::new("https://app.example.com/callback").prompt([Prompt::Login, Prompt::Consent]);
    /// ```
    pub fn prompt(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        self.prompts = Some(prompts.into_iter().collect());
        self
    }

    /// Sets the first page that Logto shows. See the [example](Self#example).
    pub fn first_screen(mut self, screen: FirstScreen) -> Self {
        self.first_screen = Some(screen);
        self
    }

    /// Sets what users identify themselves with on the pages [`IdentifierSignIn`](FirstScreen::IdentifierSignIn) and
    /// [`IdentifierRegister`](FirstScreen::IdentifierRegister). See the [example](Self#example).
    pub fn identifiers(mut self, identifiers: impl IntoIterator<Item = Identifier>) -> Self {
        self.identifiers = identifiers.into_iter().collect();
        self
    }

    /// Sends the user straight to another identity provider, without showing Logto's sign-in page.
    ///
    /// ```
    /// # use logto_client::{DirectSignIn, SignInOptions};
    /// let options = SignInOptions::new("https://app.example.com/callback")
    ///     .direct_sign_in(DirectSignIn::Social("google".to_owned()));
    /// ```
    pub fn direct_sign_in(mut self, to: DirectSignIn) -> Self {
        self.direct_sign_in = Some(to);
        self
    }

    /// Sets the email address, phone number or username that Logto fills in on its sign-in page.
    ///
    /// ```
    /// # use logto_client::SignInOptions;
    /// let options = SignInOptions::new("https://app.example.com/callback").login_hint("ada@example.com");
    /// ```
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Sets a one-time token, which signs the user in without a password: the token of a magic link that your app sent
    /// by email.
    ///
    /// Logto also requires the email address that the token was issued for, as the [`login_hint`](Self::login_hint).
    ///
    /// ```
    /// # use logto_client::SignInOptions;
    /// fn from_magic_link(email: &str, token: &str) -> SignInOptions {
    ///     SignInOptions::new("https://app.example.com/callback").login_hint(email).one_time_token(token)
    /// }
    /// ```
    pub fn one_time_token(mut self, token: impl Into<String>) -> Self {
        self.one_time_token = Some(OneTimeToken(token.into()));
        self
    }

    /// Adds another parameter of the provider, such as `ui_locales`. See the [example](Self#example).
    ///
    /// The sign-in fails with [`Error::InvalidOption`] if the client sets the parameter itself, or would have to
    /// verify the response differently because of it (`request`, `max_age` and the like).
    pub fn extra_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_params.push((name.into(), value.into()));
        self
    }

    /// Sets whether starting the sign-in signs the current user out of this session. The default is `false`: the
    /// current user stays signed in until another sign-in succeeds.
    ///
    /// With `true`, any website that links to your sign-in route can sign your users out.
    ///
    /// ```
    /// # use logto_client::SignInOptions;
    /// let options = SignInOptions::new("https://app.example.com/callback").clear_tokens(true);
    /// ```
    pub fn clear_tokens(mut self, clear: bool) -> Self {
        self.clear_tokens = clear;
        self
    }

    /// Checks everything that does not need the provider.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |name, problem: &str| Err(Error::InvalidOption { name, problem: problem.to_owned() });
        // RFC 6749, section 3.1.2, forbids the fragment.
        match WebUrl::parse(&self.redirect_uri).and_then(WebUrl::without_fragment) {
            Err(problem) => return wrong("redirect_uri", problem),
            Ok(uri) if uri.as_url().query_pairs().any(|(name, _)| RESPONSE_PARAMS.contains(&&*name)) => {
                return wrong("redirect_uri", "has a query parameter that the provider adds itself, such as `code`");
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

/// OpenID Connect Core 1.0, section 3.1.2.1.
pub(crate) fn check_prompts(prompts: &[Prompt]) -> Result<(), &'static str> {
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        Err("has `None` next to other prompts: pass it alone")
    } else {
        Ok(())
    }
}

impl Prompt {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
        }
    }
}

impl FirstScreen {
    pub(super) fn as_str(self) -> &'static str {
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
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Username => "username",
        }
    }
}

impl DirectSignIn {
    pub(super) fn to_param(&self) -> String {
        match self {
            Self::Social(target) => format!("social:{target}"),
            Self::Sso(connector) => format!("sso:{connector}"),
        }
    }
}
