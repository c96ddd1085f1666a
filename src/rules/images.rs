//! What the rules about images share.

use crate::analysis::{Container, Pod};
use crate::finding::{Finding, Rule};

/// The finding of `rule` at the image of `container`, which does `what` with it. The identity is
/// the repository, so that a new tag is not a new finding.
pub(super) fn finding(
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
