//! Text of errors, and text in errors.

use std::fmt;

/// An error and its sources, for the log: an error's own text leaves its source out.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn std::error::Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut causes = std::iter::successors(self.0.source(), |cause| cause.source());
        causes.try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// Text from the provider or a callback, without control characters and cut to 200 characters.
pub(crate) fn sanitized(text: &str) -> String {
    // Also without what ends a line or changes the reading direction in a terminal.
    let is_safe = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_safe).take(200).collect()
}
