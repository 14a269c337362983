//! The libraries' own calls that verify a token, without HTTP.

use std::hint::black_box;
use std::slice;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_provider::keys::{ES384, RS256};
use jsonwebtoken_10::Algorithm;

use crate::is_bench;
use crate::report::{Report, ratio, time};
use crate::setup::{AXUM_JWT_AUTH, JWT_AUTHORIZER, Libraries, OURS, Setup};
use crate::timing::{Candidate, Timing, at_once, calibrate, per_run, rounds};

/// How many first tokens a candidate verifies per round.
const TOKENS: usize = 2;

pub(crate) fn run(report: &mut Report, setup: &Setup) {
    for (name, algorithm, key, verification) in [
        ("RS256", Algorithm::RS256, &RS256, &RSA_PKCS1_2048_8192_SHA256 as &'static dyn VerificationAlgorithm),
        // Logto's default. The last, so that its key stays for what is measured next.
        ("ES384", Algorithm::ES384, &ES384, &ECDSA_P384_SHA384_FIXED),
    ] {
        setup.set_key(key);
        let libraries = setup.libraries(algorithm);
        repeated(report, name, setup, &libraries);
        first(report, name, setup, &libraries, verification);
    }
}

fn repeated(report: &mut Report, algorithm: &str, setup: &Setup, libraries: &Libraries) {
    let Libraries { ours, jwt_authorizer, axum_jwt_auth } = libraries;
    let token = setup.token();
    let mut candidates: [Candidate<'_>; 3] = [
        Box::new(|times| repeat(times, || at_once(ours.verify(&token)).unwrap())),
        Box::new(|times| repeat(times, || at_once(jwt_authorizer.check_auth(&token)).unwrap())),
        Box::new(|times| repeat(times, || at_once(axum_jwt_auth.decode(&token)).unwrap())),
    ];
    let (count, turn) = if is_bench() { (201, Duration::from_millis(2)) } else { (1, Duration::ZERO) };
    // Each as often as fills its turn: ours is too fast to be timed as often as the others.
    let times = candidates.each_mut().map(|candidate| calibrate(turn, slice::from_mut(candidate)));
    let timings = rounds(count, candidates.len(), |index| {
        let start = Instant::now();
        candidates[index](times[index]);
        per_run(start.elapsed(), times[index])
    });
    let title = format!("A repeated token, {algorithm}, {} bytes", token.len());
    table(report, &title, &[OURS, JWT_AUTHORIZER, AXUM_JWT_AUTH], &timings);
}

/// Tokens that no candidate has seen. All of them verify the same ones.
fn first(
    report: &mut Report,
    algorithm: &str,
    setup: &Setup,
    libraries: &Libraries,
    verification: &'static dyn VerificationAlgorithm,
) {
    let Libraries { ours, jwt_authorizer, axum_jwt_auth } = libraries;
    let key = setup.key();
    let key = UnparsedPublicKey::new(verification, key.public_bytes());
    let candidates = 4;
    let (mut turn, mut tokens) = (0, Vec::new());
    let timings = rounds(if is_bench() { 1001 } else { 1 }, candidates, |index| {
        if turn % candidates == 0 {
            tokens = (0..TOKENS).map(|_| setup.token()).collect();
        }
        turn += 1;
        let parts: Vec<_> = tokens.iter().map(|token| token.rsplit_once('.').unwrap()).collect();
        let parts: Vec<_> = parts.into_iter().map(|(message, signature)| (message, decoded(signature))).collect();
        let start = Instant::now();
        match index {
            0 => parts.iter().for_each(|(message, signature)| key.verify(message.as_bytes(), signature).unwrap()),
            1 => tokens.iter().for_each(|token| drop(black_box(at_once(ours.verify(token)).unwrap()))),
            2 => tokens.iter().for_each(|token| drop(black_box(at_once(jwt_authorizer.check_auth(token)).unwrap()))),
            _ => tokens.iter().for_each(|token| drop(black_box(at_once(axum_jwt_auth.decode(token)).unwrap()))),
        }
        per_run(start.elapsed(), TOKENS as u64)
    });
    let names = ["the signature by itself, with `aws-lc-rs`", OURS, JWT_AUTHORIZER, AXUM_JWT_AUTH];
    table(report, &format!("A first token, {algorithm}"), &names, &timings);
}

fn table(report: &mut Report, title: &str, names: &[&str], timings: &[Timing]) {
    let row =
        |(name, timing): (&&str, &Timing)| vec![(*name).to_owned(), time(timing.value.median), ratio(timing.ratio)];
    let rows: Vec<_> = names.iter().zip(timings).map(row).collect();
    report.table(title, &["", "time", "ratio"], &rows);
}

fn repeat<T>(times: u64, mut run: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(run());
    }
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}
