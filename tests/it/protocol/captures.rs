//! Reviews that a real kube-apiserver sent, posted as they were.

use std::collections::BTreeMap;

use undock::decision::Mode;

use crate::support::answer::Answer;
use crate::support::reviews::captured;
use crate::support::server::Server;

const FLAGGED: [&str; 9] = [
    "003", "005", "010", "013", "014", "015", "016", "024", "026",
];
const CLEAN: [&str; 2] = ["004", "012"];

#[test]
fn captured_reviews_are_answered_and_judged() {
    let Some(folder) = captured() else {
        println!(
            "SKIPPED: no captured reviews beside the checkout; UNDOCK_TEST_SHARED names the folder that holds captures/"
        );
        return;
    };
    let mut decisions = BTreeMap::new();
    for mode in [Mode::Warn, Mode::Enforce] {
        let server = Server::start(mode);
        let mut client = server.connect();
        for entry in std::fs::read_dir(&folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            let body = std::fs::read(&path).expect("a capture");
            let sent: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
            let answer = Answer::of(&client.post(&body));
            assert_eq!(answer.uid, sent["request"]["uid"], "{}", path.display());
            assert_eq!(
                answer.raw["apiVersion"],
                sent["apiVersion"],
                "{}",
                path.display()
            );
            assert_ne!(
                answer.decision(),
                "error",
                "{}: {:?}",
                path.display(),
                answer.annotations
            );
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            decisions.insert(
                (mode.as_str(), name[..3].to_owned()),
                answer.decision().to_owned(),
            );
        }
    }
    assert!(
        decisions.len() >= 2 * (FLAGGED.len() + CLEAN.len()),
        "{decisions:?}"
    );
    for mode in ["warn", "enforce"] {
        for number in FLAGGED {
            assert_ne!(
                decisions[&(mode, number.to_owned())],
                "clean",
                "{mode} {number}"
            );
        }
        for number in CLEAN {
            assert_eq!(
                decisions[&(mode, number.to_owned())],
                "clean",
                "{mode} {number}"
            );
        }
    }
}
