//! Requests that arrive late: they have failed, and another request was acknowledged before they arrive.

use logto_storage_core::{ErrorKind, MemorySession};
use logto_vault::{BoxVault, Vault};
use servers::{NetworkFault, Proxy};

use crate::fixture::{Action, Items, Values, heal, items, items_of, page, session_with, sign_in, ticket};
use crate::server::{On, Server};

/// What fails and arrives late, what is acknowledged before that, and what must be there in the end.
struct Case {
    late: Action,
    acknowledged: Action,
    after: Values,
}

const BEFORE: Values = &[("a", Some("0")), ("b", Some("0"))];

const WRITE_A: Action = Action::Write(&[("a", Some("late"))]);
const REMOVE_A: Action = Action::Write(&[("a", None)]);
const WRITE_C: Action = Action::Write(&[("c", Some("late"))]);
const WRITE_THREE: Action = Action::Write(&[("a", Some("late")), ("b", None), ("c", Some("late"))]);
const WRITE_IF: Action = Action::WriteIf(&[("b", Some("0"))], &[("a", Some("late"))]);
const RENEWAL: Action = Action::Renew(&[("a", Some("late")), ("b", None), ("d", Some("late"))]);
const PARTIAL_SIGN_OUT: Action = Action::Renew(&[("a", None)]);
const SIGN_OUT: Action = Action::Renew(&[("a", None), ("b", None)]);

const NOW_A: Action = Action::Write(&[("a", Some("now"))]);
const NOW_B: Action = Action::Write(&[("b", Some("now"))]);
const NOW_C: Action = Action::Write(&[("c", Some("now"))]);
const NO_C: Action = Action::Write(&[("c", None)]);
const RENEWED: Action = Action::Renew(&[("a", Some("now"))]);

const fn case(late: Action, acknowledged: Action, after: Values) -> Case {
    Case { late, acknowledged, after }
}

const CASES: &[Case] = &[
    // A later write of the same item stays.
    case(WRITE_A, NOW_A, &[("a", Some("now")), ("b", Some("0"))]),
    case(WRITE_A, REMOVE_A, &[("b", Some("0"))]),
    case(REMOVE_A, NOW_A, &[("a", Some("now")), ("b", Some("0"))]),
    case(WRITE_C, NOW_C, &[("a", Some("0")), ("b", Some("0")), ("c", Some("now"))]),
    case(WRITE_C, NO_C, &[("a", Some("0")), ("b", Some("0"))]),
    case(WRITE_THREE, NOW_A, &[("a", Some("now")), ("b", Some("0"))]),
    case(WRITE_THREE, NOW_B, &[("a", Some("0")), ("b", Some("now"))]),
    case(WRITE_THREE, NO_C, &[("a", Some("0")), ("b", Some("0"))]),
    case(WRITE_IF, NOW_A, &[("a", Some("now")), ("b", Some("0"))]),
    // What it depends on has changed.
    case(WRITE_IF, NOW_B, &[("a", Some("0")), ("b", Some("now"))]),
    // A later write of another item stays, too.
    case(WRITE_A, NOW_B, &[("a", Some("late")), ("b", Some("now"))]),
    // Nothing gets past a renewal.
    case(WRITE_A, RENEWED, &[("a", Some("now")), ("b", Some("0"))]),
    case(WRITE_C, RENEWED, &[("a", Some("now")), ("b", Some("0"))]),
    case(WRITE_IF, PARTIAL_SIGN_OUT, &[("b", Some("0"))]),
    case(RENEWAL, RENEWED, &[("a", Some("now")), ("b", Some("0"))]),
    case(RENEWAL, PARTIAL_SIGN_OUT, &[("b", Some("0"))]),
    case(PARTIAL_SIGN_OUT, RENEWED, &[("a", Some("now")), ("b", Some("0"))]),
    case(SIGN_OUT, RENEWED, &[("a", Some("now")), ("b", Some("0"))]),
    // Nor past the end.
    case(WRITE_A, SIGN_OUT, &[]),
    case(WRITE_C, SIGN_OUT, &[]),
    case(RENEWAL, SIGN_OUT, &[]),
    case(PARTIAL_SIGN_OUT, SIGN_OUT, &[]),
    case(SIGN_OUT, SIGN_OUT, &[]),
    // A renewal does not drop what it has not seen.
    case(RENEWAL, NOW_A, &[("a", Some("now")), ("b", Some("0"))]),
    case(RENEWAL, NOW_B, &[("a", Some("0")), ("b", Some("now"))]),
    case(RENEWAL, NOW_C, &[("a", Some("0")), ("b", Some("0")), ("c", Some("now"))]),
    case(PARTIAL_SIGN_OUT, NOW_B, &[("a", Some("0")), ("b", Some("now"))]),
    // A sign-out ends the record, unless that was renewed.
    case(SIGN_OUT, NOW_A, &[]),
    case(SIGN_OUT, NOW_C, &[]),
];

pub(crate) async fn late_request_changes_nothing_after_what_was_acknowledged(on: On) {
    let (server, direct) = Server::start(on).await;
    let proxy = server.proxy().await;
    let vault = on.connect(proxy.port()).await;
    for case in CASES {
        for is_old_copy in [false, true] {
            assert_acknowledged_stays(on, case, is_old_copy, &proxy, &vault, &direct).await;
        }
    }
    server.assert_every_record_expires().await;
}

/// `is_old_copy`: the other request has the session as it was before the late one.
async fn assert_acknowledged_stays(
    on: On,
    case: &Case,
    is_old_copy: bool,
    proxy: &Proxy,
    vault: &Vault<BoxVault>,
    direct: &Vault<BoxVault>,
) {
    let what = format!("{:?}, then {:?}, {is_old_copy}", case.late, case.acknowledged);
    let session = sign_in(direct, BEFORE).await;
    let old_ticket = ticket(&session).await;

    proxy.fail(NetworkFault::HoldCounted);
    assert_eq!(case.late.run(&page(&session, vault)).await, Err(ErrorKind::Session), "{what}");
    let late_ticket = ticket(&session).await;
    let other: MemorySession = if is_old_copy { session_with(old_ticket.as_deref()).await } else { session };
    assert_eq!(case.acknowledged.run(&page(&other, direct)).await, Ok(None), "{what}");
    let responses = proxy.deliver_held().await.unwrap();

    assert!(matches!(&*responses, [response] if on.is_done(response)), "{what}: {responses:?}");
    let ticket = ticket(&other).await;
    assert_eq!(items_of(ticket.as_deref(), direct).await, items(case.after), "{what}");
    let earlier = if case.acknowledged.renews() { Items::new() } else { items(case.after) };
    for ticket in [old_ticket, late_ticket] {
        assert_eq!(items_of(ticket.as_deref(), direct).await, earlier, "{what}, an earlier ticket");
    }
    heal(vault).await;
}
