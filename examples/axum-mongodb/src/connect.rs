//! The session store, configured by `MONGODB_URL`.

use std::env;
use std::error::Error;
use std::time::Duration;

use mongodb::Client;
use mongodb::options::ClientOptions;

use crate::mongodb_store::MongoStore;

pub(crate) async fn connect() -> Result<MongoStore, Box<dyn Error>> {
    let url = env::var_os("MONGODB_URL").unwrap_or_else(|| "mongodb://127.0.0.1:27017".into());
    // Without the driver's error, which quotes the URL and thus a password.
    let unusable = "MONGODB_URL is not a MongoDB URL, such as mongodb://user:password@host:27017/database";
    let mut options = ClientOptions::parse(url.to_string_lossy().as_ref()).await.map_err(|_| unusable)?;
    // The driver's default of 30 seconds is too long for a web page.
    options.server_selection_timeout.get_or_insert(Duration::from_secs(3));
    let client = Client::with_options(options)?;
    let database = client.default_database().unwrap_or_else(|| client.database("axum-mongodb"));
    let store = MongoStore::new(&database.collection("sessions")).with_timeout(Duration::from_secs(5));
    store.migrate().await.map_err(|error| format!("cannot use MongoDB: {error}"))?;
    Ok(store)
}
