//! `undock report` over a generated audit log, next to `grep -c` and `jq` on the same file, in turns in the same run.
//!
//! `cargo bench --bench report -- 1024` makes the log of 1 GiB (the default is 50 MiB). Gates: at least 3 x jq, less than 100 MB,
//! and time that grows no faster than inputs of which everything is about one thing: one uid, one owner, one event, one
//! namespace's exemptions; of which nothing is, and of which an earlier report tells.
//! `--smoke` is one round over 8 MiB that fails without jq.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench that cannot go on has failed, and prints what it measured"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// Makes a log of so many events.
type LogOf = fn(u64) -> String;

fn main() {
    let is_smoke = std::env::args().any(|argument| argument == "--smoke");
    let asked = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let (megabytes, rounds) = if is_smoke {
        (8, 1)
    } else {
        (asked.unwrap_or(50), ROUNDS)
    };
    let file = std::env::temp_dir().join(format!("undock-bench-audit-{}.log", std::process::id()));
    let lines = generate(&file, megabytes << 20);
    let bytes = std::fs::metadata(&file).unwrap().len();
    println!(
        "{} MB, {lines} lines; each best of {rounds}, in turns",
        bytes / 1_000_000
    );
    let path = file.to_str().unwrap();
    let undock = env!("CARGO_BIN_EXE_undock");
    let filter = r#"select(.annotations // {} | keys | any(test("undock.dev/|^failed-open")))"#;
    let tools: [(&str, Vec<&str>); 4] = [
        (
            "undock report",
            vec![
                undock,
                "report",
                "--fail-on=none",
                "--as-of=2040-01-01",
                "-o",
                "json",
                path,
            ],
        ),
        (
            "undock report --replay",
            vec![
                undock,
                "report",
                "--fail-on=none",
                "--as-of=2040-01-01",
                "-o",
                "json",
                "--replay",
                path,
            ],
        ),
        ("grep -c", vec!["grep", "-c", "-F", "undock.dev/", path]),
        ("jq -c select", vec!["jq", "-c", filter, path]),
    ];
    let page = std::env::temp_dir().join(format!("undock-bench-{}.html", std::process::id()));
    let output = format!("html={}", page.display());
    let first_minute = run(&[
        undock,
        "report",
        "--fail-on=none",
        "examples",
        "-o",
        "table",
        "-o",
        &output,
    ])
    .unwrap()
    .wall;
    std::fs::remove_file(&page).unwrap();
    println!(
        "the example, table and page: {} ms",
        first_minute.as_millis()
    );
    assert!(
        first_minute < Duration::from_secs(1),
        "{first_minute:?} for the example"
    );
    let mut best = [None::<Cost>; 4];
    for _ in 0..rounds {
        for (at, (_, command)) in tools.iter().enumerate() {
            let Some(cost) = run(command) else { continue };
            best[at] = Some(best[at].map_or(cost, |known| known.best(cost)));
        }
    }
    std::fs::remove_file(&file).unwrap();
    for ((name, _), best) in tools.iter().zip(best) {
        match best {
            Some(Cost { wall, cpu, peak }) => {
                let rate = bytes as f64 / 1e6 / wall.as_secs_f64();
                println!(
                    "{name:<24} {rate:>6.0} MB/s {:>7.2} s {:>7.2} s CPU {peak:>7} kB peak",
                    wall.as_secs_f64(),
                    cpu.as_secs_f64()
                );
            }
            None => println!("{name:<24} is not installed"),
        }
    }
    assert_linear(undock);
    let own = best[0].unwrap();
    assert!(own.peak < 100_000, "peak memory {} kB", own.peak);
    assert!(best[3].is_some() || !is_smoke, "jq is not installed");
    if let Some(jq) = best[3] {
        let ratio = jq.cpu.as_secs_f64() / own.cpu.as_secs_f64();
        println!("{ratio:.1} x jq, by CPU time");
        assert!(ratio >= 3.0, "{ratio:.1} x jq");
    }
}

/// Time for 1, 4 and 16 times the input: never more than twice its share.
fn assert_linear(undock: &str) {
    let kinds: [(&str, LogOf); 5] = [
        ("reviews of one uid", |at| {
            flagged(at, "same", &format!("p{at}"))
        }),
        ("findings of one owner", |at| {
            flagged(at, &format!("u{at}"), "p")
        }),
        ("findings of one uid and owner", |at| {
            flagged(at, "same", "p")
        }),
        ("one event many times", |_| flagged(1, "u", "p")),
        ("namespaces", |at| {
            let own = flagged(at, &format!("u{at}"), "p");
            let own = own.replace("\"ci\"", &format!("\"ns-{at}\""));
            own.replace("/ci/", &format!("/ns-{at}/"))
        }),
    ];
    let file = std::env::temp_dir().join(format!("undock-bench-linear-{}.log", std::process::id()));
    let path = file.to_str().unwrap();
    let measure = |text: String| {
        std::fs::write(&file, text).unwrap();
        let command = [
            undock,
            "report",
            "--fail-on=none",
            "--as-of=2040-01-01",
            "-o=json",
            path,
        ];
        let runs = (0..2).map(|_| run(&command).unwrap().cpu);
        runs.min().unwrap()
    };
    let assert_share = |what: &str, times: [Duration; 3]| {
        println!("{what:<32} {times:?} for 1, 4 and 16 times the input");
        // What a run costs without an input is in all of them, and helps; a square would be 16 times.
        // The kernel counts CPU time in steps of up to 10 ms.
        let grain = Duration::from_millis(10);
        assert!(times[2] < (times[1] + grain) * 8, "{what}: {times:?}");
    };
    for (what, line) in kinds {
        let times = [2_000, 8_000, 32_000].map(|count| measure((0..count).map(line).collect()));
        assert_share(what, times);
    }
    assert_share(
        "exemptions of one namespace",
        [1_000, 4_000, 16_000].map(|count| measure(exempt(count))),
    );
    let earlier = file.with_extension("json");
    let history = format!("--history={}", earlier.display());
    let with_history = [2_000, 8_000, 32_000].map(|count| {
        let log: String = (0..count)
            .map(|at| flagged(at, &format!("u{at}"), &format!("p{at}")))
            .collect();
        std::fs::write(&file, log).unwrap();
        let flags = ["--fail-on=none", "--as-of=2040-01-01"];
        let output = format!("json={}", earlier.display());
        run(&[undock, "report", flags[0], flags[1], "-o", &output, path]).unwrap();
        std::fs::write(&file, flagged(0, "later", "q")).unwrap();
        run(&[
            undock, "report", flags[0], flags[1], "-o=json", &history, path,
        ])
        .unwrap()
        .cpu
    });
    assert_share("findings of an earlier report", with_history);
    std::fs::remove_file(&earlier).unwrap();
    std::fs::remove_file(&file).unwrap();
}

/// A review with a finding of its own.
fn flagged(at: u64, uid: &str, name: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a{at}","stage":"ResponseComplete","requestURI":"/x","verb":"create","user":{{"username":"u"}},"objectRef":{{"resource":"pods","namespace":"ci","name":"{name}"}},"responseStatus":{{"code":201}},"stageTimestamp":"2026-11-01T08:00:00.000000Z","annotations":{{"pods.undock.dev/decision":"warn","pods.undock.dev/mode":"warn","pods.undock.dev/review-uid":"{uid}","pods.undock.dev/owner":"core/Pod/ci/{name} self","pods.undock.dev/findings":"DKR101 {at:016x} spec.volumes[0]"}}}}"#
    ) + "\n"
}

/// A scan in which every owner is exempt by terms of its own.
fn exempt(count: u64) -> String {
    let each = |make: fn(u64) -> String| (0..count).map(make).collect::<Vec<_>>().join(",");
    let objects = each(|at| {
        format!(
            r#"{{"kind":"Deployment","namespace":"ci","name":"d{at}","findings":[{{"rule":"DKR101","fingerprint":"{at:016x}","impact":"breaks","certainty":"certain","denies":true,"exempt":{{"scope":"workload","until":"2027-01-01","ref":"T-{at}"}}}}]}}"#
        )
    });
    let exemptions = each(|at| {
        format!(
            r#"{{"scope":"workload","namespace":"ci","holder":"Deployment/d{at}","rules":"DKR101","status":"in-use","until":"2027-01-01","ref":"T-{at}"}}"#
        )
    });
    format!(
        r#"{{"schema":"undock.scan/v1","time":"2026-11-20T10:00:00Z","objects":[{objects}],"exemptions":[{exemptions}],"parts":[],"errors":[]}}"#
    )
}

/// What a run took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// In user and system mode; in steps of 10 ms, and never less than one.
    cpu: Duration,
    /// Resident memory in kB.
    peak: u64,
}

impl Cost {
    fn best(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
            peak: self.peak.max(other.peak),
        }
    }
}

/// Runs `command` to its end; `None` if there is no such program.
fn run(command: &[&str]) -> Option<Cost> {
    // Not /dev/null: grep stops at its first match there.
    let out = tempfile::tempfile().unwrap();
    let (started, before) = (Instant::now(), cpu_of_children());
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdout(out)
        .spawn()
        .ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let now = text.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse()
                .ok()
        });
        peak = peak.max(now.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?}: {status}");
            let cpu = (cpu_of_children() - before).max(Duration::from_millis(10));
            return Some(Cost {
                wall: started.elapsed(),
                cpu,
                peak,
            });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// CPU time of all children that have ended: fields 16 and 17 of `/proc/self/stat`, in the 100 ticks a second that Linux tells user space.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The second field is the name in parentheses and may hold anything; the third follows it.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Writes an audit log such as a busy cluster's: mostly reads and leases, one line in twelve a reviewed write with its object.
fn generate(file: &Path, size: u64) -> u64 {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file).unwrap());
    let (mut written, mut lines) = (0, 0_u64);
    // A fixed seed, so that every run reads the same bytes.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while written < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let line = line(lines, state);
        out.write_all(line.as_bytes()).unwrap();
        written += line.len() as u64;
        lines += 1;
    }
    out.flush().unwrap();
    lines
}

fn line(number: u64, random: u64) -> String {
    let id = format!(
        "{:08x}-{:04x}-4000-8000-{:012x}",
        number as u32,
        random as u16,
        random >> 16
    );
    let seconds = number / 20;
    let time = format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        1 + seconds / 86_400 % 28,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        number % 1_000_000
    );
    let (namespace, app) = (random % 40, random / 64 % 500);
    let head = |level: &str, verb: &str, uri: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"{level}","auditID":"{id}","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}","user":{{"username":"system:serviceaccount:kube-system:replicaset-controller","uid":"3d2ddf0e-5b5f-4a32-8a0f-4d3c0a7f2a11","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"]}},"sourceIPs":["10.0.12.{}"],"userAgent":"kube-controller-manager/v1.36.0 (linux/amd64) kubernetes/8f94681/system:serviceaccount:kube-system:replicaset-controller""#,
            random % 250
        )
    };
    let tail = |annotations: &str| {
        format!(
            r#","requestReceivedTimestamp":"{time}","stageTimestamp":"{time}","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding \"system:controller:replicaset-controller\" of ClusterRole \"system:controller:replicaset-controller\" to ServiceAccount \"replicaset-controller/kube-system\""{annotations}}}}}"#
        ) + "\n"
    };
    if !number.is_multiple_of(12) {
        let uri = format!(
            "/apis/coordination.k8s.io/v1/namespaces/ns-{namespace}/leases/app-{app}?timeout=10s"
        );
        let object = format!(
            r#","objectRef":{{"resource":"leases","namespace":"ns-{namespace}","name":"app-{app}","apiGroup":"coordination.k8s.io","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}}"#
        );
        return head("Metadata", "update", &uri) + &object + &tail("");
    }
    let is_flagged = random.is_multiple_of(7);
    let volume = if is_flagged {
        r#"{"name":"sock","hostPath":{"path":"/var/run/docker.sock"}}"#
    } else {
        r#"{"name":"tmp","emptyDir":{}}"#
    };
    let env: String = (0..30)
        .map(|at| {
            format!(
                r#"{{"name":"SETTING_{at}","value":"value-{}"}},"#,
                random >> (at % 40)
            )
        })
        .collect();
    let object = format!(
        r#","objectRef":{{"resource":"deployments","namespace":"ns-{namespace}","name":"app-{app}","apiGroup":"apps","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestObject":{{"kind":"Deployment","apiVersion":"apps/v1","metadata":{{"name":"app-{app}","namespace":"ns-{namespace}"}},"spec":{{"template":{{"spec":{{"containers":[{{"name":"app","image":"registry.example/app:{app}","env":[{env}{{"name":"LAST","value":"1"}}]}}],"volumes":[{volume}]}}}}}}}}"#
    );
    let annotations = if is_flagged {
        format!(
            r#","workloads.undock.dev/decision":"warn","workloads.undock.dev/mode":"warn","workloads.undock.dev/would-deny":"true","workloads.undock.dev/rules":"DKR101=1","workloads.undock.dev/findings":"DKR101 {:016x} spec.template.spec.volumes[0].hostPath.path","workloads.undock.dev/owner":"apps/Deployment/ns-{namespace}/app-{app} self","workloads.undock.dev/review-uid":"{id}""#,
            namespace * 1000 + app
        )
    } else {
        r#","workloads.undock.dev/decision":"clean","workloads.undock.dev/mode":"warn""#.to_owned()
    };
    head(
        "Request",
        "update",
        &format!("/apis/apps/v1/namespaces/ns-{namespace}/deployments/app-{app}"),
    ) + &object
        + &tail(&annotations)
}
