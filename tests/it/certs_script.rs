//! `certs-script/generate.sh`: the certificates it makes, rotation, and what it does to a cluster.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/certs-script/generate.sh");

/// Answers like a cluster that has the manifests, and logs each call and what `apply` reads.
const FAKE_KUBECTL: &str = r#"#!/bin/sh
here=${0%/*}
printf '%s\n' "$*" >>"$here/calls"
if [ "$1" = "$(cat "$here/fails" 2>/dev/null)" ]; then
  echo "context of the error" >&2
  echo "Error from server: no such luck" >&2
  exit 1
fi
case "$1 $2" in
  "get validatingwebhookconfiguration") cat "$here/webhooks" ;;
  "get namespace") echo namespace/undock ;;
  "get secret") cat "$here/secret-ca" ;;
  "create secret")
    for argument; do
      case $argument in --from-file=*) echo "file ${argument#*=}"; cat "${argument##*=}" ;; esac
    done ;;
  "apply --server-side") cat >"$here/applied" ;;
esac
"#;

/// A folder for one test: `out` takes the files, `bin` holds the fake kubectl.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// None where openssl is missing: then the test cannot say anything.
    fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            announce(
                "SKIPPED: a test of certs-script/generate.sh, because openssl is not installed",
            );
            return None;
        }
        let bench = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let bin = bench.path("bin");
        fs::create_dir(&bin).expect("bin");
        fs::write(bin.join("kubectl"), FAKE_KUBECTL).expect("the fake kubectl");
        fs::set_permissions(bin.join("kubectl"), fs::Permissions::from_mode(0o755))
            .expect("its mode");
        let webhooks = "pods.undock.dev undock/undock\nworkloads.undock.dev undock/undock\n\
                        namespaces.undock.dev undock/undock\n";
        bench.cluster("webhooks", webhooks);
        bench.cluster("secret-ca", "");
        Some(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn out(&self, name: &str) -> PathBuf {
        self.path("out").join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.out(name)).expect(name)
    }

    /// Sets what the fake kubectl answers.
    fn cluster(&self, name: &str, content: &str) {
        fs::write(self.path("bin").join(name), content).expect(name);
    }

    /// What the fake kubectl logged, oldest first.
    fn logged(&self, name: &str) -> String {
        fs::read_to_string(self.path("bin").join(name)).unwrap_or_default()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").expect("PATH")
        );
        self.run_with_path(&path, arguments)
    }

    fn run_with_path(&self, path: &str, arguments: &[&str]) -> Output {
        Command::new("/bin/sh")
            .args([SCRIPT, "--out"])
            .arg(self.path("out"))
            .args(arguments)
            .env("PATH", path)
            .current_dir(self.folder.path())
            .output()
            .expect("sh runs")
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        let files: Vec<_> = fs::read_dir(self.path("out")).expect("out").collect();
        assert_eq!(files.len(), 4, "nothing but the four files: {files:?}");
        text(&output.stdout)
    }

    /// Runs into a failure: one line on stderr that contains `cure`.
    fn fails(&self, arguments: &[&str], code: i32, cure: &str) {
        assert_failure(&self.run(arguments), code, cure);
    }

    /// Puts a CA with these years of validity where the script looks for one.
    fn place_ca(&self, name: &str, first_year: i32, last_year: i32) -> String {
        let (certificate, key) = make_ca(name, first_year, last_year);
        fs::create_dir_all(self.path("out")).expect("out");
        fs::write(self.out("ca.crt"), &certificate).expect("ca.crt");
        fs::write(self.out("ca.key"), key).expect("ca.key");
        certificate
    }

    /// Whether the API server, trusting `bundle`, would accept `string_field` for the Service.
    fn verifies(&self, bundle: &str, string_field: &str) -> bool {
        let (ca, certificate) = (self.path("verify-ca"), self.path("verify-leaf"));
        fs::write(&ca, bundle).expect("bundle");
        fs::write(&certificate, string_field).expect("leaf");
        Command::new("openssl")
            .args([
                "verify",
                "-purpose",
                "sslserver",
                "-verify_hostname",
                "undock.undock.svc",
                "-CAfile",
            ])
            .args([&ca, &certificate])
            .output()
            .expect("openssl runs")
            .status
            .success()
    }
}

fn announce(line: &str) {
    // Straight to stderr: the test harness hides what the print macros write.
    writeln!(std::io::stderr(), "{line}").expect("stderr");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn assert_failure(output: &Output, code: i32, cure: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one line: {stderr}");
    assert!(stderr.contains(cure), "{cure:?} is not in: {stderr}");
}

fn make_ca(name: &str, first_year: i32, last_year: i32) -> (String, String) {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.not_before = date_time_ymd(first_year, 1, 1);
    parameters.not_after = date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    (normal(&certificate.pem()), key.serialize_pem())
}

/// One certificate as openssl writes it, for comparing.
fn normal(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

/// The certificates of a bundle, one text each.
fn certificates(bundle: &str) -> Vec<String> {
    bundle
        .split_inclusive("-----END CERTIFICATE-----\n")
        .map(str::to_owned)
        .collect()
}

fn openssl(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .arg("-in")
        .arg(file)
        .output()
        .expect("openssl runs");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn makes_a_server_certificate_for_the_service() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&[]);

    let shown = openssl(&["x509", "-noout", "-text"], &bench.out("tls.crt"));
    let names = "DNS:undock, DNS:undock.undock, DNS:undock.undock.svc, DNS:undock.undock.svc.cluster.local\n";
    assert!(shown.contains(names), "{shown}");
    assert!(shown.contains("TLS Web Server Authentication\n"), "{shown}");
    assert!(shown.contains("CA:FALSE"), "{shown}");
    assert_eq!(
        certificates(&bench.read("tls.crt")).len(),
        1,
        "only the leaf"
    );
    assert_eq!(certificates(&bench.read("ca.crt")).len(), 1);
    assert!(bench.verifies(&bench.read("ca.crt"), &bench.read("tls.crt")));

    for (certificate, key) in [("ca.crt", "ca.key"), ("tls.crt", "tls.key")] {
        let public = openssl(&["x509", "-noout", "-pubkey"], &bench.out(certificate));
        assert_eq!(
            public,
            openssl(&["pkey", "-pubout"], &bench.out(key)),
            "{key} fits {certificate}"
        );
        let shown = openssl(&["x509", "-noout", "-text"], &bench.out(certificate));
        assert!(
            shown.contains("prime256v1"),
            "{certificate} is P-256: {shown}"
        );
    }
    for file in ["ca.crt", "ca.key", "tls.crt", "tls.key"] {
        let mode = fs::metadata(bench.out(file))
            .expect(file)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn names_and_days_come_from_the_flags() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&["--namespace=security", "--service", "hook", "--days", "30"]);

    let shown = openssl(&["x509", "-noout", "-text"], &bench.out("tls.crt"));
    let names =
        "DNS:hook, DNS:hook.security, DNS:hook.security.svc, DNS:hook.security.svc.cluster.local\n";
    assert!(shown.contains(names), "{shown}");
    for (days, ends) in [(29, false), (31, true)] {
        let seconds = (days * 86_400).to_string();
        let still_valid = Command::new("openssl")
            .args(["x509", "-noout", "-checkend", &seconds, "-in"])
            .arg(bench.out("tls.crt"))
            .output()
            .expect("openssl runs");
        assert_eq!(still_valid.status.success(), !ends, "after {days} days");
    }
}

#[test]
fn a_second_run_keeps_the_ca_and_renews_the_leaf() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&[]);
    let before = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(|file| bench.read(file));
    bench.succeeds(&[]);
    let after = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(|file| bench.read(file));

    assert_eq!(before[..2], after[..2], "the CA");
    assert_ne!(before[2], after[2], "the leaf");
    assert_ne!(before[3], after[3], "its key");
    assert!(bench.verifies(&before[0], &after[2]));
}

#[test]
fn rotation_trusts_the_old_ca_until_the_next_rotation() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&[]);
    let (first_bundle, first_leaf) = (bench.read("ca.crt"), bench.read("tls.crt"));

    bench.succeeds(&["--rotate"]);
    let (second_bundle, second_leaf) = (bench.read("ca.crt"), bench.read("tls.crt"));
    assert_eq!(certificates(&second_bundle).len(), 2);
    assert!(
        second_bundle.ends_with(&first_bundle),
        "the new CA first, then the old one"
    );
    assert!(
        bench.verifies(&second_bundle, &first_leaf),
        "Pods may still show the old certificate"
    );
    assert!(bench.verifies(&second_bundle, &second_leaf));
    assert!(
        !bench.verifies(&first_bundle, &second_leaf),
        "the new leaf is the new CA's"
    );

    bench.succeeds(&[]);
    assert_eq!(
        bench.read("ca.crt"),
        second_bundle,
        "an ordinary run keeps both"
    );

    bench.succeeds(&["--rotate"]);
    let third = certificates(&bench.read("ca.crt"));
    assert_eq!(third.len(), 2);
    assert_eq!(
        third[1],
        certificates(&second_bundle)[0],
        "the CA before it is kept, the one before that is not"
    );
}

#[test]
fn an_expired_ca_leaves_the_bundle() {
    let Some(bench) = Bench::new() else { return };
    let live = bench.place_ca("live", 2020, 2090);
    let (expired, _) = make_ca("expired", 2010, 2020);
    let bundle = format!("# written by hand\n{live}{expired}");
    fs::write(bench.out("ca.crt"), bundle).expect("ca.crt");
    bench.succeeds(&[]);
    assert_eq!(bench.read("ca.crt"), live);

    let expired = bench.place_ca("expired", 2010, 2020);
    let said = bench.succeeds(&[]);
    assert!(said.contains("making a new one"), "{said}");
    assert_eq!(certificates(&bench.read("ca.crt")).len(), 1);
    assert!(!bench.read("ca.crt").contains(&expired));
    assert!(bench.verifies(&bench.read("ca.crt"), &bench.read("tls.crt")));
}

#[test]
fn a_ca_that_would_end_before_the_leaf_is_replaced_and_kept() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&[]);
    let original = bench.read("ca.crt");
    // The longest leaf that is allowed still fits into a CA made today.
    let said = bench.succeeds(&["--days", "1825"]);
    assert!(!said.contains("making a new one"), "{said}");
    assert_eq!(bench.read("ca.crt"), original);

    let soon = Command::new("openssl")
        .args(["req", "-x509", "-new", "-key"])
        .arg(bench.out("ca.key"))
        .args(["-days", "100", "-subj", "/CN=soon"])
        .output()
        .expect("openssl runs");
    let soon = text(&soon.stdout);
    fs::write(bench.out("ca.crt"), &soon).expect("ca.crt");
    bench.succeeds(&["--days", "99"]);
    assert_eq!(bench.read("ca.crt"), soon);
    let said = bench.succeeds(&["--days", "101"]);
    assert!(said.contains("ends within 101 days"), "{said}");
    assert_eq!(certificates(&bench.read("ca.crt"))[1..], [soon]);
}

#[test]
fn wrong_usage_is_one_line_and_exit_2() {
    let Some(bench) = Bench::new() else { return };
    for (arguments, cure) in [
        (&["--force"][..], "unknown argument '--force'"),
        (&["extra"], "unknown argument 'extra'"),
        (&["--days"], "--days needs a value"),
        (&["--days", "0"], "from 1 to 1825"),
        (&["--days", "1826"], "from 1 to 1825"),
        (&["--days", "99999999999999999999"], "from 1 to 1825"),
        (&["--days=ten"], "from 1 to 1825"),
        (&["--days", "08"], "from 1 to 1825"),
        (&["--out", ""], "--out needs"),
        (&["--namespace", "Undock"], "--namespace takes"),
        (&["--namespace", "a\nb"], "--namespace takes"),
        (&["--service", "a,DNS:evil"], "--service takes"),
        (&["--service", ""], "--service takes"),
        (&["--apply=yes"], "unknown argument '--apply=yes'"),
    ] {
        bench.fails(arguments, 2, cure);
    }
    assert!(!bench.path("out").exists(), "nothing was written");
}

#[test]
fn help_names_every_flag() {
    let Some(bench) = Bench::new() else { return };
    let output = bench.run(&["--help"]);
    assert!(output.status.success());
    let help = text(&output.stdout);
    for flag in [
        "--namespace",
        "--service",
        "--days",
        "--out",
        "--apply",
        "--rotate",
        "--help",
    ] {
        assert!(help.contains(&format!("\n  {flag} ")), "{flag}: {help}");
    }
}

#[test]
fn what_cannot_be_done_is_one_line_and_exit_4() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.path("out"), "a file").expect("out");
    bench.fails(&[], 4, "choose another with --out");
    fs::remove_file(bench.path("out")).expect("out");
    assert_failure(&bench.run_with_path("/nonexistent", &[]), 4, "install it");

    bench.succeeds(&[]);
    let key = bench.read("ca.key");
    fs::write(bench.out("ca.key"), bench.read("tls.key")).expect("ca.key");
    bench.fails(&[], 4, "pass --rotate for a new CA");
    fs::remove_file(bench.out("ca.key")).expect("ca.key");
    bench.fails(&[], 4, "restore the other");
    fs::write(bench.out("ca.key"), key).expect("ca.key");
    let bundle = bench.read("ca.crt");
    fs::write(bench.out("ca.crt"), "not a certificate").expect("ca.crt");
    bench.fails(&["--rotate"], 4, "restore it, or move it away");

    fs::write(bench.out("ca.crt"), &bundle).expect("ca.crt");
    fs::remove_file(bench.out("ca.key")).expect("ca.key");
    bench.succeeds(&["--rotate"]);
    assert!(
        bench.read("ca.crt").ends_with(&bundle),
        "a lost key is cured, and what is in use stays trusted"
    );
}

#[test]
fn apply_writes_the_bundle_first_and_the_secret_second() {
    let Some(bench) = Bench::new() else { return };
    bench.succeeds(&[]);
    bench.succeeds(&["--apply", "--rotate"]);

    let calls = bench.logged("calls");
    let verbs: Vec<_> = calls
        .lines()
        .map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        verbs,
        [
            "get validatingwebhookconfiguration",
            "get namespace",
            "get secret",
            "patch validatingwebhookconfiguration",
            "create secret",
            "apply --server-side",
        ]
    );

    let patch = calls.lines().nth(3).expect("the patch");
    let (command, patch) = patch.split_once(" --patch ").expect("its content");
    assert_eq!(
        command,
        "patch validatingwebhookconfiguration undock --type=json"
    );
    let patch: Vec<serde_json::Value> = serde_json::from_str(patch).expect("JSON");
    assert_eq!(patch.len(), 6);
    let bundle = Command::new("openssl")
        .args(["base64", "-A", "-in"])
        .arg(bench.out("ca.crt"))
        .output();
    let bundle = text(&bundle.expect("openssl runs").stdout);
    for (index, name) in [
        "pods.undock.dev",
        "workloads.undock.dev",
        "namespaces.undock.dev",
    ]
    .iter()
    .enumerate()
    {
        let path = format!("/webhooks/{index}/name");
        assert_eq!(
            patch[2 * index],
            serde_json::json!({"op": "test", "path": path, "value": name})
        );
        let path = format!("/webhooks/{index}/clientConfig/caBundle");
        assert_eq!(
            patch[2 * index + 1],
            serde_json::json!({"op": "add", "path": path, "value": bundle})
        );
    }
    assert_eq!(
        certificates(&bench.read("ca.crt")).len(),
        2,
        "old and new CA"
    );

    let secret = calls.lines().nth(4).expect("the secret");
    assert!(secret.starts_with(
        "create secret generic undock-tls --namespace undock --type=kubernetes.io/tls "
    ));
    assert!(secret.ends_with(" --dry-run=client -o yaml"), "{secret}");
    let applied = bench.logged("applied");
    for file in ["tls.crt", "tls.key", "ca.crt"] {
        let entry = format!(
            "file {file}={}\n{}",
            bench.out(file).display(),
            bench.read(file)
        );
        assert!(applied.contains(&entry), "{file}: {applied}");
    }
    assert!(
        !applied.contains(&bench.read("ca.key")),
        "the CA's key stays out of the cluster"
    );
}

#[test]
fn apply_keeps_trusting_what_the_cluster_uses() {
    let Some(bench) = Bench::new() else { return };
    let (theirs, _) = make_ca("made on another machine", 2020, 2090);
    fs::write(bench.path("theirs"), &theirs).expect("theirs");
    let encoded = openssl(&["base64", "-A"], &bench.path("theirs"));
    bench.cluster("secret-ca", &encoded);
    bench.succeeds(&["--apply"]);
    assert_eq!(certificates(&bench.read("ca.crt"))[1..], [theirs]);

    // From now on the cluster has this folder's CA: nothing is listed twice.
    let bundle = bench.read("ca.crt");
    bench.cluster(
        "secret-ca",
        &openssl(&["base64", "-A"], &bench.out("ca.crt")),
    );
    bench.succeeds(&["--apply"]);
    assert_eq!(bench.read("ca.crt"), bundle);
}

#[test]
fn apply_needs_the_manifests_before_it_writes_anything() {
    let Some(bench) = Bench::new() else { return };
    bench.cluster("webhooks", "");
    bench.fails(&["--apply"], 4, "apply the manifests first");
    bench.cluster("webhooks", "pods.undock.dev security/undock\n");
    bench.fails(&["--apply"], 4, "pass --namespace and --service as there");
    bench.cluster("fails", "get");
    bench.fails(
        &["--apply"],
        4,
        "Error from server: no such luck; check the context",
    );

    assert_eq!(fs::read_dir(bench.path("out")).expect("out").count(), 0);
    assert!(
        bench
            .logged("calls")
            .lines()
            .all(|call| call.starts_with("get "))
    );
}

#[test]
fn apply_stops_when_the_bundle_cannot_be_written() {
    let Some(bench) = Bench::new() else { return };
    bench.cluster("fails", "patch");
    bench.fails(
        &["--apply"],
        4,
        "could not write the CA into ValidatingWebhookConfiguration undock",
    );
    assert_eq!(
        bench.logged("applied"),
        "",
        "no Secret whose CA is not trusted yet"
    );
}

#[test]
fn passes_shellcheck() {
    match Command::new("shellcheck").arg(SCRIPT).output() {
        Ok(output) => assert!(output.status.success(), "{}", text(&output.stdout)),
        Err(_) => {
            announce("SKIPPED: shellcheck of certs-script/generate.sh, because it is not installed")
        }
    }
}
