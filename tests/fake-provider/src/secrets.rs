//! What must appear in no error and no log line.

use std::collections::{BTreeSet, HashSet};

/// A part of every secret that a test makes up.
pub const MARK: &str = "s3cr3t";

/// So many bytes of a secret in a row give it away. Fewer may be in any text by chance.
const FRAGMENT: usize = 8;

#[derive(Default)]
pub(crate) struct Secrets(BTreeSet<String>);

impl Secrets {
    pub(crate) fn remember(&mut self, secret: &str) {
        if secret.len() >= FRAGMENT {
            self.0.insert(secret.to_owned());
        }
    }

    /// Returns a fragment of a secret that the text contains, if it contains any.
    pub(crate) fn fragment_in(&self, text: &str) -> Option<String> {
        if text.contains(MARK) {
            return Some(MARK.to_owned());
        }
        let windows: HashSet<&[u8]> = text.as_bytes().windows(FRAGMENT).collect();
        let mut fragments = self.0.iter().flat_map(|secret| secret.as_bytes().windows(FRAGMENT));
        fragments.find(|fragment| windows.contains(fragment)).map(|found| String::from_utf8_lossy(found).into_owned())
    }
}
