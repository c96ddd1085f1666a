//! The image reader against a reference implementation of the grammar: what both accept, both take apart alike.

use docker_image_reference::Reference;
use proptest::prelude::*;
use undock::workload::image::ImageReference;

fn references() -> impl Strategy<Value = String> {
    let host = "(|localhost/|localhost:5000/|[a-z]{1,8}\\.[a-z]{2,3}/|[a-z]{1,8}\\.io:[0-9]{2,4}/|10\\.0\\.0\\.1:5000/)";
    let path = "[a-z0-9]{1,8}((\\.|_|__|-)[a-z0-9]{1,4})?(/[a-z0-9]{1,8}){0,3}";
    let tag = "(|:[0-9A-Za-z_][0-9A-Za-z_.-]{0,10})";
    let digest = "(|@sha256:[0-9a-f]{64})";
    (host, path, tag, digest)
        .prop_map(|(host, path, tag, digest)| format!("{host}{path}{tag}{digest}"))
}

proptest! {
    #[test]
    fn tag_digest_and_name_agree(text in references()) {
        let ours = ImageReference::parse(&text);
        let theirs = Reference::from_str(&text).expect("the strategy makes valid references");
        prop_assert_eq!(ours.tag, theirs.tag());
        let digest = theirs.digest_hex().map(|hex| format!("sha256:{hex}"));
        prop_assert_eq!(ours.digest.map(str::to_owned), digest);
        // The grammar does not normalise: what is left of host and path is the end of the name.
        let path = ours.path.strip_prefix("library/").unwrap_or(&ours.path);
        prop_assert!(theirs.name().ends_with(path), "{} does not end with {}", theirs.name(), path);
        if ours.host != "docker.io" {
            prop_assert_eq!(format!("{}/{}", ours.host, ours.path), theirs.name());
        }
    }

    #[test]
    fn a_tag_or_digest_never_changes_the_repository(text in references(), tag in "[a-z0-9]{1,5}") {
        let bare = text.split('@').next().unwrap();
        let ours = ImageReference::parse(bare);
        let name = match ours.tag { Some(tag) => bare.strip_suffix(&format!(":{tag}")).unwrap(), None => bare };
        let with_digest = format!("{name}:{tag}@sha256:{}", "0".repeat(64));
        for other in [format!("{name}:{tag}"), with_digest] {
            prop_assert_eq!(ImageReference::parse(&other).repository(), ours.repository());
        }
    }

    #[test]
    fn anything_is_read(text in "\\PC{0,60}") {
        let image = ImageReference::parse(&text);
        prop_assert!(!image.repository().is_empty());
    }
}
