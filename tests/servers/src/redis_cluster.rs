//! Several redis-servers that are one cluster.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::Redis;
use crate::process::{address, free_port};

/// How long the nodes may take to know each other.
const LIMIT: Duration = Duration::from_mins(1);

const SLOTS: usize = 16_384;
const MASTERS: usize = 3;

/// Long enough for a busy machine, and less than the 15 seconds after which a master counts as failed by default. The replica
/// gets its copy at once.
const REPLICATED: [&str; 4] = ["--cluster-node-timeout", "5000", "--repl-diskless-sync-delay", "0"];

/// A Redis Cluster of three masters. What a node has acknowledged outlives its `kill -9`.
pub struct RedisCluster {
    /// The masters, which own a third of the slots each, and the replica, if there is one.
    pub nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start() -> Self {
        let nodes = (0..MASTERS).map(|_| start_node(&[])).collect();
        let cluster = Self { nodes };
        cluster.join();
        cluster
    }

    /// Starts one whose first master has a replica, which takes over within seconds.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_with_replica() -> Self {
        let nodes = (0..=MASTERS).map(|_| start_node(&REPLICATED)).collect();
        let cluster = Self { nodes };
        cluster.join();
        let (master, replica) = (cluster.id(0), &cluster.nodes[MASTERS]);
        wait(|| {
            command(replica, &format!("CLUSTER REPLICATE {master}")).is_ok_and(|response| response.starts_with('+'))
        });
        wait(|| command(replica, "INFO replication").is_ok_and(|info| info.contains("master_link_status:up")));
        cluster.wait_until_all_know("slave");
        cluster
    }

    /// The URLs of all nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// The name that a node has in the cluster.
    ///
    /// # Panics
    ///
    /// If the node is not running.
    pub fn id(&self, node: usize) -> String {
        let response = command(&self.nodes[node], "CLUSTER MYID").expect("an id");
        response.lines().nth(1).expect("an id").to_owned()
    }

    fn join(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // Else nodes of the same epoch have yet to agree on who is first.
            expect_ok(node, &format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            if index < MASTERS {
                let (first, next) = (SLOTS * index / MASTERS, SLOTS * (index + 1) / MASTERS);
                expect_ok(node, &format!("CLUSTER ADDSLOTSRANGE {first} {}", next - 1));
            }
        }
        let first = &self.nodes[0];
        for node in &self.nodes[1..] {
            expect_ok(node, &format!("CLUSTER MEET 127.0.0.1 {} {}", first.port(), bus_port(first)));
        }
        let count = format!("cluster_known_nodes:{}\r", self.nodes.len());
        for node in &self.nodes {
            wait(|| {
                let info = command(node, "CLUSTER INFO").unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384") && info.contains(&count)
            });
        }
    }

    /// Waits until every node has seen a node of that kind.
    fn wait_until_all_know(&self, kind: &str) {
        for node in &self.nodes {
            wait(|| command(node, "CLUSTER NODES").is_ok_and(|nodes| nodes.contains(kind)));
        }
    }
}

fn start_node(options: &[&str]) -> Redis {
    let bus = free_port().expect("a free port").to_string();
    Redis::start(&[&["--cluster-enabled", "yes", "--cluster-port", &bus], options].concat())
}

fn bus_port(node: &Redis) -> String {
    let response = command(node, "CONFIG GET cluster-port").expect("the port");
    response.lines().nth(4).expect("the port").to_owned()
}

/// Sends a command, and returns all that the node says until the connection ends.
fn command(node: &Redis, command: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(address(node.port()))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(connection, "{command}\r\nQUIT\r\n")?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    Ok(response)
}

fn expect_ok(node: &Redis, line: &str) {
    let response = command(node, line).expect("a response");
    assert!(response.starts_with("+OK"), "{line}: {response}");
}

fn wait(ready: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !ready() {
        assert!(Instant::now() < deadline, "the cluster does not start");
        thread::sleep(Duration::from_millis(20));
    }
}
