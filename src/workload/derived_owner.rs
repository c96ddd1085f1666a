//! Finds the owner of an object: by its series, its controller reference, and the names that
//! controllers give.

use super::object::Object;
use super::owner::{Owner, OwnerSource, group_of, own};
use super::series;
use super::text::TextMap;

/// The owner of `object`, by its controller reference.
///
/// A ReplicaSet of a Deployment is named `DEPLOYMENT-HASH` with the hash in the label
/// `pod-template-hash` (deployment controller), a Job of a CronJob `CRONJOB-MINUTES` (cronjob
/// controller, minutes since 1970).
pub(super) fn of<'a>(object: &'a Object<'a>) -> Owner<'a> {
    // A mirror Pod is controlled by its Node, but what people edit is the static Pod's file.
    let controller = object.controller();
    let controller = controller.filter(|reference| *reference.kind != *"Node");
    if let Some(owner) = series::of(object, controller) {
        return owner;
    }
    let Some(reference) = controller else {
        return own(object);
    };
    derive(
        &reference.api_version,
        &reference.kind,
        &reference.name,
        &object.metadata.labels,
    )
}

/// The labels that hold the hash at the end of a ReplicaSet's name, and what made the ReplicaSet
/// then: the deployment controller, and argoproj/argo-rollouts (types.go
/// `DefaultRolloutUniqueLabelKey`, rollout/sync.go).
const HASHES: [(&str, &str, &str); 2] = [
    ("pod-template-hash", "apps", "Deployment"),
    ("rollouts-pod-template-hash", "argoproj.io", "Rollout"),
];

/// How knative/serving names the Deployment of a revision, and the label with the name of the
/// Service (pkg/apis/serving/register.go), which all that it makes for one has.
const KNATIVE_SUFFIX: &str = "-deployment";
const KNATIVE_LABEL: &str = "serving.knative.dev/service";

/// What a person edits, told from the controller of an object and from the object's labels.
pub(crate) fn derive<'a>(
    api_version: &'a str,
    kind: &'a str,
    name: &'a str,
    labels: &'a TextMap<'a>,
) -> Owner<'a> {
    let derived = |group: &'a str, kind: &'a str, name: &'a str| Owner {
        group: group.into(),
        kind: kind.into(),
        name: name.into(),
        source: OwnerSource::Derived,
    };
    let knative = || {
        let service = labels.get(KNATIVE_LABEL)?;
        Some(derived("serving.knative.dev", "Service", service))
    };
    match kind {
        "ReplicaSet" => {
            let made_by = |(label, group, kind)| {
                let hash = labels.get(label).filter(|hash| !hash.is_empty())?;
                let maker = name.strip_suffix(hash)?.strip_suffix('-')?;
                let knative = maker.ends_with(KNATIVE_SUFFIX).then(knative).flatten();
                Some(knative.unwrap_or_else(|| derived(group, kind, maker)))
            };
            let mut owners = HASHES.into_iter().filter_map(made_by);
            let replica_set = || derived("apps", "ReplicaSet", name);
            owners.next().unwrap_or_else(replica_set)
        }
        "Job" => match name.rsplit_once('-') {
            Some((cron_job, minutes))
                if minutes.len() >= 8 && minutes.bytes().all(|b| b.is_ascii_digit()) =>
            {
                derived("batch", "CronJob", cron_job)
            }
            _ => series_of("batch", kind, name).unwrap_or_else(|| derived("batch", "Job", name)),
        },
        "Revision" if api_version.starts_with("serving.knative.dev/") => {
            knative().unwrap_or_else(|| derived("serving.knative.dev", kind, name))
        }
        // openshift/origin (apps types.go `DeploymentConfigLabel`): `CONFIG-NUMBER`.
        "ReplicationController" => {
            let config = labels.get("deploymentconfig").filter(|config| {
                let number = name
                    .strip_prefix(config)
                    .and_then(|rest| rest.strip_prefix('-'));
                number.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            });
            match config {
                Some(config) => derived("apps.openshift.io", "DeploymentConfig", config),
                None => derived("", kind, name),
            }
        }
        kind => {
            let group = group_of(api_version);
            series_of(group, kind, name).unwrap_or_else(|| derived(group, kind, name))
        }
    }
}

/// The series of a controller whose name was generated: a run of a pipeline, say, which nobody
/// edits.
fn series_of<'a>(group: &'a str, kind: &'a str, name: &str) -> Option<Owner<'a>> {
    Some(Owner {
        group: group.into(),
        kind: kind.into(),
        name: series::of_controller(kind, name)?.into(),
        source: OwnerSource::Series,
    })
}
