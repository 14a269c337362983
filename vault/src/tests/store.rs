use std::error::Error as _;
use std::io;
use std::time::Duration;

use crate::store::{Id, Record, Step, StoreError, Swap, Swapped, Version};
use crate::{BoxVault, MemoryVault};

const FIELD: &[u8; 19] = b"0123456789abhunter2";

#[test]
fn debug_output_has_the_length_of_fields_instead_of_their_content() {
    let swap = Swap::new([Step::put("iYQ", Version::of(FIELD), *FIELD)], Duration::from_secs(1));
    let step = r#"Step { name: "iYQ", expected: Some(Version(MDEyMzQ1Njc4OWFi)), put_len: Some(19) }"#;
    assert_eq!(format!("{swap:?}"), format!("Swap {{ steps: [{step}], lifetime: 1s, replaces: false }}"));

    let conflict = Swapped::Conflict(vec![Some(FIELD.to_vec()), None]);
    assert_eq!(format!("{conflict:?}"), "Conflict([Some(19), None])");

    let record = Record { fields: [("iYQ".to_owned(), FIELD.to_vec())].into(), remaining: None };
    assert_eq!(format!("{record:?}"), r#"Record { fields: {"iYQ": 19}, remaining: None }"#);
}

#[test]
fn store_error_has_its_cause_as_source() {
    let error = StoreError::new(io::Error::from(io::ErrorKind::TimedOut));
    assert_eq!(error.to_string(), "the vault's store failed");
    assert_eq!(error.source().unwrap().to_string(), "timed out");
    assert_eq!(format!("{error:?}"), "StoreError(Kind(TimedOut))");
}

#[test]
fn random_ids_and_versions_differ() {
    assert_ne!(Id::random(), Id::random());
    assert_ne!(Version::random(), Version::random());
}

#[test]
fn boxed_store_is_send_sync_and_prints_nothing() {
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let store = BoxVault::new(MemoryVault::default());
    is_shared(&store);
    assert_eq!(format!("{store:?}"), "BoxVault { .. }");
}
