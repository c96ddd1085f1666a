//! The exemptions on the owner of an object that a built-in controller makes: an annotation of a
//! Deployment is not copied to its Pods, so where a Pod would be refused its owner is asked.

use std::time::Duration;

use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::api::ApiError;
use crate::api::path::{is_dns_label, resource};
use crate::api::request::get_metadata;
use crate::decision::exemption::{Exemption, Scope};
use crate::decision::{OwnerExemptions, UnreadOwner, controllers};
use crate::finding::text::clip;
use crate::workload::Workload;
use crate::workload::object::Object;

/// Time that is taken at most; half of the API server's timeout if that is less.
const MAX_TIME: Duration = Duration::from_secs(1);
/// Owners that are read at the same time.
static ROOM: Semaphore = Semaphore::const_new(8);
/// A Pod of a Job of a CronJob, or of a ReplicaSet of a Deployment.
const MAX_STEPS: usize = 2;

/// Why the exemptions of an owner are not known.
#[derive(Debug, thiserror::Error)]
enum OwnerError {
    #[error("{0}")]
    Api(#[from] ApiError),
    #[error("it was made again since")]
    Replaced,
    #[error("the request names no namespace")]
    NoNamespace,
    #[error("time ran out")]
    Late,
}

/// Reads the exemptions that hold for what is made for `owner`: those of the object at the top of
/// its owners. `left` is how long the API server still waits for the answer.
pub async fn exemptions(client: &Client, owner: &UnreadOwner, left: Duration) -> OwnerExemptions {
    let reading = async {
        let _room = ROOM.acquire().await;
        read(client, owner).await
    };
    let read = timeout(MAX_TIME.min(left / 2), reading).await;
    match read.unwrap_or(Err(OwnerError::Late)) {
        Ok(exemptions) => OwnerExemptions {
            exemptions,
            problem: None,
        },
        Err(error) => {
            let (kind, name) = (owner.controller.owner, clip(&owner.name, 63));
            OwnerExemptions {
                exemptions: Vec::new(),
                problem: Some(format!(
                    "cannot read the exemptions of {kind} {name}: {error}"
                )),
            }
        }
    }
}

async fn read(client: &Client, owner: &UnreadOwner) -> Result<Vec<Exemption>, OwnerError> {
    // The names are those of a review, which need not come from the API server.
    if !is_dns_label(&owner.namespace) {
        return Err(OwnerError::NoNamespace);
    }
    let mut at = (owner.controller, owner.name.clone(), owner.uid.clone());
    for _ in 0..MAX_STEPS {
        let (controller, name, uid) = &at;
        let kind = controller.kind();
        let path = resource(
            kind.group,
            &kind.version,
            &owner.namespace,
            kind.plural,
            name,
        );
        let body = get_metadata(client, &path).await?;
        let object: Object<'_> = serde_json::from_slice(&body)
            .map_err(|error| ApiError::Unreadable(error.to_string()))?;
        let workload = Workload::new(&object, "");
        if *object.metadata.uid != **uid {
            return Err(OwnerError::Replaced);
        }
        let above = workload.controller().and_then(|reference| {
            let controller = controllers::of(controller.owner, reference)?;
            Some((
                controller,
                reference.name.to_string(),
                reference.uid.to_string(),
            ))
        });
        match above {
            // Its own annotations are copies, or those of a job template.
            Some(above) => at = above,
            None => {
                let annotations = object.metadata.annotations.iter();
                return Ok(Exemption::of(annotations, Scope::Workload));
            }
        }
    }
    // No built-in controller makes longer chains.
    Ok(Vec::new())
}
