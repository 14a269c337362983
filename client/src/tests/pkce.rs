use std::collections::HashSet;

use crate::oidc::pkce::{challenge, random};

#[test]
fn the_challenge_is_that_of_rfc_7636_appendix_b() {
    assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",);
}

#[test]
fn random_values_differ_and_are_verifiers_by_rfc_7636_section_4_1() {
    let values: HashSet<_> = (0..100).map(|_| random()).collect();
    assert_eq!(values.len(), 100);
    for value in values {
        assert!((43..=128).contains(&value.len()));
        assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)), "{value}");
    }
}
