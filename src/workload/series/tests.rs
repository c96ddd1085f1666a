//! What each maker writes, and what only looks like it.

use serde_json::{Value, json};

use crate::workload::Workload;
use crate::workload::object::Object;

/// The owner of `object`, as `KIND/NAME SOURCE`.
fn owner(object: &Value) -> String {
    let text = object.to_string();
    let object: Object<'_> = serde_json::from_str(&text).expect("an object");
    let owner = Workload::new(&object, "ci").owner;
    format!("{}/{} {}", owner.kind, owner.name, owner.source.as_str())
}

/// Keys in the cases that are annotations, not labels.
const ANNOTATIONS: [&str; 3] = [
    "runUrl",
    "buildkite.com/pipeline-slug",
    "buildkite.com/step-key",
];

/// A Pod with labels and annotations, of a controller `KIND/NAME` if any.
fn pod(name: &str, controller: &str, pairs: &[(&str, &str)]) -> Value {
    let map = |are_annotations: bool| -> Value {
        let pairs = pairs
            .iter()
            .filter(|(key, _)| ANNOTATIONS.contains(key) == are_annotations);
        pairs
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect()
    };
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": map(false), "annotations": map(true)},
    });
    if let Some((kind, name)) = controller.split_once('/') {
        pod["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "x.example/v1", "kind": kind, "name": name, "controller": true}]);
    }
    pod
}

/// Checks cases of the form `NAME by CONTROLLER`, then lines of `KEY=VALUE`, then `= OWNER SOURCE`.
fn check(cases: &str, count: usize) {
    let (mut name, mut controller, mut pairs) = ("", "", Vec::new());
    let mut checked = 0;
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        if let Some(expected) = line.strip_prefix("  = ") {
            assert_eq!(owner(&pod(name, controller, &pairs)), expected, "{name}");
            checked += 1;
        } else if let Some(more) = line.strip_prefix("  ") {
            pairs.extend(more.split(' ').filter_map(|pair| pair.split_once('=')));
        } else {
            (name, controller) = line.split_once(" by ").unwrap_or((line, ""));
            pairs.clear();
        }
    }
    assert_eq!(checked, count);
}

const MADE: &str = "\
# GitLab Runner: the name alone, the label that it always sets, and the old form without a
# dash.
runner-abcdefghi-project-7-concurrent-0-k2j3h4g5
  = gitlab-runner/runner-abcdefghi-* series
runner-3lj4ihzt1-project-69309276-concurrent-12-zzzzzzzz
  job.runner.gitlab.com/pod=runner-3lj4ihzt1-project-69309276-concurrent-12
  = gitlab-runner/runner-3lj4ihzt1-* series
runner-xdnsadt3-project-2806-concurrent-0rg4lh
  pod=runner-xdnsadt3-project-2806-concurrent-0
  = gitlab-runner/runner-xdnsadt3-* series
runner-xdnsadt3-project-2806-concurrent-01g4lh
  = gitlab-runner/runner-xdnsadt3-* series
# Jenkins: a pipeline's own template, a template with a name, one of the cloud, and the
# job's path.
pipeline-12-h8x2k-q9fk1-x7b1t
  jenkins=agent
  = jenkins/pipeline-* series
example-c-pipeline-main-13-5qsdm-2n7dh-f735m
  jenkins/label=example-c-pipeline_main_13-5qsdm runUrl=job/example-c-pipeline/job/main/13/
  = jenkins/example-c-pipeline/main series
org-repo-pr-7-2-5qsdm-2n7dh-f735m
  jenkins/label=x runUrl=job/org/job/repo/job/PR-7/2/
  = jenkins/org/repo/PR-* series
sample-app-s5n4l-ck83s
  jenkins/label=sample-app
  = jenkins/sample-app-* series
default-hdjp8
  jenkins/label=jenkins-jenkins-slavex
  = jenkins/default-* series
# Tekton.
build-x7k2p-unit-pod by TaskRun/build-x7k2p-unit
  tekton.dev/task=golang-test tekton.dev/pipeline=build tekton.dev/pipelineRun=build-x7k2p
  = Task/golang-test series
build-x7k2p-unit-pod by TaskRun/build-x7k2p-unit
  tekton.dev/clusterTask=buildah tekton.dev/task=buildah
  = ClusterTask/buildah series
build-x7k2p-unit-pod by TaskRun/build-x7k2p-unit
  tekton.dev/pipeline=build tekton.dev/pipelineRun=build-x7k2p
  = Pipeline/build series
build-x7k2p-unit-pod by TaskRun/build-x7k2p-unit
  tekton.dev/pipeline=build-x7k2p tekton.dev/pipelineRun=build-x7k2p
  = PipelineRun/build-* series
release-unit-pod by TaskRun/release-unit
  tekton.dev/pipeline=release tekton.dev/pipelineRun=release
  = PipelineRun/release series
lint-x7k2p-pod by TaskRun/lint-x7k2p
  = TaskRun/lint-* series
# Argo Workflows.
images-x7k2p-111 by Workflow/images-x7k2p
  = Workflow/images-* series
nightly-1795860000-build-2746251 by Workflow/nightly-1795860000
  = CronWorkflow/nightly series
# Actions Runner Controller, both of them, and the Pods of a job's containers.
pool-8x7wd-runner-k2j4h by EphemeralRunner/pool-8x7wd-runner-k2j4h
  actions.github.com/scale-set-name=pool
  = AutoscalingRunnerSet/pool series
pool-8x7wd-runner-k2j4h by EphemeralRunner/pool-8x7wd-runner-k2j4h
  = AutoscalingRunnerSet/pool series
pool-8x7wd-runner-k2j4h-workflow
  runner-pod=pool-8x7wd-runner-k2j4h
  = AutoscalingRunnerSet/pool series
pool-8x7wd-aaaaa by Runner/pool-8x7wd-aaaaa
  = RunnerDeployment/pool series
pool-8x7wd-k2j4h by Runner/pool-8x7wd-k2j4h
  runner-deployment-name=pool
  = RunnerDeployment/pool series
pool-k2j4h-0 by StatefulSet/pool-k2j4h
  runnerset-name=pool
  = RunnerSet/pool series
# Airflow, Spark, Buildkite, KEDA, Drone.
etl-build-image-a1b2c3d4
  dag_id=etl task_id=build_image kubernetes_pod_operator=True
  = airflow/etl.build_image series
etl-load-a1b2c3d4
  dag_id=etl task_id=load kubernetes_executor=True
  = airflow/etl.load series
pi-driver by SparkApplication/pi
  spark-role=driver sparkoperator.k8s.io/app-name=pi
  = SparkApplication/pi series
pi-0123456789abcdef-exec-1 by Pod/pi-driver
  spark-role=executor sparkoperator.k8s.io/app-name=pi-1795860000123456789
  = ScheduledSparkApplication/pi series
count-0123456789abcdef-driver
  spark-role=driver spark-app-name=count
  = spark/count series
count-0123456789abcdef-exec-12 by Pod/count-0123456789abcdef-driver
  spark-role=executor
  = spark/count-* series
buildkite-0190046e-e199-453b-abcde by Job/buildkite-0190046e-e199-453b
  buildkite.com/job-uuid=0190046e-e199-453b-a302-a21a4d649d31 buildkite.com/pipeline-slug=web
  buildkite.com/step-key=image
  = buildkite/web.image series
mails-n68tp-x2p64 by Job/mails-n68tp
  scaledjob.keda.sh/name=mails
  = ScaledJob/mails series
drone-0a1b2c3d4e5f6g7h8i9j
  io.drone=true io.drone.repo.namespace=octo io.drone.repo.name=web
  = drone/octo.web series
0190046e-e199-453b-a302-a21a4d649d31
  created-by-prow=true prow.k8s.io/job=pull-web-images
  = prow/pull-web-images series
web-12-build by Build/web-12
  openshift.io/build.name=web-12
  = BuildConfig/web series
# A run of a custom resource that no line of the table names.
train-x7k2p-0 by TrainJob/train-x7k2p
  = TrainJob/train-* series
# A Job that was made by generateName: its Pods know only its name.
migrate-x7k2p-9bvxz by Job/migrate-x7k2p
  = Job/migrate-* series
";

const LOOKS_LIKE_IT: &str = "\
# Names that somebody typed.
web-1
  = Pod/web-1 self
web-x7k2p
  = Pod/web-x7k2p self
runner-1
  = Pod/runner-1 self
runner-ada-project-7-concurrent-0
  = Pod/runner-ada-project-7-concurrent-0 self
runner-ada-project-x-concurrent-0-k2j3h4g5
  = Pod/runner-ada-project-x-concurrent-0-k2j3h4g5 self
debug
  pod=runner-ada-project-x-concurrent-0
  = Pod/debug self
jenkins-debug
  jenkins=agent
  = Pod/jenkins-debug self
agent-x7k2p
  jenkins=controller
  = Pod/agent-x7k2p self
etl-test
  dag_id=etl task_id=test
  = Pod/etl-test self
spark-shell
  spark-role=driver
  = Pod/spark-shell self
step
  runner-pod=my-runner
  = Pod/step self
# Controllers whose names somebody typed.
deploy-111 by Workflow/deploy
  = Workflow/deploy derived
proxy-https-1 by Workflow/proxy-https
  = Workflow/proxy-https derived
proxy-mssql-1 by Job/proxy-mssql
  = Job/proxy-mssql derived
my-runner by Runner/my-runner
  = Runner/my-runner derived
unit-pod by TaskRun/unit
  = TaskRun/unit derived
kafka-0 by StatefulSet/kafka-x7k2p
  = StatefulSet/kafka-x7k2p derived
pool-listener by AutoscalingListener/pool-754b578d-listener
  actions.github.com/scale-set-name=pool
  = AutoscalingListener/pool-754b578d-listener derived
once-build by Build/once
  openshift.io/build.name=once
  = Build/once derived
# The chains of Kubernetes, of OpenShift and of Knative.
web-3-x7k2p by ReplicationController/web-3
  deploymentconfig=web deployment=web-3
  = DeploymentConfig/web derived
web-3-x7k2p by ReplicationController/web-3
  = ReplicationController/web-3 derived
web-x-x7k2p by ReplicationController/web-x
  deploymentconfig=web
  = ReplicationController/web-x derived
hello-00001-deployment-5d4f7c8b9d-x7k2p by ReplicaSet/hello-00001-deployment-5d4f7c8b9d
  pod-template-hash=5d4f7c8b9d serving.knative.dev/service=hello
  = Service/hello derived
web-5d4f7c8b9d-x7k2p by ReplicaSet/web-5d4f7c8b9d
  pod-template-hash=5d4f7c8b9d dag_id=x
  = Deployment/web derived
web-5d4f7c8b9d-aaaaa by ReplicaSet/web-5d4f7c8b9d
  rollouts-pod-template-hash=5d4f7c8b9d
  = Rollout/web derived
web-x7k2p-abcde by ReplicaSet/web-x7k2p
  = ReplicaSet/web-x7k2p derived
agent-x7k2p by DaemonSet/agent
  jenkins=slave
  = DaemonSet/agent derived
prune-29331000-x7k2p by Job/prune-29331000
  = CronJob/prune derived
prune-now-sfmt8 by Job/prune-now
  = Job/prune-now derived
etcd-node1 by Node/node1
  = Pod/etcd-node1 self
";

#[test]
fn makers_are_known_by_what_they_write() {
    check(MADE, 36);
}

#[test]
fn what_only_looks_like_a_maker_stays_itself() {
    check(LOOKS_LIKE_IT, 30);
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
    job["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "keda.sh/v1", "kind": "ScaledJob", "name": "mails", "controller": true,
    }]);
    assert_eq!(owner(&job), "ScaledJob/mails derived");
}

#[test]
fn series_are_known_by_kind_and_name_and_say_what_to_edit() {
    for maker in &super::MAKERS {
        let edit = super::edit(maker.kind, "x");
        assert!(!edit.is_empty() && edit.len() <= 100, "{edit}");
        assert!(!edit.ends_with('.') && !edit.starts_with("edit"), "{edit}");
    }
    assert_eq!(super::edit("Deployment", "web"), "");
    for (kind, name, expected) in [
        ("Pod", "build-*", true),
        ("Workflow", "images-*", true),
        ("Task", "image", true),
        ("gitlab-runner", "runner-a-*", true),
        ("Workflow", "deploy", false),
        ("Deployment", "web", false),
        ("Pod", "web", false),
    ] {
        assert_eq!(super::is_series(kind, name), expected, "{kind}/{name}");
    }
    assert!(super::edit("Pod", "build-*").starts_with("what creates objects"));
}
