//! What is particular to Redis Cluster: slots that move, and nodes that fail.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use logto_storage_core::BoxFuture;
use logto_vault::store::{Id, Record, Swap, Swapped, Version};
use logto_vault::{RedisVault, VaultStore};
use redis_1::cluster::{ClusterClientBuilder, NodeAddress};
use redis_1::cmd;
use servers::{NetworkFault, Proxy, Redis, RedisCluster, Trials};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fixture::{
    LIMIT, LONG, assert_fields, block_on, chain, change, content, create, field, look, read, record, replace, swap,
};
use crate::redis::{raw, send};

/// Connects to a cluster that the tests of the contract share, which ends with the last of them.
pub(crate) fn open() -> BoxFuture<'static, (Arc<RedisCluster>, RedisVault)> {
    static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
    Box::pin(async {
        let cluster = {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let cluster = Arc::new(RedisCluster::start());
                *shared = Arc::downgrade(&cluster);
                cluster
            })
        };
        let store = connect(&cluster).await;
        (cluster, store)
    })
}

pub(crate) fn trials() -> Trials {
    servers::trials! {
        |test| block_on(test());
        Redis::available() => [
            no_increment_is_lost_while_the_slot_moves,
            records_are_created_replaced_and_ended_while_the_slot_moves,
            scripts_are_loaded_again_on_each_node,
            swap_whose_answer_is_lost_is_not_sent_again,
            call_fails_if_a_node_does_not_answer,
            store_works_again_after_a_node_was_killed,
            replica_takes_over_with_what_it_has,
            errors_and_debug_output_have_no_password,
        ];
    }
}

/// Prefixes that keep all records in one slot, which is on the first, second and third master.
const PREFIXES: [&str; 3] = ["{b}:", "{c}:", "{a}:"];

async fn connect(cluster: &RedisCluster) -> RedisVault {
    RedisVault::connect_cluster(cluster.urls()).await.unwrap()
}

/// A slot that is being moved from one master to another.
struct Move<'a> {
    cluster: &'a RedisCluster,
    slot: u16,
    from: usize,
    to: usize,
}

impl<'a> Move<'a> {
    /// Finds the slot of a prefix, and which master has it.
    async fn of(cluster: &'a RedisCluster, prefix: &str) -> Self {
        let slot: u16 = send(&cluster.nodes[0], &format!("CLUSTER KEYSLOT {prefix}")).await;
        let mut from = 0;
        while send::<u64>(&cluster.nodes[from], &format!("CLUSTER COUNTKEYSINSLOT {slot}")).await == 0 {
            from += 1;
        }
        Self { cluster, slot, from, to: (from + 1) % 3 }
    }

    async fn set_slot(&self, node: usize, state: &str, id: usize) {
        let command = format!("CLUSTER SETSLOT {} {state} {}", self.slot, self.cluster.id(id));
        let _: () = send(&self.cluster.nodes[node], &command).await;
    }

    /// From now on the new master serves what the old one does not have.
    async fn begin(&self) {
        self.set_slot(self.to, "IMPORTING", self.from).await;
        self.set_slot(self.from, "MIGRATING", self.to).await;
    }

    async fn move_records(&self) {
        let (from, to) = (&self.cluster.nodes[self.from], self.cluster.nodes[self.to].port());
        let keys: Vec<String> = send(from, &format!("CLUSTER GETKEYSINSLOT {} 1000", self.slot)).await;
        for key in keys {
            let mut migrate = cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(to).arg(key).arg(0).arg(5000);
            let _: String = migrate.query_async(&mut raw(from).await).await.unwrap();
        }
    }

    /// From now on the new master has the slot.
    async fn finish(self) -> Self {
        for node in [self.to, self.from, 3 - self.to - self.from] {
            self.set_slot(node, "NODE", self.to).await;
        }
        Self { from: self.to, to: (self.to + 1) % 3, ..self }
    }

    /// How often the masters have returned an error of that name.
    async fn count(&self, error: &str) -> u64 {
        let mut count = 0;
        for node in &self.cluster.nodes {
            let stats: String = send(node, "INFO errorstats").await;
            let stat = stats.lines().find_map(|line| line.strip_prefix(&format!("errorstat_{error}:count=")));
            count += stat.map_or(0, |count| count.parse::<u64>().unwrap());
        }
        count
    }
}

async fn no_increment_is_lost_while_the_slot_moves() {
    let cluster = RedisCluster::start();
    let store = connect(&cluster).await.with_prefix(PREFIXES[0]);
    let zero = field("0");
    let id = record(&store, &[("iYQ", &zero)]).await;
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for _ in 0..20 {
        let (store, stopped, mut seen) = (store.clone(), stopped.clone(), zero.clone());
        writers.spawn(async move {
            let mut done = 0_u32;
            while !*stopped.borrow() {
                let next = field((content_number(&seen) + 1).to_string());
                if let Swapped::Conflict(now) = swap(&store, &id, [change("iYQ", &seen, &next)]).await {
                    seen = now.into_iter().next().unwrap().unwrap();
                } else {
                    (seen, done) = (next, done + 1);
                }
            }
            done
        });
    }

    let mut moved = Move::of(&cluster, PREFIXES[0]).await;
    for _ in 0..6 {
        moved.begin().await;
        read(&store, &id).await;
        moved.move_records().await;
        read(&store, &id).await;
        moved = moved.finish().await;
        read(&store, &id).await;
    }
    stop.send(true).unwrap();
    let done: u32 = writers.join_all().await.into_iter().sum();

    assert_eq!(content_number(&read(&store, &id).await.fields["iYQ"]), done);
    let redirects = [moved.count("ASK").await, moved.count("MOVED").await];
    println!("{done} increments, redirects: {redirects:?}");
    assert!(redirects.iter().all(|count| *count > 0), "{redirects:?}");
}

fn content_number(field: &[u8]) -> u32 {
    String::from_utf8_lossy(content(field)).parse().unwrap()
}

async fn records_are_created_replaced_and_ended_while_the_slot_moves() {
    let cluster = RedisCluster::start();
    let store = connect(&cluster).await.with_prefix(PREFIXES[0]);
    let (k, a, new) = (field("k"), field("a"), field("new"));
    // Some that are there already, and some that are created on the new master.
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(record(&store, &[("k", &k), ("iYQ", &a)]).await);
    }
    let moved = Move::of(&cluster, PREFIXES[0]).await;
    moved.begin().await;
    for _ in 0..4 {
        ids.push(record(&store, &[("k", &k), ("iYQ", &a)]).await);
    }

    for ids in ids.chunks(4) {
        assert_eq!(replace(&store, &ids[0], [change("k", &k, &new), look("iYQ", &a)]).await, Swapped::Done);
        assert_eq!(replace(&store, &ids[1], [look("k", &k), look("iYQ", &a)]).await, Swapped::Done);
        assert_eq!(store.end(&ids[2], Version::of(&k), LONG).await.unwrap(), Swapped::Done);
        assert_eq!(store.end(&ids[3], None, Duration::ZERO).await.unwrap(), Swapped::Done);
    }
    moved.move_records().await;
    moved.finish().await;

    for ids in ids.chunks(4) {
        assert_fields(&read(&store, &ids[0]).await, &[("k", &new)]);
        let marker = read(&store, &ids[2]).await;
        assert!(marker.fields.keys().eq(["k"]) && marker.fields["k"].len() == 12, "{marker:?}");
        for id in [ids[1], ids[3]] {
            assert_eq!(read(&store, &id).await, Record::default());
        }
    }
}

async fn scripts_are_loaded_again_on_each_node() {
    let cluster = RedisCluster::start();
    let store = connect(&cluster).await;
    for _ in 0..2 {
        for prefix in PREFIXES {
            record(&store.clone().with_prefix(prefix), &[("k", &field("k"))]).await;
        }
        for node in &cluster.nodes {
            assert!(send::<u64>(node, "DBSIZE").await > 0, "the prefixes are on three nodes");
            let _: () = send(node, "SCRIPT FLUSH").await;
        }
    }
}

/// Connects through a proxy to each node.
async fn connect_through_proxies(cluster: &RedisCluster) -> (Vec<Proxy>, RedisVault) {
    let mut proxies = Vec::new();
    for node in &cluster.nodes {
        proxies.push(Proxy::start(node.port(), "EVALSHA").await);
    }
    let address = |port| NodeAddress::try_from(format!("127.0.0.1:{port}").as_str()).unwrap();
    let ports = cluster.nodes.iter().map(Redis::port).zip(proxies.iter().map(Proxy::port));
    let map = ports.map(|(node, proxy)| (address(node), address(proxy))).collect();
    let builder = ClusterClientBuilder::new(cluster.urls()).node_address_map(map);
    (proxies, RedisVault::connect_cluster_with(builder).await.unwrap())
}

async fn swap_whose_answer_is_lost_is_not_sent_again() {
    let cluster = RedisCluster::start();
    let (proxies, store) = connect_through_proxies(&cluster).await;
    let scripts = || proxies.iter().map(Proxy::count).sum::<usize>();
    let store = store.with_prefix(PREFIXES[0]);
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let owner = Move::of(&cluster, PREFIXES[0]).await.from;
    let sent = scripts();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);

    proxies[owner].fail(NetworkFault::CutResponse { after: 0 });
    let swapped = store.swap(&id, &swap).await;

    assert!(swapped.is_err(), "{swapped:?}");
    assert_eq!(scripts() - sent, 1);
    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it reconnects");
    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "the caller may send it again");
}

async fn call_fails_if_a_node_does_not_answer() {
    let cluster = RedisCluster::start();
    let store = connect(&cluster).await;
    let (hanging, other) = (store.clone().with_prefix(PREFIXES[0]), store.with_prefix(PREFIXES[1]));
    let (k, a) = (field("k"), field("a"));
    let ids = [record(&hanging, &[("k", &k)]).await, record(&other, &[("k", &k)]).await];
    let owner = Move::of(&cluster, PREFIXES[0]).await.from;

    cluster.nodes[owner].pause();
    let swap = Swap::new([create("iYQ", &a)], LONG);
    let calls = async {
        tokio::join!(hanging.read(&ids[0], None), hanging.swap(&ids[0], &swap), hanging.end(&ids[0], None, LONG))
    };
    let (read_it, swapped, ended) = timeout(LIMIT, calls).await.expect("they do not wait for an answer without end");
    assert!(read_it.is_err() && swapped.is_err() && ended.is_err());
    cluster.nodes[owner].resume();

    let works =
        async { while hanging.read(&ids[0], None).await.is_err() || other.read(&ids[1], None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it works again");
    let connecting = RedisVault::connect_cluster(["redis://127.0.0.1:1"]);
    assert!(timeout(LIMIT, connecting).await.expect("nor for a connection").is_err());
}

async fn store_works_again_after_a_node_was_killed() {
    let mut cluster = RedisCluster::start();
    let store = connect(&cluster).await.with_prefix(PREFIXES[0]);
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let owner = Move::of(&cluster, PREFIXES[0]).await.from;

    cluster.nodes[owner].kill();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    assert!(timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end").is_err());
    assert!(timeout(LIMIT, store.read(&id, None)).await.expect("nor does a read").is_err());
    cluster.nodes[owner].restart();

    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it reconnects");
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
}

async fn replica_takes_over_with_what_it_has() {
    let mut cluster = RedisCluster::start_with_replica();
    let store = connect(&cluster).await;
    let mut prefixes = PREFIXES.into_iter();
    let (store, id, k) = loop {
        let store = store.clone().with_prefix(prefixes.next().expect("one of them is on the first master"));
        let k = field("k");
        let id = record(&store, &[("k", &k)]).await;
        if send::<u64>(&cluster.nodes[0], "DBSIZE").await > 0 {
            break (store, id, k);
        }
    };
    // What is written before is replicated by then.
    let mut master = raw(&cluster.nodes[0]).await;
    let _: () = cmd("PUBLISH").arg("a").arg("b").query_async(&mut master).await.unwrap();
    let replicated: u64 = cmd("WAIT").arg(1).arg(0).query_async(&mut master).await.unwrap();
    assert_eq!(replicated, 1);

    cluster.nodes[0].kill();
    let create_it = Swap::new([create("iYQ", &field("a"))], LONG);
    let takes_over = async {
        loop {
            match timeout(LIMIT, store.swap(&id, &create_it)).await.expect("no call waits without end") {
                Ok(swapped) => return swapped,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };

    let swapped = timeout(LIMIT * 2, takes_over).await.expect("the replica takes over");
    assert_eq!(swapped, Swapped::Done);
    assert_eq!(read(&store, &id).await.fields["k"], k);
}

async fn errors_and_debug_output_have_no_password() {
    let urls = [
        &["redis://:hunter2@127.0.0.1:1"][..],
        &["redis://:hunter2@127.0.0.1:1", "redis://:hunter3@127.0.0.1:1"],
        &["redis://:hunter2@[::"],
        &["hunter2://127.0.0.1"],
        &[],
    ];
    for urls in urls {
        let error = RedisVault::connect_cluster(urls.iter().copied()).await.unwrap_err();
        assert!(!chain(&error).contains("hunter"), "{error:?}");
    }
    let cluster = RedisCluster::start();
    assert_eq!(format!("{:?}", connect(&cluster).await), r#"RedisVault { prefix: "logto:v:", .. }"#);
    let id = Id::from_bytes([0; 16]);
    assert!(connect(&cluster).await.read(&id, None).await.is_ok());
}
