use std::collections::HashSet;

use url::Url;

use super::storage::Items;
use crate::oidc::pkce;
use crate::session::items::SIGN_IN_SESSION;
use crate::session::sign_in_sessions::SignInSession;
use crate::{
    DirectSignIn, Error, FirstScreen, Identifier, LogtoClient, LogtoConfig, LogtoConfigBuilder, LogtoStorage as _,
    Prompt, SignInOptions, scope,
};

const NOW: u64 = 1_700_000_000;
const CALLBACK: &str = "https://app.example.com/callback";

fn builder() -> LogtoConfigBuilder {
    LogtoConfig::builder("https://tenant.logto.app", "my app&1").app_secret("hunter2")
}

fn url_at(endpoint: &str, builder: LogtoConfigBuilder, options: &SignInOptions) -> Url {
    begun_at(endpoint, builder, options).1
}

fn begun_at(endpoint: &str, builder: LogtoConfigBuilder, options: &SignInOptions) -> (SignInSession, Url) {
    options.check().unwrap();
    let sign_in = SignInSession::new(options, NOW);
    let url = sign_in.authorization_url(&builder.build().unwrap(), options, &Url::parse(endpoint).unwrap());
    (sign_in, url)
}

fn url(builder: LogtoConfigBuilder, options: &SignInOptions) -> Url {
    url_at("https://tenant.logto.app/oidc/auth", builder, options)
}

fn values(url: &Url, name: &str) -> Vec<String> {
    url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

#[test]
fn a_plain_sign_in_has_these_parameters_and_no_more() {
    let options = SignInOptions::new(CALLBACK);
    let (sign_in, url) = begun_at("https://tenant.logto.app/oidc/auth", builder(), &options);
    let challenge = pkce::challenge(&sign_in.code_verifier);
    assert_eq!(
        url.as_str(),
        format!(
            "https://tenant.logto.app/oidc/auth?client_id=my+app%261&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback\
             &code_challenge={challenge}&code_challenge_method=S256&state={}&nonce={}&response_type=code&prompt=consent\
             &scope=openid+offline_access+profile",
            sign_in.state, sign_in.nonce,
        ),
    );
}

#[test]
fn everything_that_can_be_asked_for_is_in_the_url_and_awkward_values_are_encoded() {
    let config = builder()
        .scopes([scope::ORGANIZATIONS, "read:a+b"])
        .resources(["https://api.example.com/?v=1&w=2", "urn:example:é"])
        .prompt([Prompt::Login, Prompt::Consent]);
    let options = SignInOptions::new("https://app.example.com/call back?x=1&y=ü")
        .post_redirect_uri("/orders")
        .first_screen(FirstScreen::IdentifierRegister)
        .identifiers([Identifier::Email, Identifier::Phone, Identifier::Username])
        .direct_sign_in(DirectSignIn::Social("git hub&co".to_owned()))
        .login_hint("zoë+1%@example.com")
        .extra_param("ui_locales", "pt-BR en")
        .extra_param("a&b=c", "1#2")
        .extra_param("twice", "1")
        .extra_param("twice", "2");
    let url = url(config, &options);
    let query = url.query().unwrap();
    for part in [
        "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcall+back%3Fx%3D1%26y%3D%C3%BC&",
        "&prompt=login+consent&",
        "&scope=openid+offline_access+profile+urn%3Alogto%3Ascope%3Aorganizations+read%3Aa%2Bb&",
        "&login_hint=zo%C3%AB%2B1%25%40example.com&",
        "&direct_sign_in=social%3Agit+hub%26co&",
        "&first_screen=identifier%3Aregister&",
        "&identifier=email+phone+username&",
        "&resource=https%3A%2F%2Fapi.example.com%2F%3Fv%3D1%26w%3D2&resource=urn%3Aexample%3A%C3%A9\
         &resource=urn%3Alogto%3Aresource%3Aorganizations&",
        "&ui_locales=pt-BR+en&",
        "&a%26b%3Dc=1%232&",
        "&twice=1&twice=2",
    ] {
        assert!(query.contains(part), "{part} is not in {query}");
    }
    assert!(!query.contains("identifiers"));
    assert!(url.fragment().is_none());
}

#[test]
fn where_the_user_goes_on_and_the_secrets_are_not_in_the_url() {
    let options = SignInOptions::new(CALLBACK).post_redirect_uri("/secret-page");
    let (sign_in, url) = begun_at("https://tenant.logto.app/oidc/auth", builder(), &options);
    for secret in ["hunter2", "secret-page", &sign_in.code_verifier] {
        assert!(!url.as_str().contains(secret), "{secret}");
    }
    assert_eq!(sign_in.post_redirect_uri.as_deref(), Some("/secret-page"));
}

#[test]
fn a_query_that_the_providers_page_has_already_is_kept() {
    let url = url_at("https://tenant.logto.app/auth?tenant=a%26b&x", builder(), &SignInOptions::new(CALLBACK));
    assert!(url.as_str().starts_with("https://tenant.logto.app/auth?tenant=a%26b&x&client_id=my+app%261&"), "{url}");
}

#[test]
fn the_prompt_of_the_sign_in_goes_before_the_configurations() {
    use Prompt::{Consent, Login, None};
    let options = SignInOptions::new(CALLBACK);
    for (configured, own, expected) in [
        (vec![Consent], Option::None, vec!["consent"]),
        (vec![Login, Consent], Option::None, vec!["login consent"]),
        (vec![Consent], Some(vec![None]), vec!["none"]),
        (vec![], Some(vec![Consent, Login]), vec!["consent login"]),
        (vec![Consent], Some(vec![]), vec![]),
        (vec![], Option::None, vec![]),
    ] {
        let options = match own {
            Some(prompts) => options.clone().prompt(prompts),
            Option::None => options.clone(),
        };
        assert_eq!(values(&url(builder().prompt(configured), &options), "prompt"), expected);
    }
}

#[test]
fn a_one_time_token_is_sent_and_not_printed() {
    let options = SignInOptions::new(CALLBACK).login_hint("ada@example.com").one_time_token("ott-secret");
    let url = url(builder(), &options);
    assert_eq!(values(&url, "one_time_token"), ["ott-secret"]);
    assert_eq!(values(&url, "login_hint"), ["ada@example.com"]);
    assert!(!format!("{options:?}").contains("ott-secret"));
}

#[test]
fn each_screen_and_way_has_the_name_that_logto_knows() {
    for (screen, name) in [
        (FirstScreen::SignIn, "sign_in"),
        (FirstScreen::Register, "register"),
        (FirstScreen::ResetPassword, "reset_password"),
        (FirstScreen::IdentifierSignIn, "identifier:sign_in"),
        (FirstScreen::IdentifierRegister, "identifier:register"),
        (FirstScreen::SingleSignOn, "single_sign_on"),
    ] {
        let url = url(builder(), &SignInOptions::new(CALLBACK).first_screen(screen));
        assert_eq!(values(&url, "first_screen"), [name]);
    }
    let url = url(builder(), &SignInOptions::new(CALLBACK).direct_sign_in(DirectSignIn::Sso("c1".to_owned())));
    assert_eq!(values(&url, "direct_sign_in"), ["sso:c1"]);
}

#[test]
fn without_scopes_there_is_no_parameter_for_them() {
    let url = url(builder().include_reserved_scopes(false), &SignInOptions::new(CALLBACK));
    assert_eq!(values(&url, "scope"), [""; 0]);
}

#[test]
fn options_that_cannot_be_used_are_refused_by_name() {
    let long = format!("https://app.example.com/{}", "a".repeat(2048 - 24));
    assert_eq!(long.len(), 2048);
    let longer = format!("{long}a");
    let callback = || SignInOptions::new(CALLBACK);
    for (options, name, problem) in [
        (SignInOptions::new(""), "redirect_uri", "is not an absolute URL, such as https://example.com"),
        (SignInOptions::new("/callback"), "redirect_uri", "is not an absolute URL, such as https://example.com"),
        (SignInOptions::new("myapp://callback"), "redirect_uri", "does not start with https:// or http://"),
        (SignInOptions::new("javascript:alert(1)"), "redirect_uri", "does not start with https:// or http://"),
        (
            SignInOptions::new("https://app.example.com/#x"),
            "redirect_uri",
            "contains a fragment: remove `#` and what follows",
        ),
        (
            SignInOptions::new("https://app.example.com/#"),
            "redirect_uri",
            "contains a fragment: remove `#` and what follows",
        ),
        (SignInOptions::new(&longer), "redirect_uri", "is longer than 2048 bytes"),
        (callback().post_redirect_uri(&longer), "post_redirect_uri", "is longer than 2048 bytes"),
        (callback().prompt([Prompt::None, Prompt::Login]), "prompt", "has `None` next to other prompts: pass it alone"),
    ] {
        match options.check() {
            Err(Error::InvalidOption { name: found, problem: why }) => assert_eq!((found, &*why), (name, problem)),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(SignInOptions::new(&long).post_redirect_uri(&long).check().is_ok());
}

#[test]
fn a_redirect_uri_has_none_of_the_answers_parameters_in_its_query() {
    for name in ["code", "state", "error", "error_description", "iss", "%63ode"] {
        for query in [format!("{name}=x"), format!("tenant=a&{name}=x"), name.to_owned()] {
            match SignInOptions::new(format!("{CALLBACK}?{query}")).check() {
                Err(Error::InvalidOption { name: "redirect_uri", problem }) => {
                    assert_eq!(
                        problem, "has a query parameter that the provider adds itself, such as `code`",
                        "{query}"
                    );
                }
                other => panic!("{query}: {other:?}"),
            }
        }
    }
    for query in ["tenant=code", "codes=x", "State=x", "x=state%3Dy"] {
        assert!(SignInOptions::new(format!("{CALLBACK}?{query}")).check().is_ok(), "{query}");
    }
}

#[test]
fn an_extra_parameter_cannot_be_one_of_the_clients_own() {
    let own: Vec<_> = url(
        builder().resources(["urn:x"]),
        &SignInOptions::new(CALLBACK)
            .first_screen(FirstScreen::Register)
            .identifiers([Identifier::Email])
            .direct_sign_in(DirectSignIn::Sso("c1".to_owned()))
            .login_hint("zoe"),
    )
    .query_pairs()
    .map(|(name, _)| name.into_owned())
    .collect();
    assert_eq!(own.len(), 14);
    for name in own.iter().map(String::as_str).chain(["client_secret", "response_mode"]) {
        let options = SignInOptions::new(CALLBACK).extra_param("ui_locales", "de").extra_param(name, "x");
        match options.check() {
            Err(Error::InvalidOption { name: "extra_param", problem }) => {
                assert_eq!(problem, format!("has {name:?}, which the client sets itself"));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn every_sign_in_has_secrets_of_its_own() {
    let options = SignInOptions::new(CALLBACK);
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let sign_in = SignInSession::new(&options, NOW);
        assert_eq!(sign_in.began_at, NOW);
        for secret in [sign_in.state, sign_in.nonce, sign_in.code_verifier] {
            assert!(seen.insert(secret));
        }
    }
    assert_eq!(seen.len(), 60);
}

#[tokio::test]
async fn options_are_refused_before_anything_is_sent_or_stored() {
    // Taken, so that nobody else listens there, and nobody does.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", taken.local_addr().unwrap());
    let client = LogtoClient::new(LogtoConfig::builder(endpoint, "app").build().unwrap()).unwrap();
    let items = Items::default();
    let session = client.session(&items);
    assert!(matches!(session.sign_in(SignInOptions::new("")).await, Err(Error::InvalidOption { .. })));
    let unreachable = session.sign_in(SignInOptions::new(CALLBACK)).await.unwrap_err();
    assert!(unreachable.is_retryable(), "{unreachable}");
    assert_eq!(items.get_item(SIGN_IN_SESSION).await.unwrap(), None);
}
