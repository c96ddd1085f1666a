//! The shell reader against real shells: what `sh` and `bash` run is what the reader finds.
//!
//! Random scripts are built from constructs that always run, executed with a `docker` that only writes down its words,
//! and read by the reader. Both must name the same calls. A second set hides the word where no shell would run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use undock::workload::shell::read_script;

/// A small generator of its own, so that a failure names a seed that always gives the same script.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A call of docker with words of its own, spelled in some way.
fn call(random: &mut Random, number: &mut usize) -> String {
    *number += 1;
    let program = random.pick(&[
        "docker",
        "docker",
        "\"docker\"",
        "'docker'",
        "do\\cker",
        "doc'ker'",
        "command docker",
        "exec_docker",
        "env docker",
        "A=1 docker",
    ]);
    let program = if program == "exec_docker" {
        "docker".to_owned()
    } else {
        program.to_owned()
    };
    let rest = random.pick(&[
        "",
        " 'a b'",
        " \"x; y\"",
        " a\\ b",
        " # comment",
        " >/dev/null",
        " 2>&1",
        " -- x",
    ]);
    format!("{program} run n{number}{rest}")
}

/// A script whose every call runs.
fn script(random: &mut Random, number: &mut usize, depth: usize) -> String {
    let inner = |random: &mut Random, number: &mut usize| script(random, number, depth + 1);
    let kinds = if depth > 3 { 1 } else { 17 };
    match random.below(kinds) {
        0 => call(random, number),
        1 => format!("{}\n{}", inner(random, number), inner(random, number)),
        2 => format!("true && {}", inner(random, number)),
        3 => format!("false || {}", inner(random, number)),
        4 => format!("if true; then {}\nfi", inner(random, number)),
        5 => format!("if {}\nthen :; fi", inner(random, number)),
        6 => format!("for i in docker; do {}\ndone", inner(random, number)),
        7 => format!("( {}\n)", inner(random, number)),
        8 => format!("{{ {}\n}}", inner(random, number)),
        9 => format!("x=$( {}\n)", inner(random, number)),
        10 => format!("echo \"docker run no $( {}\n)\"", inner(random, number)),
        11 => format!(
            "case docker in no) docker_no;; docker) {}\n;; esac",
            inner(random, number)
        ),
        12 => format!("cat <<EOF\ndocker run no\nEOF\n{}", inner(random, number)),
        13 => format!(
            "cat <<'END' | cat\ndocker run no\nEND\n{}",
            inner(random, number)
        ),
        14 => {
            let script = inner(random, number).replace('\'', "'\\''");
            format!("sh -c '{script}'")
        }
        15 => format!(
            "echo docker run no; : docker # docker run no\n{}",
            inner(random, number)
        ),
        _ => format!("while {}\ndo break; done", inner(random, number)),
    }
}

/// The numbers of the calls that `shell` makes of `docker run nNUMBER`, sorted, each once.
fn run(shell: &str, script: &str, folder: &Path) -> Vec<usize> {
    let log = folder.join("log");
    let _ = fs::remove_file(&log);
    let status = Command::new(shell)
        .args(["-c", script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
        .env("LOG", &log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.code().is_some(), "{shell} was killed by {script}");
    numbers(fs::read_to_string(&log).unwrap_or_default().lines())
}

fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut found: Vec<usize> = words
        .filter_map(|word| word.strip_prefix('n')?.parse().ok())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn read(script: &str) -> Vec<usize> {
    let found = read_script(script);
    let calls = found.iter().filter(|call| {
        call.program() == "docker" && call.words.get(1).is_some_and(|verb| verb == "run")
    });
    numbers(calls.map(|call| call.words.get(2).map_or("", String::as_str)))
}

#[test]
fn the_reader_finds_what_shells_run() {
    let folder = tempfile::tempdir().unwrap();
    let docker = folder.path().join("docker");
    fs::write(&docker, "#!/bin/sh\nprintf '%s\\n' \"$2\" >> \"$LOG\"\n").unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    let shells: Vec<&str> = ["/bin/sh", "/bin/bash"]
        .into_iter()
        .filter(|shell| Path::new(shell).exists())
        .collect();
    assert!(!shells.is_empty(), "no shell to compare with");
    for seed in 0..150 {
        let (mut random, mut number) = (Random(seed), 0);
        let script = script(&mut random, &mut number, 0);
        let found = read(&script);
        assert_eq!(
            found,
            (1..=number).collect::<Vec<_>>(),
            "seed {seed}: the reader, on\n{script}"
        );
        for shell in &shells {
            assert_eq!(
                run(shell, &script, folder.path()),
                found,
                "seed {seed}: {shell}, on\n{script}"
            );
        }
    }
}

#[test]
fn a_cut_script_gives_the_calls_up_to_the_cut() {
    for seed in 0..60 {
        let (mut random, mut number) = (Random(seed), 0);
        let script = script(&mut random, &mut number, 0);
        let whole = read(&script);
        for end in (0..script.len()).filter(|end| script.is_char_boundary(*end)) {
            let found = read(&script[..end]);
            // A cut word can be another number's beginning (n1 of n12), never a call that is not there.
            assert!(
                found.iter().all(|n| whole
                    .iter()
                    .any(|m| m.to_string().starts_with(&n.to_string()))),
                "seed {seed}: {}",
                &script[..end]
            );
        }
    }
}
