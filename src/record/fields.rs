//! The parts of a record, from the workload and from what was decided about a finding.

use super::{FindingFields, ObjectFields, OwnerFields};
use crate::decision::Judged;
use crate::finding::Action;
use crate::workload::Workload;

impl From<&Workload<'_>> for ObjectFields {
    fn from(workload: &Workload<'_>) -> Self {
        let (metadata, api_version) = (&workload.object.metadata, workload.api_version());
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: workload.kind().to_owned(),
            name: metadata.name.to_string(),
            generate_name: if metadata.name.is_empty() {
                metadata.generate_name.to_string()
            } else {
                String::new()
            },
            uid: metadata.uid.to_string(),
        }
    }
}

impl From<&Workload<'_>> for OwnerFields {
    fn from(workload: &Workload<'_>) -> Self {
        let metadata = &workload.object.metadata;
        let helm = metadata.annotations.get("meta.helm.sh/release-name");
        let flux = metadata
            .labels
            .get("helm.toolkit.fluxcd.io/name")
            .or(metadata.labels.get("kustomize.toolkit.fluxcd.io/name"));
        let managed_by = match (helm, flux) {
            (_, Some(_)) => Some("flux"),
            (Some(_), None) => Some("helm"),
            (None, None) => metadata.labels.get("app.kubernetes.io/managed-by"),
        };
        Self {
            group: workload.owner.group.to_string(),
            kind: workload.owner.kind.to_string(),
            name: workload.owner.name.to_string(),
            source: workload.owner.source.as_str().into(),
            team: metadata.labels.get("team").map(str::to_owned),
            managed_by: managed_by.map(str::to_lowercase),
            release: flux
                .or(helm)
                .or(metadata.labels.get("app.kubernetes.io/instance"))
                .map(str::to_owned),
        }
    }
}

impl From<&Judged> for FindingFields {
    fn from(judged: &Judged) -> Self {
        let finding = &judged.finding;
        Self {
            rule: finding.rule.code.into(),
            rule_name: finding.rule.name.into(),
            severity: finding.impact.as_str().into(),
            certainty: finding.certainty.as_str().into(),
            action: judged.action.as_str().into(),
            denies: Some(judged.unlimited == Action::Deny),
            container: finding.container.clone(),
            field: finding.field.clone(),
            evidence: finding.evidence.clone(),
            fingerprint: judged.fingerprint.clone(),
            status: if judged.exempt.is_some() {
                "exempt"
            } else {
                "open"
            }
            .into(),
            exempt_until: judged
                .exempt
                .as_ref()
                .map(|granted| granted.terms.until.to_string()),
            exempt_ref: judged
                .exempt
                .as_ref()
                .map(|granted| granted.terms.reference.clone())
                .filter(|reference| !reference.is_empty()),
            exempt_scope: judged
                .exempt
                .as_ref()
                .map(|granted| granted.scope.as_str().to_owned()),
        }
    }
}
