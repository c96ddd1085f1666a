//! The findings that rules share: for a call of a program, for an image, for a setting that names a
//! socket, for a text of an object.

use crate::analysis::scripts::{Script, TextCommand, place_of};
use crate::analysis::{Command, Container, Pod, Workload, docker_usage, sockets};
use crate::finding::{Action, Certainty, Finding, Rule};
use crate::workload::host_path::HostPath;
use crate::workload::pod::TextField;
use crate::workload::string_fields::StringField;

/// The finding of `rule` for `command`, which is the call `shown`.
pub(super) fn call_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    command: &Command,
    shown: &str,
) -> Finding {
    let text = container.text_at(command.field);
    Finding::new(rule)
        .in_container(pod, container, command.field.path())
        .evidence(shown)
        .offset(text.and_then(|text| place_of(&command.invocation, text)))
}

/// The finding for a setting that names the socket `path`.
pub(super) fn setting_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    field: TextField,
    path: &str,
) -> Finding {
    Finding::new(rule)
        .in_container(pod, container, field.path())
        .what(format!("names {path} in {}", container.describe(field)))
        .evidence(path)
        .identity(HostPath::new(path).as_str())
}

/// A finding in a script that handles other runtimes, too, is only recorded.
pub(super) fn for_several_runtimes(finding: Finding) -> Finding {
    finding
        .advisory("the script also handles other runtimes")
        .consequence("")
}

/// A finding about a setting of `container` that leads to the node's socket `path`.
pub(super) fn names_node_socket(
    finding: Finding,
    container: &Container<'_>,
    path: &HostPath,
) -> Finding {
    if sockets::is_agent_of_several(container) {
        finding
            .advisory("one of several runtimes' sockets")
            .consequence("the agent also names a CRI socket; drop this one")
    } else {
        finding.consequence(format!("it is the node's {}", path.shown()))
    }
}

/// The finding of `rule` at the image of `container`, which does `what` with it. The identity is
/// the repository, so that a new tag is not a new finding.
pub(super) fn image_finding(
    rule: &'static Rule,
    pod: &Pod<'_>,
    container: &Container<'_>,
    what: &str,
) -> Finding {
    let image = container.raw.image.as_str();
    Finding::new(rule)
        .in_container(pod, container, "image")
        .what(format!("{what} {image}"))
        .evidence(image)
        .identity(container.image().repository())
}

/// The finding of `rule` at `string_field` of the object.
pub(super) fn object_finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    string_field: &StringField,
) -> Finding {
    // A file of kubeadm has no name.
    let name = if workload.name.is_empty() {
        workload.kind()
    } else {
        workload.name
    };
    Finding::new(rule)
        .on("object", name)
        .field(string_field.path.as_str())
}

/// The finding of `rule` for `command` of `script`, which is the call `shown`: who runs it, and
/// where, is not shown.
pub(super) fn script_finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    script: &Script<'_>,
    command: &TextCommand,
    shown: &str,
) -> Finding {
    let place = || place_of(&command.invocation, &script.field.text);
    let finding = object_finding(rule, workload, script.field)
        .what(format!("runs \"{shown}\""))
        .evidence(shown)
        .offset(command.offset.or_else(place))
        .certainty(Certainty::Possible)
        .action(Action::Warn)
        .reason("where it runs is not visible");
    match docker_usage::run_other_runtimes(script.calls()) {
        true => for_several_runtimes(finding),
        false => finding,
    }
}

/// A finding about a port that the node's daemon or one in the Pod has.
pub(super) fn shared_port(finding: Finding) -> Finding {
    finding
        .certainty(Certainty::Possible)
        .action(Action::Warn)
        .reason("under hostNetwork the node's daemon can have that port")
        .consequence("a daemon in the Pod has it only where the node has none")
}
