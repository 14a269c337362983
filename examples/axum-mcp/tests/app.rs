//! The server as a client of the Model Context Protocol meets it: the real program, and rmcp's client.

use std::process::ExitCode;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::AuthorizationManager;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceError, ServiceExt};
use serde_json::{Value, json};
use servers::{App, Browser, block_on};

fn main() -> ExitCode {
    servers::run(servers::trials! {
        |test| block_on(test());
        Ok(()) => [
            a_client_without_a_token_finds_out_where_to_get_one,
            with_a_token_it_lists_and_calls_tools,
            a_tool_that_needs_a_permission_is_refused_without_it,
            a_token_that_is_made_up_is_refused,
        ];
    })
}

/// The program, and the tokens that it prints.
struct Server {
    app: App,
    lines: Vec<String>,
}

impl Server {
    fn start() -> Self {
        let app = App::start(env!("CARGO_BIN_EXE_axum-mcp"), &[]);
        let lines = app.lines_until("Ctrl-C");
        Self { app, lines }
    }

    fn url(&self) -> String {
        format!("{}/mcp", self.app.url())
    }

    fn provider(&self) -> &str {
        let words = self.lines.iter().flat_map(|line| line.split(' '));
        words.into_iter().find(|word| word.starts_with("http://127.0.0.1:")).expect("it says where its provider is")
    }

    fn token(&self, comment: &str) -> &str {
        let pair = self.lines.windows(2).find(|pair| pair[0] == comment).expect(comment);
        pair[1].strip_prefix("Authorization: Bearer ").expect("a token")
    }

    async fn connect(&self, token: Option<&str>) -> Result<RunningService<RoleClient, ()>, ClientInitializeError> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(self.url());
        if let Some(token) = token {
            config = config.auth_header(token);
        }
        ().serve(StreamableHttpClientTransport::from_config(config)).await
    }

    async fn refusal(&self, token: Option<&str>) -> ClientInitializeError {
        self.connect(token).await.expect_err("a refusal")
    }
}

fn text(result: &CallToolResult) -> String {
    let result = serde_json::to_value(result).expect("JSON");
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

fn create_item() -> CallToolRequestParams {
    let Value::Object(arguments) = json!({ "name": "a lamp" }) else { unreachable!() };
    CallToolRequestParams::new("create_item").with_arguments(arguments)
}

async fn a_client_without_a_token_finds_out_where_to_get_one() {
    let server = Server::start();

    let refusal = server.refusal(None).await;
    let challenge = refusal.auth_challenge().expect("a challenge").to_owned();
    let manager = AuthorizationManager::new(server.url()).await.expect("a manager");
    let found = manager.resolve_metadata_from_challenge(Some(&challenge)).await.expect("metadata");

    assert!(refusal.is_authorization_required(), "{refusal}");
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", server.app.url());
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
    let (status, document) = Browser::new().json(&metadata).await;
    assert_eq!((status, &document["resource"]), (200, &json!(server.url())));
    assert_eq!(document["scopes_supported"], json!(["write:items"]));
    assert_eq!(found.metadata.token_endpoint, format!("{}/oidc/token", server.provider()));
}

async fn with_a_token_it_lists_and_calls_tools() {
    let server = Server::start();
    let client = server.connect(Some(server.token("# may write"))).await.expect("a session");

    let tools = client.list_all_tools().await.expect("tools");
    let created = client.call_tool(create_item()).await.expect("a result");
    let listed = client.call_tool(CallToolRequestParams::new("list_items")).await.expect("a result");
    let other = server.connect(Some(server.token("# may only read"))).await.expect("a session");
    let listed_by_other = other.call_tool(CallToolRequestParams::new("list_items")).await.expect("a result");

    let mut names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["create_item", "list_items"]);
    assert_eq!(text(&created), "created by dev-admin-machine");
    assert_eq!(text(&listed), "1 items: a lamp");
    assert_eq!(text(&listed_by_other), "0 items: ");
}

async fn a_tool_that_needs_a_permission_is_refused_without_it() {
    let server = Server::start();
    let client = server.connect(Some(server.token("# may only read"))).await.expect("a session");

    let refused = client.call_tool(create_item()).await;
    let listed = client.call_tool(CallToolRequestParams::new("list_items")).await.expect("a result");

    assert_eq!(text(&listed), "0 items: ");
    let Err(ServiceError::McpError(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.message, "the access token lacks a permission: write:items");
}

async fn a_token_that_is_made_up_is_refused() {
    let server = Server::start();

    let refusal = server.refusal(Some("a.b.c")).await;

    let challenge = refusal.auth_challenge().expect("a challenge");
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    assert!(challenge.contains("resource_metadata="), "{challenge}");
}
