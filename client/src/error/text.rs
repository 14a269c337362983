//! How errors read in a log, and what of the provider's words may be in them.

use std::fmt;

/// An error and what caused it, for the log: what an error says of itself leaves its source out.
pub(crate) struct ErrorChain<'a>(pub(crate) &'a dyn std::error::Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut causes = std::iter::successors(self.0.source(), |cause| cause.source());
        causes.try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// Words of the provider's, or of whoever made up a callback, fit for a log line.
pub(crate) fn sanitized(text: &str) -> String {
    // Nor what ends a line, or turns the reading direction, in a terminal.
    let is_safe = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_safe).take(200).collect()
}
