//! Kinds that a controller turns into other objects, with a chart or a repository that only it
//! sees.

/// Group and kinds. Sources: the documentation of each tool.
const KINDS: [(&str, &[&str]); 12] = [
    ("addons.cluster.x-k8s.io", &["HelmChartProxy"]),
    ("argoproj.io", &["Application", "ApplicationSet"]),
    ("config.projectsveltos.io", &["ClusterProfile", "Profile"]),
    ("fleet.cattle.io", &["Bundle", "GitRepo"]),
    ("helm.cattle.io", &["HelmChart", "HelmChartConfig"]),
    ("helm.crossplane.io", &["Release"]),
    ("helm.fluxcd.io", &["HelmRelease"]),
    ("helm.toolkit.fluxcd.io", &["HelmRelease"]),
    ("kappctrl.k14s.io", &["App"]),
    ("kustomize.config.k8s.io", &["Component", "Kustomization"]),
    ("kustomize.toolkit.fluxcd.io", &["Kustomization"]),
    ("packaging.carvel.dev", &["PackageInstall"]),
];

/// True for a kind whose objects hold values and patches of what they become, and no pods of their
/// own.
pub(crate) fn is_rendered(group: &str, kind: &str) -> bool {
    // Most objects are Kubernetes' own, in groups that no list has to be searched for.
    if !group.contains('.') {
        return false;
    }
    let known = KINDS.iter().find(|(of, _)| *of == group);
    known.is_some_and(|(_, kinds)| kinds.contains(&kind))
}
