//! Scratch projects, to measure builds.

#![allow(clippy::missing_panics_doc, reason = "a build that fails ends the bench")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use tempfile::TempDir;

/// A package in a temporary folder, with a target folder of its own.
pub struct Project {
    dir: TempDir,
    nightly: bool,
}

pub struct Build {
    pub seconds: f64,
    /// How many crates, without the project's own.
    pub compiled: usize,
}

impl Project {
    pub fn new(dependencies: &str, lib: &str) -> Self {
        Self::create(dependencies, lib, false)
    }

    /// One that the nightly toolchain builds.
    pub fn nightly(dependencies: &str, lib: &str) -> Self {
        Self::create(dependencies, lib, true)
    }

    fn create(dependencies: &str, lib: &str, nightly: bool) -> Self {
        let project = Self { dir: TempDir::new().expect("a folder"), nightly };
        fs::create_dir(project.path("src")).expect("a folder");
        project.write_manifest(dependencies);
        project.write_lib(lib);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write_manifest(&self, dependencies: &str) {
        let manifest = format!(
            "[package]\nname = 'scratch'\nversion = '0.1.0'\nedition = '2024'\n\n[workspace]\n\n[dependencies]\n{dependencies}\n"
        );
        fs::write(self.path("Cargo.toml"), manifest).expect("a file");
    }

    pub fn write_lib(&self, text: &str) {
        fs::write(self.path("src/lib.rs"), text).expect("a file");
    }

    /// Makes it a program.
    pub fn write_main(&self, dependencies: &str, text: &str) {
        let _ = fs::remove_file(self.path("src/lib.rs"));
        self.write_manifest(dependencies);
        fs::write(self.path("src/main.rs"), text).expect("a file");
    }

    pub fn clean(&self) {
        let _ = fs::remove_dir_all(self.path("target"));
    }

    /// A copy of what is built.
    pub fn saved_target(&self) -> TempDir {
        let saved = TempDir::new().expect("a folder");
        copy(&self.path("target"), &saved.path().join("target"));
        saved
    }

    pub fn restore_target(&self, saved: &TempDir) {
        self.clean();
        copy(&saved.path().join("target"), &self.path("target"));
    }

    pub fn build(&self, offline: bool) -> Build {
        timed(|| self.cargo(&["build"], offline))
    }

    /// The crates of which there is more than one version.
    pub fn duplicates(&self) -> Vec<String> {
        let output = self.cargo(&["tree", "--duplicates", "--depth", "0", "--prefix", "none"], true);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut all: Vec<_> =
            text.lines().filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
        all.sort();
        all.dedup();
        all
    }

    pub fn cargo(&self, arguments: &[&str], offline: bool) -> Output {
        let mut command = if self.nightly { Command::new("rustup") } else { Command::new("cargo") };
        if self.nightly {
            command.args(["run", "nightly", "cargo"]);
        }
        command.args(offline.then_some("--offline")).args(arguments).current_dir(self.dir.path());
        // What `cargo bench` itself was told is not meant for it.
        for variable in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(variable);
        }
        command.env("CARGO_TARGET_DIR", self.path("target")).env("CARGO_INCREMENTAL", "0");
        let output = command.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

/// Times a run of cargo, and counts what it compiled.
pub fn timed(cargo: impl FnOnce() -> Output) -> Build {
    let start = Instant::now();
    let output = cargo();
    let seconds = start.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let compiled = said.lines().filter(|line| line.trim_start().starts_with("Compiling")).count();
    Build { seconds, compiled: compiled.saturating_sub(1) }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(copied.success());
}

/// The path of one of this workspace's packages.
pub fn workspace(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(name).canonicalize().expect("a package of this workspace").display().to_string()
}
