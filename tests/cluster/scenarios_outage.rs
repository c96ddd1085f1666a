//! The API server goes away and comes back: what was known stays in force, and nobody waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::objects::pod_on_docker_socket;
use crate::process::{eventually, say};
use crate::scenarios_availability::Stop;
use crate::world::World;

/// A review as the API server would send it, so that undock can be asked while there is none.
pub(crate) fn review(namespace: &str, uid: &str) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": uid, "operation": "CREATE", "namespace": namespace, "name": "probe", "userInfo": {"username": "admin"}, "dryRun": true,
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "object": pod_on_docker_socket("probe")}})
}

/// The decision in an answer that is for this review.
pub(crate) fn decision(answer: &Result<Value, String>, uid: &str) -> String {
    match answer {
        Ok(answer) if answer["response"]["uid"] == uid => {
            let allowed = answer["response"]["allowed"] == true;
            let decision = answer["response"]["auditAnnotations"]["decision"]
                .as_str()
                .unwrap_or_default();
            format!(
                "{decision}{}",
                if allowed == (decision != "deny") {
                    ""
                } else {
                    ", and the answer says otherwise"
                }
            )
        }
        Ok(answer) => format!("another answer: {answer}"),
        Err(error) => format!("no answer: {error}"),
    }
}

pub(crate) fn no_answer_is_wrong_or_lost_while_the_api_server_is_away(world: &World) {
    let expected = [
        ("outage-refuses", "enforce", "deny"),
        ("outage-warns", "warn", "warn"),
        ("outage-rests", "off", "skipped"),
    ];
    for (namespace, mode, _) in expected {
        world.kubectl.create_namespace(namespace);
        world
            .kubectl
            .run(&format!(
                "label namespace {namespace} undock.dev/mode={mode}"
            ))
            .assert_accepted();
    }
    let ask = |round: usize| -> Vec<String> {
        let mut wrong = Vec::new();
        for (namespace, _, decided) in expected {
            let uid = format!("{namespace}-{round}");
            let answers = world.kubelet.review(&review(namespace, &uid));
            let answers = answers.iter().map(|answer| decision(answer, &uid));
            wrong.extend(
                answers
                    .filter(|answer| answer != decided)
                    .map(|answer| format!("{namespace}: {answer}")),
            );
        }
        wrong
    };
    eventually("both Pods know the modes", Duration::from_secs(5), || {
        let wrong = ask(0);
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    });

    let done = AtomicBool::new(false);
    let (rounds, wrong) = thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let (mut rounds, mut wrong) = (0, Vec::new());
            while !done.load(Ordering::Relaxed) {
                rounds += 1;
                wrong.extend(ask(rounds));
            }
            (rounds, wrong)
        });
        let stop = Stop(&done);
        world.without_api_server(|| thread::sleep(Duration::from_secs(6)));
        thread::sleep(Duration::from_secs(3));
        drop(stop);
        asker.join().expect("the asker does not panic")
    });
    say(&format!(
        "{} answers while the API server was stopped and started",
        rounds * expected.len() * 2
    ));
    assert!(rounds > 10, "{rounds} rounds are no test");
    assert!(wrong.is_empty(), "{wrong:?}");

    let refused = |namespace: &str| {
        let answer = world.kubectl.run_with(
            &format!("create -n {namespace} --dry-run=server -f -"),
            &pod_on_docker_socket("probe"),
        );
        answer.err.contains("denied the request")
    };
    assert!(
        refused("outage-refuses") && !refused("outage-warns"),
        "the API server asks as before"
    );
    // The watches come back by themselves.
    let began = Instant::now();
    world
        .kubectl
        .run("label namespace outage-warns undock.dev/mode=enforce --overwrite")
        .assert_accepted();
    eventually("labels are followed again", Duration::from_secs(60), || {
        let answers = world.kubelet.review(&review("outage-warns", "again"));
        let answers: Vec<_> = answers
            .iter()
            .map(|answer| decision(answer, "again"))
            .collect();
        if answers.iter().all(|answer| answer == "deny") {
            Ok(())
        } else {
            Err(answers.join("; "))
        }
    });
    say(&format!(
        "a label was followed {:.1} s after it, right after the outage",
        began.elapsed().as_secs_f32()
    ));
    eventually("one Pod scans again", Duration::from_secs(60), || {
        world.kubelet.controller()
    });
}
