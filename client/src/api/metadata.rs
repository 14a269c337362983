//! Protected resource metadata (RFC 9728).

use serde_json::json;
use url::Url;

use crate::api::response::ApiResponse;

/// What the API publishes about itself, so that clients find out where to get tokens (RFC 9728). Model Context Protocol
/// clients need it.
///
/// Serve it at its [`path`](Self::path). With axum, `axum::resource_metadata` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    url: String,
    path: String,
    json: String,
}

impl ResourceMetadata {
    pub(super) fn new(resource: &Url, indicator: &str, issuer: &str, scopes: &[&'static str]) -> Self {
        // Section 3.1: between the host and the path, without the slash that a URL without a path ends with.
        let path = format!("/.well-known/oauth-protected-resource{}", resource.path().trim_end_matches('/'));
        let mut url = resource.clone();
        url.set_path(&path);
        let mut document = json!({
            "resource": indicator,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        });
        if !scopes.is_empty() {
            document["scopes_supported"] = json!(scopes);
        }
        Self { path, url: url.into(), json: document.to_string() }
    }

    /// Returns the URL at which clients look for the metadata.
    ///
    /// ```
    /// use logto_client::api::LogtoApi;
    ///
    /// # fn main() -> Result<(), logto_client::Error> {
    /// let api = LogtoApi::builder("https://tenant.logto.app")
    ///     .audience("https://api.example.com/mcp")
    ///     .publish_metadata()
    ///     .build()?;
    /// let metadata = api.metadata().unwrap();
    /// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/mcp");
    /// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
    /// assert!(metadata.as_json().contains(r#""authorization_servers":["https://tenant.logto.app/oidc"]"#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the path of the [URL](Self::url), for a route. See the example there.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the document. See the example of [`url`](Self::url).
    pub fn as_json(&self) -> &str {
        &self.json
    }

    /// Returns the response of the route, which scripts of every origin may read.
    ///
    /// ```
    /// # use logto_client::api::ResourceMetadata;
    /// fn is_ok(metadata: &ResourceMetadata) -> bool {
    ///     metadata.response().status == 200
    /// }
    /// ```
    pub fn response(&self) -> ApiResponse {
        let headers = [
            ("content-type", "application/json"),
            ("access-control-allow-origin", "*"),
            ("cache-control", "public, max-age=3600"),
        ];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        ApiResponse { status: 200, headers, body: self.json.clone() }
    }
}
