//! Reports that are worth a look: an ordinary one, a hostile one, a large one, the shipped example, and one of a scan alone.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{
    Inputs, at, clean, event, every_day, flagged, record, scan, scanned_clean, scanned_flagged,
    text, undock,
};

/// A page and what must be seen on it.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) charts: u64,
    pub(crate) texts: Vec<String>,
    html: Vec<u8>,
}

impl Page {
    fn of(name: &'static str, inputs: &[&Path], charts: u64, texts: &[&str]) -> Self {
        let paths: Vec<&str> = inputs.iter().map(|path| path.to_str().unwrap()).collect();
        let output = undock(
            &[
                &["report", "-o", "html", "--deadline", "2027-01-31"],
                paths.as_slice(),
            ]
            .concat(),
        );
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 3)),
            "{output:?}"
        );
        Self {
            name,
            charts,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            html: output.stdout,
        }
    }

    /// The index of a folder of pages.
    fn index(name: &'static str, input: &Path, charts: u64, texts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = format!("html={}/", folder.path().display());
        let output = undock(&["report", "-o", &output, input.to_str().unwrap()]);
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 3)),
            "{output:?}"
        );
        Self {
            name,
            charts,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            html: std::fs::read(folder.path().join("index.html")).unwrap(),
        }
    }

    /// Writes the page into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}.html", self.name));
        std::fs::write(&path, &self.html).unwrap();
        path
    }
}

const HOSTILE: &str = "=cmd\"><script>alert(1)</script><img src=x onerror=alert(2)></td></table><style>*{display:none}</style>&lt;b&gt;' onclick='alert(3)";

pub(crate) fn all() -> Vec<Page> {
    let inputs = Inputs::new();
    let path = |name: &str, lines: &[Value]| inputs.write(name, &text(lines));
    let examples: Vec<PathBuf> = std::fs::read_dir("examples")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let examples: Vec<&Path> = examples.iter().map(PathBuf::as_path).collect();
    vec![
        Page::of(
            "ordinary",
            &[&path("ordinary.log", &ordinary())],
            5,
            &["READY", "BLOCKED", "deployment-7", "PLAT-412"],
        ),
        Page::of(
            "hostile",
            &[&path("hostile.log", &hostile())],
            5,
            &[HOSTILE, "\\u{1b}[31m"],
        ),
        Page::of(
            "large",
            &[&path("large.log", &large())],
            5,
            &["more are not shown here", "namespace-199"],
        ),
        Page::of(
            "scan",
            &[&path(
                "scan.json",
                &[scan(&at(3, "10:00"), &[scanned_flagged()])],
            )],
            3,
            &["no audit log among the inputs"],
        ),
        Page::of("example", &examples, 5, &["BLOCKED"]),
        Page::of(
            "eight-namespaces",
            &[&path("eight.log", &namespaces(8))],
            5,
            &[
                "kubectl label ns ns-001 undock.dev/mode=enforce",
                "of the system",
            ],
        ),
        Page::of(
            "many-namespaces",
            &[&path("many.log", &namespaces(500))],
            5,
            &[
                "400 namespaces in which nothing would be refused",
                "more commands",
                "75 more owners",
            ],
        ),
        Page::index("index", &path("index.log", &ordinary()), 5, &["Teams"]),
    ]
}

/// Three weeks of a cluster in which things get better.
fn ordinary() -> Vec<Value> {
    let mut lines = every_day(1, 21);
    let mut objects = vec![];
    for number in 0..12_u32 {
        let name = format!("deployment-{number}");
        let rename = |mut event: Value, more: u32| {
            event["objectRef"]["name"] = json!(name);
            event["objectRef"]["namespace"] = json!(format!("team-{}", number % 4));
            if event["annotations"]
                .get("workloads.undock.dev/owner")
                .is_some()
            {
                event["annotations"]["workloads.undock.dev/owner"] =
                    json!(format!("apps/Deployment/team-{}/{name} self", number % 4));
                event["annotations"]["workloads.undock.dev/review-uid"] =
                    json!(crate::support::uid(5000 + more + number));
            }
            event
        };
        lines.push(rename(flagged(number, &at(1 + number % 5, "10:00")), 0));
        if number % 4 == 0 || number > 7 {
            lines.push(rename(clean(100 + number, &at(6 + number, "10:00")), 100));
        }
        let mut object = if number % 4 == 0 || number > 7 {
            scanned_clean()
        } else {
            scanned_flagged()
        };
        (object["name"], object["namespace"]) =
            (json!(name), json!(format!("team-{}", number % 4)));
        objects.push(object);
    }
    lines.extend([
        record(90, &at(19, "10:00")),
        event(91, &at(19, "11:00"), "delete"),
    ]);
    let mut last = scan(&at(21, "09:00"), &objects);
    last["namespaces"] = json!(
        ["ci", "team-0", "team-1", "team-2", "team-3", "web"]
            .map(|name| json!({"name": name, "mode": null}))
    );
    let exemption = |rules: &str, until: &str| {
        json!({"scope": "namespace", "namespace": "team-1", "holder": "", "rules": rules, "status": "unused", "uses": 0, "until": until,
            "reason": "builders move to BuildKit in December", "ref": "PLAT-412"})
    };
    last["exemptions"] = json!([
        exemption("DKR201", "2026-11-02"),
        exemption("all", "2027-03-01")
    ]);
    lines.push(last);
    lines
}

/// A cluster of so many namespaces, every fifth of which has something to fix.
fn namespaces(count: u32) -> Vec<Value> {
    let mut lines = every_day(1, 20);
    let mut objects = vec![];
    let mut names = vec![json!({"name": "kube-system", "mode": null})];
    for number in 0..count {
        let namespace = format!("ns-{number:03}");
        for day in (1..=20).step_by(6) {
            let mut own = clean(count * day + number, &at(day, "10:00"));
            own["objectRef"]["namespace"] = json!(namespace);
            lines.push(own);
        }
        let is_open = number.is_multiple_of(5);
        let mut object = if is_open {
            scanned_flagged()
        } else {
            scanned_clean()
        };
        object["namespace"] = json!(namespace);
        object["team"] = json!(format!("team-{}", number % 7));
        if is_open {
            let fingerprint = format!("{number:016x}");
            object["findings"][0]["fingerprint"] = json!(fingerprint);
            // Something that enforce would have refused.
            let mut refused = flagged(count * 30 + number, &at(12, "11:00"));
            refused["objectRef"]["namespace"] = json!(namespace);
            let annotations = &mut refused["annotations"];
            annotations["workloads.undock.dev/owner"] =
                json!(format!("apps/Deployment/{namespace}/runner self"));
            annotations["workloads.undock.dev/findings"] = json!(format!(
                "DKR101 {fingerprint} spec.template.spec.volumes[0]"
            ));
            lines.push(refused);
        }
        objects.push(object);
        names.push(json!({"name": namespace, "mode": null}));
    }
    let mut last = scan(&at(20, "12:00"), &objects);
    last["namespaces"] = json!(names);
    lines.push(last);
    lines
}

fn hostile() -> Vec<Value> {
    let mut lines = every_day(1, 3);
    let mut record = record(1, &at(1, "10:00"));
    for key in [
        "owner.name",
        "owner.team",
        "owner.release",
        "owner.kind",
        "user.name",
        "k8s.namespace.name",
        "k8s.cluster.name",
        "mode",
    ] {
        record[key] = json!(HOSTILE);
    }
    for key in ["rule.id", "evidence", "container.name", "field", "severity"] {
        record["findings"][0][key] = json!(HOSTILE);
    }
    record["findings"][0]["evidence"] = json!("\u{1b}[31m\u{202e}</script>");
    // A scan that read no Pods: it lists exemptions, and ends nothing.
    let mut scan = scan(&at(2, "10:00"), &[]);
    scan["namespaces"] = json!([{"name": HOSTILE, "mode": null}]);
    scan["errors"] =
        json!([{"part": "pods", "namespace": "", "reason": "forbidden", "message": HOSTILE}]);
    scan["exemptions"] = json!([{"scope": "namespace", "namespace": HOSTILE, "holder": HOSTILE, "rules": HOSTILE, "until": HOSTILE,
        "reason": HOSTILE, "ref": HOSTILE, "error": HOSTILE, "status": HOSTILE}]);
    let mut missed = event(2, &at(1, "10:00"), "create");
    missed["objectRef"] = json!({"resource": "pods", "namespace": HOSTILE, "name": HOSTILE});
    missed["user"]["username"] = json!(HOSTILE);
    missed["annotations"]["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"] =
        json!("pods.undock.dev");
    lines.extend([record, scan, missed]);
    lines
}

fn large() -> Vec<Value> {
    let number = |number: u32| {
        let mut record = record(number, &at(1 + number % 20, "10:00"));
        record["owner.name"] = json!(format!("deployment-with-a-rather-long-name-{number:05}"));
        record["k8s.namespace.name"] = json!(format!("namespace-{:03}", number % 200));
        record["user.name"] = json!("system:serviceaccount:argocd:argocd-application-controller");
        record["findings"][0]["fingerprint"] = json!(format!("{number:016x}"));
        record
    };
    (0..5_000).map(number).collect()
}
