//! The programs that make Pods under generated names: how their Pods are recognised, what stands
//! for all of them as the owner, and what a person edits to change them. Data only; each line names
//! where its facts come from.

use super::naming::{Naming, Of, Part, gitlab_runner, jenkins_job};

/// A maker, or one of several kinds of owners that a maker has.
#[derive(Debug)]
pub(crate) struct Maker {
    /// Kind of the owner: a kind of the API where it is an object, else the name of the program.
    pub(crate) kind: &'static str,
    /// API group, or the domain of the program.
    pub(crate) group: &'static str,
    /// Kinds of the controllers that its objects have, with [`NO_CONTROLLER`] for none.
    pub(super) controllers: &'static [&'static str],
    /// Labels that all of its objects have, with the values that count; without a value, any.
    pub(super) labels: &'static [(&'static str, &'static [&'static str])],
    /// How the owner's name is found; the first that finds one counts.
    pub(super) names: &'static [Naming],
    /// What to edit, as in `edit …`.
    pub(crate) edit: &'static str,
}

/// In the place of the kind of a controller: no kind of the API has parentheses. An empty text
/// would do, but to compare two of those is slow where `memcmp` loads a masked vector from the
/// address of an empty text (docs/performance.md).
pub(super) const NO_CONTROLLER: &str = "(none)";
const ANY: &[&str] = &[];

/// The kind of owner that stands for a GitLab Runner.
pub(crate) const GITLAB_RUNNER: &str = "gitlab-runner";

/// All makers. Of two that fit, the first counts.
pub(crate) static MAKERS: [Maker; 27] = [
    // gitlab-runner: common/build.go ProjectUniqueName, executors/kubernetes/kubernetes.go
    // generateNameForK8sResources (8 random characters; before 16.x a generateName without a dash).
    // Labels are optional: old versions had only `pod`.
    Maker {
        kind: GITLAB_RUNNER,
        group: "gitlab.com",
        controllers: &[NO_CONTROLLER],
        labels: &[],
        names: &[Naming::Read(gitlab_runner)],
        edit: "config.toml of the GitLab Runner (Helm value runners.config), or the .gitlab-ci.yml",
    },
    // jenkinsci/kubernetes-plugin: PodTemplate.java JENKINS_LABEL, PodTemplateStepExecution.java
    // (label `JOB_BUILD-RANDOM`, template name `LABEL-RANDOM`, annotation runUrl),
    // KubernetesSlave.java getSlaveName (`TEMPLATE-RANDOM`).
    Maker {
        kind: "jenkins",
        group: "jenkins.io",
        controllers: &[NO_CONTROLLER],
        labels: &[("jenkins/label", ANY)],
        names: JENKINS_NAMES,
        edit: JENKINS_EDIT,
    },
    // The default pod label of the same plugin (KubernetesCloud.java DEFAULT_POD_LABELS), which can
    // be changed.
    Maker {
        kind: "jenkins",
        group: "jenkins.io",
        controllers: &[NO_CONTROLLER],
        labels: &[("jenkins", &["slave", "agent"])],
        names: JENKINS_NAMES,
        edit: JENKINS_EDIT,
    },
    // tektoncd/pipeline: pkg/apis/pipeline/register.go, reconciler/taskrun
    // storeTaskSpecAndMergeMeta (label task for a taskRef only), reconciler/pipelinerun
    // propagatePipelineNameLabelToPipelineRun.
    Maker {
        kind: "ClusterTask",
        group: "tekton.dev",
        controllers: &["TaskRun"],
        labels: &[("tekton.dev/clusterTask", ANY)],
        names: &[Naming::Keys(&["tekton.dev/clusterTask"])],
        edit: "the ClusterTask of this name",
    },
    Maker {
        kind: "Task",
        group: "tekton.dev",
        controllers: &["TaskRun"],
        labels: &[("tekton.dev/task", ANY)],
        names: &[Naming::Keys(&["tekton.dev/task"])],
        edit: "the Task of this name",
    },
    // A pipeline without a name has the label of its run, whose name may be generated.
    Maker {
        kind: "PipelineRun",
        group: "tekton.dev",
        controllers: &["TaskRun"],
        labels: &[("tekton.dev/pipelineRun", ANY)],
        names: &[Naming::SameCut(
            "tekton.dev/pipeline",
            "tekton.dev/pipelineRun",
            &[Part::Random],
        )],
        edit: "the template or script that creates PipelineRuns of this name",
    },
    Maker {
        kind: "Pipeline",
        group: "tekton.dev",
        controllers: &["TaskRun"],
        labels: &[("tekton.dev/pipeline", ANY)],
        names: &[Naming::Keys(&["tekton.dev/pipeline"])],
        edit: "the Pipeline of this name",
    },
    // argoproj/argo-workflows: workflow/cron/operator.go getChildWorkflowName (`CRON-SECONDS`);
    // Pods carry the name of their Workflow only, as controller and as label
    // (workflow/controller/workflowpod.go).
    Maker {
        kind: "CronWorkflow",
        group: "argoproj.io",
        controllers: &["Workflow"],
        labels: &[],
        names: &[Naming::Exact(Of::Controller, &[Part::Seconds])],
        edit: "the CronWorkflow of this name, or its WorkflowTemplate",
    },
    Maker {
        kind: "Workflow",
        group: "argoproj.io",
        controllers: &["Workflow"],
        labels: &[],
        names: &[Naming::Cut(Of::Controller, &[Part::Random])],
        edit: "the Workflow of this name or generateName, or its WorkflowTemplate",
    },
    // actions/actions-runner-controller: controllers/actions.github.com/constants.go,
    // resourcebuilder.go commonLabelKeys and newEphemeralRunner (`SET-RANDOM-runner-RANDOM`). The
    // listener's Pod has the same labels and another controller.
    Maker {
        kind: "AutoscalingRunnerSet",
        group: "actions.github.com",
        controllers: &["EphemeralRunner"],
        labels: &[],
        names: &[
            Naming::Keys(&["actions.github.com/scale-set-name"]),
            Naming::Exact(Of::Controller, EPHEMERAL_RUNNER),
        ],
        edit: RUNNER_SET_EDIT,
    },
    // actions/runner-container-hooks: the Pods of a job's containers have the label runner-pod with
    // the name of the runner.
    Maker {
        kind: "AutoscalingRunnerSet",
        group: "actions.github.com",
        controllers: &[NO_CONTROLLER, "Job", "Pod"],
        labels: &[("runner-pod", ANY)],
        names: &[Naming::Exact(Of::Key("runner-pod"), EPHEMERAL_RUNNER)],
        edit: RUNNER_SET_EDIT,
    },
    // controllers/actions.summerwind.net: runnerdeployment_controller.go and
    // runnerset_controller.go (labels), and runnerreplicaset_controller.go (generateName of both
    // levels).
    Maker {
        kind: "RunnerDeployment",
        group: "actions.summerwind.dev",
        controllers: &["Runner"],
        labels: &[],
        names: &[
            Naming::Keys(&["runner-deployment-name"]),
            Naming::Exact(Of::Controller, &[Part::Five, Part::Mixed]),
        ],
        edit: "spec.template of the RunnerDeployment of this name",
    },
    Maker {
        kind: "RunnerSet",
        group: "actions.summerwind.dev",
        controllers: &["StatefulSet"],
        labels: &[("runnerset-name", ANY)],
        names: &[Naming::Keys(&["runnerset-name"])],
        edit: "spec.template of the RunnerSet of this name",
    },
    // apache/airflow: providers/cncf/kubernetes/pod_generator.py build_labels_for_k8s_executor_pod
    // (label kubernetes_executor), operators/pod.py (label kubernetes_pod_operator).
    Maker {
        kind: "airflow",
        group: "airflow.apache.org",
        controllers: &[NO_CONTROLLER],
        labels: &[("kubernetes_pod_operator", &["True"])],
        names: &[Naming::Keys(&["dag_id", "task_id"])],
        edit: AIRFLOW_EDIT,
    },
    Maker {
        kind: "airflow",
        group: "airflow.apache.org",
        controllers: &[NO_CONTROLLER],
        labels: &[("kubernetes_executor", &["True"])],
        names: &[Naming::Keys(&["dag_id", "task_id"])],
        edit: AIRFLOW_EDIT,
    },
    // kubeflow/spark-operator: pkg/common/spark.go LabelSparkAppName, LabelSparkRole;
    // scheduledsparkapplication/controller.go createSparkApplication (`NAME-TIMESTAMP`).
    Maker {
        kind: "ScheduledSparkApplication",
        group: "sparkoperator.k8s.io",
        controllers: SPARK_CONTROLLERS,
        labels: &[("spark-role", SPARK_ROLES)],
        names: &[Naming::Exact(
            Of::Key(SPARK_OPERATOR_NAME),
            &[Part::Seconds],
        )],
        edit: "spec.template of the ScheduledSparkApplication of this name",
    },
    Maker {
        kind: "SparkApplication",
        group: "sparkoperator.k8s.io",
        controllers: SPARK_CONTROLLERS,
        labels: &[("spark-role", SPARK_ROLES)],
        names: &[
            Naming::Cut(Of::Key(SPARK_OPERATOR_NAME), &[Part::Random]),
            Naming::Keys(&[SPARK_OPERATOR_NAME]),
        ],
        edit: "the SparkApplication of this name",
    },
    // apache/spark: deploy/k8s/Constants.scala and KubernetesConf.scala (labels spark-role and
    // spark-app-name; names `APP-16HEX-driver` and `APP-16HEX-exec-N`).
    Maker {
        kind: "spark",
        group: "spark.apache.org",
        controllers: SPARK_CONTROLLERS,
        labels: &[("spark-role", SPARK_ROLES)],
        names: &[
            Naming::Keys(&["spark-app-name"]),
            Naming::Cut(Of::Name, &[Part::Text("-driver"), Part::Hex]),
            Naming::Cut(Of::Name, &[Part::Number, Part::Text("-exec"), Part::Hex]),
        ],
        edit: "what submits this application: its pod template files and spark.kubernetes settings",
    },
    // buildkite/agent-stack-k8s: internal/controller/config/config.go, scheduler.go (labels and
    // annotations of the Job are those of its Pods, too; name `buildkite-UUID`).
    Maker {
        kind: "buildkite",
        group: "buildkite.com",
        controllers: &[NO_CONTROLLER, "Job"],
        labels: &[("buildkite.com/job-uuid", ANY)],
        names: &[
            Naming::Keys(&["buildkite.com/pipeline-slug", "buildkite.com/step-key"]),
            Naming::Keys(&["buildkite.com/pipeline-slug"]),
            Naming::Keys(&["tag.buildkite.com/queue"]),
        ],
        edit: "the step's kubernetes plugin in the pipeline, or pod-spec-patch of agent-stack-k8s",
    },
    // kedacore/keda: pkg/scaling/executor/scale_jobs.go (generateName `NAME-`, label of the Pods).
    Maker {
        kind: "ScaledJob",
        group: "keda.sh",
        controllers: &["Job"],
        labels: &[("scaledjob.keda.sh/name", ANY)],
        names: &[Naming::Keys(&["scaledjob.keda.sh/name"])],
        edit: "spec.jobTargetRef of the ScaledJob of this name",
    },
    // kubernetes-sigs/prow: pkg/kube/prow.go (names of Pods are UUIDs).
    Maker {
        kind: "prow",
        group: "prow.k8s.io",
        controllers: &[NO_CONTROLLER],
        labels: &[("created-by-prow", &["true"])],
        names: &[Naming::Keys(&["prow.k8s.io/job"])],
        edit: "spec of this job in Prow's configuration",
    },
    // openshift/api: build/v1 (label openshift.io/build.name of the Pod); the build controller's
    // getNextBuildName (`CONFIG-NUMBER`).
    Maker {
        kind: "BuildConfig",
        group: "build.openshift.io",
        controllers: &["Build"],
        labels: &[("openshift.io/build.name", ANY)],
        names: &[Naming::Exact(Of::Controller, &[Part::Number])],
        edit: "spec.strategy of the BuildConfig of this name",
    },
    // drone/drone-runner-kube: engine/compiler/compiler.go (labels of the Pod).
    Maker {
        kind: "drone",
        group: "drone.io",
        controllers: &[NO_CONTROLLER],
        labels: &[("io.drone", &["true"])],
        names: &[Naming::Keys(&[
            "io.drone.repo.namespace",
            "io.drone.repo.name",
        ])],
        edit: ".drone.yml of this repository, or the policy of the Drone runner",
    },
    // PrefectHQ/prefect: src/prefect/workers/base.py _base_flow_run_labels,
    // _base_deployment_labels, _base_flow_labels (labels of the Job and its Pods, whose names begin
    // with a random run name).
    Maker {
        kind: "prefect",
        group: "prefect.io",
        controllers: &[NO_CONTROLLER, "Job"],
        labels: &[("prefect.io/flow-run-id", ANY)],
        names: &[
            Naming::Keys(&["prefect.io/deployment-name"]),
            Naming::Keys(&["prefect.io/flow-name"]),
        ],
        edit: "the job variables of this deployment, or the base job template of its work pool",
    },
    // nextflow-io/nextflow: K8sTaskHandler.groovy getLabels (labels), getSyntheticPodName
    // (`nf-HASH`, in newer versions with a second part).
    Maker {
        kind: "nextflow",
        group: "nextflow.io",
        controllers: &[NO_CONTROLLER, "Job"],
        labels: &[("nextflow.io/app", &["nextflow"])],
        names: &[Naming::Keys(&["nextflow.io/processName"])],
        edit: "the pod directive of this process, or the scope k8s of nextflow.config",
    },
    // flyteorg/flyte: flytepropeller (a Pod is controlled by its execution, whose name is random,
    // and has the labels execution-id, node-id, workflow-name and task-name).
    Maker {
        kind: "flyte",
        group: "flyte.org",
        controllers: &["flyteworkflow"],
        labels: &[("execution-id", ANY)],
        names: &[
            Naming::Keys(&["task-name"]),
            Naming::Keys(&["workflow-name"]),
        ],
        edit: "the pod template of this task in its workflow",
    },
    // jupyterhub/kubespawner: kubespawner/spawner.py (label component, names after users), and
    // jupyterhub/zero-to-jupyterhub-k8s: files/hub/jupyterhub_config.py (labels app and release).
    Maker {
        kind: "jupyterhub",
        group: "jupyter.org",
        controllers: &[NO_CONTROLLER],
        labels: &[("component", &["singleuser-server"])],
        names: &[Naming::Keys(&["release"]), Naming::Keys(&["app"])],
        edit: "the Helm value singleuser of JupyterHub, or c.KubeSpawner in its configuration",
    },
];

const JENKINS_NAMES: &[Naming] = &[
    Naming::Read(jenkins_job),
    Naming::Cut(
        Of::Name,
        &[Part::Mixed, Part::Mixed, Part::Mixed, Part::Number],
    ),
    Naming::Cut(Of::Name, &[Part::Mixed, Part::Mixed]),
    Naming::Cut(Of::Name, &[Part::Mixed]),
];
const JENKINS_EDIT: &str =
    "podTemplate in the Jenkinsfile of this job, or the pod template of this name in Jenkins";

const AIRFLOW_EDIT: &str =
    "this task in its DAG (KubernetesPodOperator, executor_config), or Airflow's pod_template_file";
const RUNNER_SET_EDIT: &str =
    "template of the AutoscalingRunnerSet (Helm values of gha-runner-scale-set), or the workflow";

const EPHEMERAL_RUNNER: &[Part] = &[Part::Five, Part::Text("-runner"), Part::Five];

const SPARK_CONTROLLERS: &[&str] = &[NO_CONTROLLER, "Pod", "SparkApplication"];
const SPARK_ROLES: &[&str] = &["driver", "executor"];
const SPARK_OPERATOR_NAME: &str = "sparkoperator.k8s.io/app-name";
