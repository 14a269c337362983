//! Protected resource metadata (RFC 9728).

use fake_provider::{API, FakeProvider};
use logto_client::api::LogtoApi;
use reqwest::Method;
use serde_json::{Value, json};

use crate::frameworks::{FRAMEWORKS, Write};
use crate::requests::{api, send};

const PATH: &str = "/.well-known/oauth-protected-resource";

#[tokio::test]
async fn a_client_without_a_token_is_told_where_to_get_one() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let api = LogtoApi::builder(provider.origin()).audience(API).permissions::<Write>().publish_metadata();
        let app = framework.start(api.build().expect("an API")).await;

        let refused = send(&app, Method::GET, "/things", &[]).await;
        let metadata = send(&app, Method::GET, PATH, &[]).await;

        assert_eq!(refused.param("resource_metadata"), Some(&*format!("{API}{PATH}")), "{}", framework.name);
        assert_eq!(metadata.content_type.as_deref(), Some("application/json"));
        let expected = json!({
            "resource": API, "authorization_servers": [provider.issuer()], "bearer_methods_supported": ["header"],
            "scopes_supported": ["write"],
        });
        assert_eq!(serde_json::from_str::<Value>(&metadata.body).expect("JSON"), expected, "{}", framework.name);
    }
}

#[tokio::test]
async fn nothing_is_published_unless_so_configured() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        assert_eq!(send(&app, Method::GET, PATH, &[]).await.status, 404, "{}", framework.name);
        assert_eq!(send(&app, Method::GET, "/things", &[]).await.param("resource_metadata"), None);
    }
}
