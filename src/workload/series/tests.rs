//! What each maker writes, and what only looks like it.

use serde_json::{Value, json};

use crate::workload::Workload;
use crate::workload::object::Object;

/// The owner of `object`, as `KIND/NAME SOURCE`.
fn owner(object: &Value) -> String {
    let text = object.to_string();
    let object: Object<'_> = serde_json::from_str(&text).unwrap();
    let owner = Workload::new(&object, "ci").owner;
    format!("{}/{} {}", owner.kind, owner.name, owner.source.as_str())
}

/// A Pod with labels (and annotations, for keys that no label has here), of a controller `KIND/NAME` if any.
fn pod(name: &str, controller: &str, labels: &[(&str, &str)]) -> Value {
    let pairs = |are_annotations: bool| -> Value {
        let is_annotation = |key: &str| {
            let known = [
                "runUrl",
                "buildkite.com/pipeline-slug",
                "buildkite.com/step-key",
            ];
            known.contains(&key)
        };
        let pairs = labels
            .iter()
            .filter(|(key, _)| is_annotation(key) == are_annotations);
        pairs
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect()
    };
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": pairs(false), "annotations": pairs(true)},
    });
    if let Some((kind, name)) = controller.split_once('/') {
        pod["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "x.example/v1", "kind": kind, "name": name, "controller": true}]);
    }
    pod
}

#[test]
fn makers_are_known_by_what_they_write() {
    for (name, controller, labels, expected) in [
        // GitLab Runner: the name alone, the label that it always sets, and the old form without a dash.
        (
            "runner-abcdefghi-project-7-concurrent-0-k2j3h4g5",
            "",
            &[][..],
            "gitlab-runner/runner-abcdefghi-project-7-concurrent-*",
        ),
        (
            "runner-3lj4ihzt1-project-69309276-concurrent-12-zzzzzzzz",
            "",
            &[(
                "job.runner.gitlab.com/pod",
                "runner-3lj4ihzt1-project-69309276-concurrent-12",
            )],
            "gitlab-runner/runner-3lj4ihzt1-project-69309276-concurrent-*",
        ),
        (
            "runner-xdnsadt3-project-2806-concurrent-0rg4lh",
            "",
            &[("pod", "runner-xdnsadt3-project-2806-concurrent-0")],
            "gitlab-runner/runner-xdnsadt3-project-2806-concurrent-*",
        ),
        (
            "runner-xdnsadt3-project-2806-concurrent-01g4lh",
            "",
            &[],
            "gitlab-runner/runner-xdnsadt3-project-2806-concurrent-*",
        ),
        // Jenkins: a pipeline's own template, a template with a name, one of the cloud, and the job's path.
        (
            "pipeline-12-h8x2k-q9fk1-x7b1t",
            "",
            &[("jenkins", "agent")],
            "jenkins/pipeline-*",
        ),
        (
            "example-c-pipeline-main-13-5qsdm-2n7dh-f735m",
            "",
            &[
                ("jenkins/label", "example-c-pipeline_main_13-5qsdm"),
                ("runUrl", "job/example-c-pipeline/job/main/13/"),
            ],
            "jenkins/example-c-pipeline/main",
        ),
        (
            "org-repo-pr-7-2-5qsdm-2n7dh-f735m",
            "",
            &[
                ("jenkins/label", "x"),
                ("runUrl", "job/org/job/repo/job/PR-7/2/"),
            ],
            "jenkins/org/repo/PR-*",
        ),
        (
            "sample-app-s5n4l-ck83s",
            "",
            &[("jenkins/label", "sample-app")],
            "jenkins/sample-app-*",
        ),
        (
            "default-hdjp8",
            "",
            &[("jenkins/label", "jenkins-jenkins-slavex")],
            "jenkins/default-*",
        ),
        // Tekton.
        (
            "build-x7k2p-unit-pod",
            "TaskRun/build-x7k2p-unit",
            &[
                ("tekton.dev/task", "golang-test"),
                ("tekton.dev/pipeline", "build"),
                ("tekton.dev/pipelineRun", "build-x7k2p"),
            ],
            "Task/golang-test",
        ),
        (
            "build-x7k2p-unit-pod",
            "TaskRun/build-x7k2p-unit",
            &[
                ("tekton.dev/clusterTask", "buildah"),
                ("tekton.dev/task", "buildah"),
            ],
            "ClusterTask/buildah",
        ),
        (
            "build-x7k2p-unit-pod",
            "TaskRun/build-x7k2p-unit",
            &[
                ("tekton.dev/pipeline", "build"),
                ("tekton.dev/pipelineRun", "build-x7k2p"),
            ],
            "Pipeline/build",
        ),
        (
            "build-x7k2p-unit-pod",
            "TaskRun/build-x7k2p-unit",
            &[
                ("tekton.dev/pipeline", "build-x7k2p"),
                ("tekton.dev/pipelineRun", "build-x7k2p"),
            ],
            "PipelineRun/build-*",
        ),
        (
            "release-unit-pod",
            "TaskRun/release-unit",
            &[
                ("tekton.dev/pipeline", "release"),
                ("tekton.dev/pipelineRun", "release"),
            ],
            "PipelineRun/release",
        ),
        (
            "lint-x7k2p-pod",
            "TaskRun/lint-x7k2p",
            &[],
            "TaskRun/lint-*",
        ),
        // Argo Workflows.
        (
            "images-x7k2p-111",
            "Workflow/images-x7k2p",
            &[],
            "Workflow/images-*",
        ),
        (
            "nightly-1795860000-build-2746251",
            "Workflow/nightly-1795860000",
            &[],
            "CronWorkflow/nightly",
        ),
        // Actions Runner Controller, both of them, and the Pods of a job's containers.
        (
            "pool-8x7wd-runner-k2j4h",
            "EphemeralRunner/pool-8x7wd-runner-k2j4h",
            &[("actions.github.com/scale-set-name", "pool")],
            "AutoscalingRunnerSet/pool",
        ),
        (
            "pool-8x7wd-runner-k2j4h",
            "EphemeralRunner/pool-8x7wd-runner-k2j4h",
            &[],
            "AutoscalingRunnerSet/pool",
        ),
        (
            "pool-8x7wd-runner-k2j4h-workflow",
            "",
            &[("runner-pod", "pool-8x7wd-runner-k2j4h")],
            "AutoscalingRunnerSet/pool",
        ),
        (
            "pool-8x7wd-aaaaa",
            "Runner/pool-8x7wd-aaaaa",
            &[],
            "RunnerDeployment/pool",
        ),
        (
            "pool-8x7wd-k2j4h",
            "Runner/pool-8x7wd-k2j4h",
            &[("runner-deployment-name", "pool")],
            "RunnerDeployment/pool",
        ),
        (
            "pool-k2j4h-0",
            "StatefulSet/pool-k2j4h",
            &[("runnerset-name", "pool")],
            "RunnerSet/pool",
        ),
        // Airflow, Spark, Buildkite, KEDA, Drone.
        (
            "etl-build-image-a1b2c3d4",
            "",
            &[
                ("dag_id", "etl"),
                ("task_id", "build_image"),
                ("kubernetes_pod_operator", "True"),
            ],
            "airflow/etl.build_image",
        ),
        (
            "etl-load-a1b2c3d4",
            "",
            &[
                ("dag_id", "etl"),
                ("task_id", "load"),
                ("kubernetes_executor", "True"),
            ],
            "airflow/etl.load",
        ),
        (
            "pi-driver",
            "SparkApplication/pi",
            &[
                ("spark-role", "driver"),
                ("sparkoperator.k8s.io/app-name", "pi"),
            ],
            "SparkApplication/pi",
        ),
        (
            "pi-0123456789abcdef-exec-1",
            "Pod/pi-driver",
            &[
                ("spark-role", "executor"),
                ("sparkoperator.k8s.io/app-name", "pi-1795860000123456789"),
            ],
            "ScheduledSparkApplication/pi",
        ),
        (
            "count-0123456789abcdef-driver",
            "",
            &[("spark-role", "driver"), ("spark-app-name", "count")],
            "spark/count",
        ),
        (
            "count-0123456789abcdef-exec-12",
            "Pod/count-0123456789abcdef-driver",
            &[("spark-role", "executor")],
            "spark/count-*",
        ),
        (
            "buildkite-0190046e-e199-453b-a302-a21a4d649d31-abcde",
            "Job/buildkite-0190046e-e199-453b-a302-a21a4d649d31",
            &[
                (
                    "buildkite.com/job-uuid",
                    "0190046e-e199-453b-a302-a21a4d649d31",
                ),
                ("buildkite.com/pipeline-slug", "web"),
                ("buildkite.com/step-key", "image"),
            ],
            "buildkite/web.image",
        ),
        (
            "mails-n68tp-x2p64",
            "Job/mails-n68tp",
            &[("scaledjob.keda.sh/name", "mails")],
            "ScaledJob/mails",
        ),
        (
            "drone-0a1b2c3d4e5f6g7h8i9j",
            "",
            &[
                ("io.drone", "true"),
                ("io.drone.repo.namespace", "octo"),
                ("io.drone.repo.name", "web"),
            ],
            "drone/octo.web",
        ),
        // A run of a custom resource that no line of the table names.
        (
            "train-x7k2p-0",
            "TrainJob/train-x7k2p",
            &[],
            "TrainJob/train-*",
        ),
        // A Job that was made by generateName: its Pods know only its name.
        (
            "migrate-x7k2p-9bvxz",
            "Job/migrate-x7k2p",
            &[],
            "Job/migrate-*",
        ),
    ] {
        assert_eq!(
            owner(&pod(name, controller, labels)),
            format!("{expected} series"),
            "{name}"
        );
    }
}

#[test]
fn what_only_looks_like_a_maker_stays_itself() {
    for (name, controller, labels, expected) in [
        // Names that somebody typed.
        ("web-1", "", &[][..], "Pod/web-1 self"),
        ("web-x7k2p", "", &[], "Pod/web-x7k2p self"),
        ("runner-1", "", &[], "Pod/runner-1 self"),
        (
            "runner-ada-project-7-concurrent-0",
            "",
            &[],
            "Pod/runner-ada-project-7-concurrent-0 self",
        ),
        (
            "runner-ada-project-x-concurrent-0-k2j3h4g5",
            "",
            &[],
            "Pod/runner-ada-project-x-concurrent-0-k2j3h4g5 self",
        ),
        (
            "debug",
            "",
            &[("pod", "runner-ada-project-x-concurrent-0")],
            "Pod/debug self",
        ),
        (
            "jenkins-debug",
            "",
            &[("jenkins", "agent")],
            "Pod/jenkins-debug self",
        ),
        (
            "agent-x7k2p",
            "",
            &[("jenkins", "controller")],
            "Pod/agent-x7k2p self",
        ),
        (
            "etl-test",
            "",
            &[("dag_id", "etl"), ("task_id", "test")],
            "Pod/etl-test self",
        ),
        (
            "spark-shell",
            "",
            &[("spark-role", "driver")],
            "Pod/spark-shell self",
        ),
        ("step", "", &[("runner-pod", "my-runner")], "Pod/step self"),
        // Controllers whose names somebody typed.
        (
            "deploy-111",
            "Workflow/deploy",
            &[],
            "Workflow/deploy derived",
        ),
        (
            "proxy-https-1",
            "Workflow/proxy-https",
            &[],
            "Workflow/proxy-https derived",
        ),
        (
            "proxy-mssql-1",
            "Job/proxy-mssql",
            &[],
            "Job/proxy-mssql derived",
        ),
        (
            "my-runner",
            "Runner/my-runner",
            &[],
            "Runner/my-runner derived",
        ),
        ("unit-pod", "TaskRun/unit", &[], "TaskRun/unit derived"),
        (
            "kafka-0",
            "StatefulSet/kafka-x7k2p",
            &[],
            "StatefulSet/kafka-x7k2p derived",
        ),
        (
            "pool-listener",
            "AutoscalingListener/pool-754b578d-listener",
            &[("actions.github.com/scale-set-name", "pool")],
            "AutoscalingListener/pool-754b578d-listener derived",
        ),
        // The chains of Kubernetes.
        (
            "web-5d4f7c8b9d-x7k2p",
            "ReplicaSet/web-5d4f7c8b9d",
            &[("pod-template-hash", "5d4f7c8b9d"), ("dag_id", "x")],
            "Deployment/web derived",
        ),
        (
            "web-5d4f7c8b9d-aaaaa",
            "ReplicaSet/web-5d4f7c8b9d",
            &[("rollouts-pod-template-hash", "5d4f7c8b9d")],
            "Rollout/web derived",
        ),
        (
            "web-x7k2p-abcde",
            "ReplicaSet/web-x7k2p",
            &[],
            "ReplicaSet/web-x7k2p derived",
        ),
        (
            "agent-x7k2p",
            "DaemonSet/agent",
            &[("jenkins", "slave")],
            "DaemonSet/agent derived",
        ),
        (
            "prune-29331000-x7k2p",
            "Job/prune-29331000",
            &[],
            "CronJob/prune derived",
        ),
        (
            "prune-now-sfmt8",
            "Job/prune-now",
            &[],
            "Job/prune-now derived",
        ),
        ("etcd-node1", "Node/node1", &[], "Pod/etcd-node1 self"),
    ] {
        assert_eq!(owner(&pod(name, controller, labels)), expected, "{name}");
    }
}

#[test]
fn generate_name_is_proof_and_a_typed_name_is_not() {
    let long = "a".repeat(70);
    let cut = format!("{}x7k2p", &long[..58]);
    for (kind, name, generate_name, expected) in [
        ("Pod", "", "build-", "Pod/build-* series"),
        ("Pod", "build-x7k2p", "build-", "Pod/build-* series"),
        ("Job", "build-x7k2p", "build-", "Job/build-* series"),
        (
            "Deployment",
            "review-x7k2p",
            "review-",
            "Deployment/review-* series",
        ),
        ("Pod", "buildx7k2p", "build", "Pod/build* series"),
        ("Pod", &cut, &long, &format!("Pod/{long}* series")),
        // A name beats generateName, which may be a leftover of a copied manifest.
        ("Pod", "build-prod", "build-", "Pod/build-prod self"),
        ("Pod", "build-x7k2pq", "build-", "Pod/build-x7k2pq self"),
        ("Pod", "other-x7k2p", "build-", "Pod/other-x7k2p self"),
        ("Pod", "build-x7k2p", "", "Pod/build-x7k2p self"),
        ("Deployment", "web-x7k2p", "", "Deployment/web-x7k2p self"),
        // The Pods of a Job know nothing but its name, so the Job says the same.
        ("Job", "build-x7k2p", "", "Job/build-* series"),
        ("Job", "build-prod", "", "Job/build-prod self"),
        ("Job", "proxy-https", "", "Job/proxy-https self"),
    ] {
        let api_version = match kind {
            "Pod" => "v1",
            "Job" => "batch/v1",
            _ => "apps/v1",
        };
        let object = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "generateName": generate_name},
        });
        assert_eq!(owner(&object), expected, "{kind} {name} {generate_name}");
    }
}

#[test]
fn a_job_and_its_pods_have_one_owner() {
    let labels = json!({"buildkite.com/job-uuid": "0190046e-e199-453b-a302-a21a4d649d31"});
    let annotations = json!({"buildkite.com/pipeline-slug": "web"});
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "buildkite-1", "labels": labels, "annotations": annotations},
    });
    assert_eq!(owner(&job), "buildkite/web series");
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"generateName": "mails-", "name": "mails-n68tp"},
    });
    assert_eq!(owner(&job), "Job/mails-* series");
    assert_eq!(
        owner(&pod("mails-n68tp-x2p64", "Job/mails-n68tp", &[])),
        "Job/mails-* series"
    );
    job["metadata"]["ownerReferences"] = json!([{"apiVersion": "keda.sh/v1", "kind": "ScaledJob", "name": "mails", "controller": true}]);
    assert_eq!(owner(&job), "ScaledJob/mails derived");
}

#[test]
fn what_to_edit_reads_after_the_word_edit() {
    for maker in &super::MAKERS {
        let edit = super::edit(maker.kind, "x");
        assert!(!edit.is_empty() && edit.len() <= 100, "{edit}");
        assert!(!edit.ends_with('.') && !edit.starts_with("edit"), "{edit}");
    }
    assert_eq!(super::edit("Deployment", "web"), "");
    assert!(super::edit("Pod", "build-*").starts_with("what creates objects"));
}
