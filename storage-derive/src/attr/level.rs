//! Which keys are allowed where.

/// What an attribute is on.
#[derive(Clone, Copy)]
pub(super) enum Level {
    /// A struct or an enum.
    Container,
    Variant,
    Field,
    /// A struct that is a scope.
    Scope,
    /// A struct that is a role.
    Role,
}

impl Level {
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Container => &["prefix", "save", "max_len", "crate"],
            Self::Variant => &[],
            Self::Field => &["session", "prefix"],
            Self::Scope => &["scope", "resource", "crate"],
            Self::Role => &["role", "organization_role", "crate"],
        }
    }

    /// The message for a key that is not allowed at this level, known or not.
    pub(super) fn misplaced(self, key: &str) -> String {
        let fix = match (key, self) {
            ("session", Self::Container | Self::Variant) => "put it on the field that holds the session",
            ("prefix", Self::Variant) => "put it on the `enum`, for all variants, or on a field that holds the prefix",
            ("save" | "max_len" | "crate", Self::Field | Self::Variant) => "put it on the `struct` or `enum`",
            ("role" | "organization_role", Self::Scope) => "derive `LogtoRole` for a role",
            ("scope" | "resource", Self::Role) => "derive `LogtoScope` for a scope",
            _ => return format!("unknown key `{key}`: {}", self.expected(Some(key))),
        };
        format!("`{key}` is not allowed here: {fix}")
    }

    /// The message for an attribute that has no known key. The keys most similar to `key` come first.
    pub(super) fn expected(self, key: Option<&str>) -> String {
        let mut keys = self.keys().to_vec();
        keys.sort_by_key(|allowed| key.map(|key| distance(key, allowed)));
        let keys = keys.join("`, `");
        match self {
            Self::Container | Self::Scope | Self::Role => {
                format!("expected `#[logto(…)]` with one or more of `{keys}`")
            }
            Self::Variant => "`#[logto(…)]` is not allowed on a variant".to_owned(),
            Self::Field => format!("expected `#[logto(…)]` with one of `{keys}`"),
        }
    }
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
