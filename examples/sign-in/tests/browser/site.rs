//! An app whose provider can be changed and stopped.

use dev_provider::{Config, DevProvider};
use servers::App;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::browser::start_app_with;

pub(crate) struct Site {
    /// Where browsers find the app.
    pub(crate) url: String,
    pub(crate) provider: DevProvider,
    _app: App,
}

impl Site {
    /// The provider has to know the app's URL, and the app the provider's. So the app is behind a proxy, which is there first.
    pub(crate) async fn start() -> Self {
        let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://localhost:{}", proxy.local_addr().expect("its address").port());
        let mut config = Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            redirect_uris: vec![format!("{url}/logto/sign-in-callback")],
            post_logout_redirect_uris: vec![format!("{url}/")],
            ..Config::default()
        };
        config.organizations[0].description = Some("Makes everything, and delivers it by rocket.".to_owned());
        let provider = DevProvider::start(config).await.expect("a provider");
        let app = start_app_with(&[
            ("BASE_URL", &url),
            ("LOGTO_ENDPOINT", provider.endpoint()),
            ("LOGTO_APP_ID", "dev-client"),
            ("LOGTO_APP_SECRET", "dev-secret"),
        ]);
        let address = app.url().trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((mut browser, _)) = proxy.accept().await {
                let address = address.clone();
                tokio::spawn(async move {
                    if let Ok(mut app) = TcpStream::connect(address).await {
                        // Until one of them hangs up.
                        let _ = copy_bidirectional(&mut browser, &mut app).await;
                    }
                });
            }
        });
        Self { url, provider, _app: app }
    }
}
