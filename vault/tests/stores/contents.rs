use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use logto_vault::VaultStore;
use logto_vault::store::{Id, Step, Swapped, Version};

use crate::fixture::{assert_fields, change, conflict, create, field, read, record, swap};

/// The name of the field that a vault keeps an item in.
fn name(item_key: &str) -> String {
    format!("i{}", URL_SAFE_NO_PAD.encode(item_key))
}

pub(crate) async fn every_item_key_has_a_field_of_its_own<S: VaultStore>(store: S) {
    let long = "x".repeat(1024);
    let longer = format!("{long}x");
    let keys = [
        "",
        "k",
        "i",
        "a.b",
        "a",
        "$x",
        "https://api.example.com/v1?a=b#c",
        "é",
        "日本",
        "\0",
        "\0\0",
        "a\0b",
        "'; --",
    ];
    let mut names: Vec<_> = keys.into_iter().chain([&*long, &*longer]).map(name).collect();
    // The guard, and the name of the key `a` in another case.
    names.extend(["k", "iyq"].map(str::to_owned));
    let fields: Vec<_> = names.iter().map(field).collect();
    let all: Vec<_> = names.iter().zip(&fields).map(|(name, field)| (&**name, &**field)).collect();

    let id = record(&store, &all).await;

    assert_fields(&read(&store, &id).await, &all);
    for one in &all {
        let record = store.read(&id, Some(&[one.0])).await.unwrap();
        assert_fields(&record, &[*one]);
        assert_eq!(swap(&store, &id, [create(one.0, &field("b"))]).await, conflict(&[Some(one.1)]), "{}", one.0);
        assert_eq!(swap(&store, &id, [change(one.0, one.1, &field("b"))]).await, Swapped::Done, "{}", one.0);
    }
}

pub(crate) async fn fields_hold_any_bytes_from_none_to_a_mebibyte<S: VaultStore>(store: S) {
    let every_byte: Vec<u8> = (0..=u8::MAX).rev().cycle().take(1 << 20).collect();
    let contents = [&b""[..], b"\0", b"\r\n", b" ", b"\xFF\xFE", b"0", b"false", &every_byte];
    let names: Vec<_> = contents.iter().enumerate().map(|(index, _)| name(&index.to_string())).collect();
    let fields = contents.map(field);
    let all: Vec<_> = names.iter().zip(&fields).map(|(name, field)| (&**name, &**field)).collect();

    let id = record(&store, &all).await;

    assert_fields(&read(&store, &id).await, &all);
    for (name, held) in all {
        assert_eq!(swap(&store, &id, [create(name, &field(""))]).await, conflict(&[Some(held)]));
    }
}

pub(crate) async fn versions_are_compared_byte_by_byte<S: VaultStore>(store: S) {
    let versions: [&[u8; 12]; 8] = [
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\0\0\0\0\0\0\0\0\0\0\x01",
        b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        b"000000000001",
        b"0000000001.0",
        b"abcdefghijkl",
        b"ABCDEFGHIJKL",
        b"           \n",
    ];
    for held in versions {
        let id = record(&store, &[("iYQ", held)]).await;
        for other in versions.into_iter().filter(|other| *other != held) {
            let step = Step::look("iYQ", Version::of(other));
            assert_eq!(swap(&store, &id, [step]).await, conflict(&[Some(held)]), "{other:?}");
            // Nor is it taken for a swap that was sent before.
            assert_eq!(swap(&store, &id, [create("iYQ", other)]).await, conflict(&[Some(held)]), "{other:?}");
        }
        assert_eq!(swap(&store, &id, [change("iYQ", held, &field(""))]).await, Swapped::Done);
    }
}

pub(crate) async fn record_holds_thousands_of_fields<S: VaultStore>(store: S) {
    // More than what Lua's stack holds.
    let names: Vec<_> = (0..9000).map(|index| name(&index.to_string())).collect();
    let fields: Vec<_> = names.iter().map(field).collect();
    let (id, new) = (Id::random(), field("new"));
    let create: Vec<_> = names.iter().zip(&fields).map(|(name, field)| create(name, field)).collect();
    let mut change_it: Vec<_> = names.iter().zip(&fields).map(|(name, field)| change(name, field, &new)).collect();

    assert_eq!(swap(&store, &id, create.clone()).await, Swapped::Done);
    assert_eq!(read(&store, &id).await.fields.len(), names.len());
    let some: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(store.read(&id, Some(&some)).await.unwrap().fields.len(), names.len());

    // The last one is another one, and nothing is changed.
    change_it.last_mut().unwrap().expected = Version::of(&new);
    let now: Vec<_> = fields.iter().map(|field| Some(&**field)).collect();
    assert!(swap(&store, &id, change_it.clone()).await == conflict(&now));
    change_it.last_mut().unwrap().expected = Version::of(fields.last().unwrap());
    assert_eq!(swap(&store, &id, change_it).await, Swapped::Done);
    let all: Vec<_> = names.iter().map(|name| (&**name, &*new)).collect();
    assert_fields(&read(&store, &id).await, &all);
}
