//! Paths and images of any text: cleaning twice changes nothing, a reference always has a repository.
#![no_main]

use libfuzzer_sys::fuzz_target;
use undock::workload::host_path::HostPath;
use undock::workload::image::ImageReference;

fuzz_target!(|text: &str| {
    let clean = HostPath::new(text);
    assert_eq!(HostPath::new(clean.as_str()), clean);
    assert!(!ImageReference::parse(text).repository().is_empty());
});
