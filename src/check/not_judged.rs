//! Objects that a controller turns into others: charts with values, overlays of remote bases.
//!
//! What they hold is read like any configuration. What they will become is decided by a chart or a
//! repository that is not here, so an object without findings is not clean: it is not judged.

use crate::embedded::Node;
use crate::workload::Workload;
use crate::workload::rendered;
use crate::workload::search::mentions;

/// What `workload` will become that nobody can see here; `None` for an object that is all there is.
pub(super) fn unseen(workload: &Workload<'_>) -> Option<String> {
    let (group, _) = workload.api_version().split_once('/')?;
    if !rendered::is_rendered(group, workload.kind()) {
        return None;
    }
    let root = workload.string_fields.object();
    match group {
        "argoproj.io" => argo_cd(root),
        "helm.toolkit.fluxcd.io" | "helm.fluxcd.io" => helm_release(root),
        "helm.cattle.io" => k3s(root),
        "kustomize.toolkit.fluxcd.io" => patches_with_docker(root.get("spec")?),
        "kustomize.config.k8s.io" => kustomize(root),
        "fleet.cattle.io" => fleet(root),
        "helm.crossplane.io" => Some(chart(root.text_of("spec.forProvider.chart.name"))),
        "addons.cluster.x-k8s.io" => Some(chart(root.text_of("spec.chartName"))),
        "config.projectsveltos.io" => sveltos(root),
        _ => carvel(root),
    }
}

/// `chart NAME`, or another word where the object does not name it.
fn chart(name: Option<&str>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("chart {name}"),
        None => "a chart".to_owned(),
    }
}

fn argo_cd(root: &Node) -> Option<String> {
    let spec = [root.get("spec"), root.get("spec.template.spec")];
    let specs = || spec.iter().flatten();
    let sources = specs().flat_map(|spec| {
        let several = spec.all("sources").into_iter().flat_map(Node::elements);
        spec.all("source").into_iter().chain(several)
    });
    let mut seen = sources.filter_map(|source| {
        if let Some(name) = source.get("chart") {
            return Some(chart(name.text()));
        }
        if source.get("helm").is_some() {
            return Some(chart(source.text_of("path")));
        }
        let overlay = source.get("kustomize");
        if let Some(patches) = overlay.and_then(patches_with_docker) {
            return Some(patches);
        }
        source.get("plugin").map(|_| "a plugin".to_owned())
    });
    seen.next()
}

fn helm_release(root: &Node) -> Option<String> {
    let spec = root.get("spec")?;
    let names = [
        "chart.spec.chart",
        "chartRef.name",
        "chart.name",
        "chart.path",
    ];
    Some(chart(names.iter().find_map(|name| spec.text_of(name))))
}

fn k3s(root: &Node) -> Option<String> {
    let own = root.text_of("spec.chart").or(root.text_of("metadata.name"));
    Some(chart(own))
}

fn kustomize(root: &Node) -> Option<String> {
    let charts = ["helmCharts", "helmChartInflationGenerator"];
    if let Some(charts) = charts.iter().find_map(|key| root.get(key)) {
        let first = charts.elements().first();
        let name = first.and_then(|first| first.text_of("name").or(first.text_of("chartName")));
        return Some(chart(name));
    }
    let bases = ["resources", "bases", "components"];
    let mut bases = bases.iter().flat_map(|key| root.texts_of(key));
    let remote = bases.find_map(|base| base.text().filter(|base| is_remote(base)));
    remote
        .map(|base| format!("remote resources {base}"))
        .or_else(|| patches_with_docker(root))
}

/// True for a base that kustomize fetches (kubernetes-sigs/kustomize: examples/remoteBuild.md).
fn is_remote(base: &str) -> bool {
    base.contains("://")
        || base.starts_with("git@")
        || base.contains("?ref=")
        || ["github.com/", "gitlab.com/", "bitbucket.org/"]
            .iter()
            .any(|host| base.starts_with(host))
}

/// Patches that name Docker: what they change is not here. Others bring nothing of Docker.
fn patches_with_docker(root: &Node) -> Option<String> {
    const KEYS: [&str; 4] = [
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "postBuild",
    ];
    let mut names_docker = false;
    for patches in KEYS.iter().flat_map(|key| root.all(key)) {
        patches.walk(&mut |_, node| {
            let text = node.text().unwrap_or_default();
            names_docker |= mentions(text, "docker") || mentions(text, "DOCKER");
        });
    }
    names_docker.then(|| "patches that name Docker".to_owned())
}

fn fleet(root: &Node) -> Option<String> {
    let helm = root.get("spec.helm").or_else(|| root.get("helm"))?;
    Some(chart(helm.text_of("chart")))
}

fn sveltos(root: &Node) -> Option<String> {
    let charts = root.get("spec.helmCharts")?;
    let first = charts.elements().first()?;
    Some(chart(first.text_of("chartName")))
}

fn carvel(root: &Node) -> Option<String> {
    let spec = root.get("spec")?;
    let package = spec.text_of("packageRef.refName");
    let is_rendered = spec.get("template").is_some() || package.is_some();
    is_rendered.then(|| format!("package {}", package.unwrap_or("of an App")))
}
