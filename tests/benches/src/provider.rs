//! A provider that is as quick as one can be: what it answers is made before it is asked. What is left of the time of a
//! callback is the client's.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA384, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const APP_ID: &str = "bench-app";

/// It signs with ES384, as Logto does. Its thread ends with the program.
pub struct Provider {
    pub endpoint: String,
    pub key: EcdsaKeyPair,
    answers: Arc<Mutex<HashMap<&'static str, String>>>,
}

impl Provider {
    /// # Panics
    ///
    /// If the machine gives it no port, or no random numbers.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
        let (x, y) = key.public_key().as_ref()[1..].split_at(48);
        let jwk = json!({ "kty": "EC", "crv": "P-384", "kid": "k", "alg": "ES384", "x": encode(x), "y": encode(y) });
        let discovery = json!({
            "issuer": format!("{endpoint}/oidc"),
            "authorization_endpoint": format!("{endpoint}/oidc/auth"),
            "token_endpoint": format!("{endpoint}/oidc/token"),
            "jwks_uri": format!("{endpoint}/oidc/jwks"),
        });
        let answers = HashMap::from([
            ("/oidc/.well-known/openid-configuration", discovery.to_string()),
            ("/oidc/jwks", json!({ "keys": [jwk] }).to_string()),
        ]);
        let answers = Arc::new(Mutex::new(answers));
        let shared = Arc::clone(&answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&shared);
                // It ends when the client closes the connection.
                thread::spawn(move || serve(&stream, &answers));
            }
        });
        Self { endpoint, key, answers }
    }

    /// What it will answer when it is asked for tokens: those of a user with a name, an email address, roles and
    /// organizations. Returns it.
    ///
    /// # Panics
    ///
    /// If another thread has panicked meanwhile.
    pub fn prepare_tokens(&self, nonce: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let access_token = "a".repeat(43);
        let claims = json!({
            "iss": format!("{}/oidc", self.endpoint), "sub": "abcdefghijkl", "aud": APP_ID, "exp": now + 3600, "iat": now,
            "nonce": nonce, "at_hash": encode(&digest(&SHA384, access_token.as_bytes()).as_ref()[..24]),
            "name": "Ada Lovelace", "username": "ada", "picture": "https://example.com/ada.png",
            "email": "ada@example.com", "email_verified": true, "roles": ["admin", "editor"],
            "organizations": ["org_1", "org_2"], "organization_roles": ["org_1:owner", "org_2:member"],
            "created_at": 1_700_000_000_000_u64, "updated_at": 1_700_000_000_000_u64,
        });
        let tokens = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "scope": "openid offline_access profile",
            "refresh_token": "r".repeat(43), "id_token": self.sign(&claims),
        });
        let tokens = tokens.to_string();
        self.answers.lock().unwrap().insert("/oidc/token", tokens.clone());
        tokens
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES384", "typ": "JWT", "kid": "k" });
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        format!("{message}.{}", encode(signature))
    }
}

pub fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// Answers each request of a connection.
fn serve(mut stream: &TcpStream, answers: &Mutex<HashMap<&'static str, String>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut request, mut length) = (String::new(), 0);
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            match header.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().map_err(io::Error::other)?;
                }
                Some(_) => {}
                None => break,
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let path = request.split(' ').nth(1).unwrap_or_default();
        let body = answers.lock().map_err(|_| io::Error::other("poisoned"))?.get(path).cloned().unwrap_or_default();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes())?;
    }
}
