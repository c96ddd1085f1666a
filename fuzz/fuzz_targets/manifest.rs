//! A manifest file of any bytes: objects or errors with places inside the file, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use undock::check::{Input, check};
use undock::decision::{Mode, Policy};

fuzz_target!(|bytes: &[u8]| {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    let checked = check(&[Input::new("fuzz.yaml", bytes)], "", &policy);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 2;
    for placed in checked.objects.iter().flat_map(|object| &object.findings) {
        assert!(
            (1..=lines).contains(&placed.line),
            "line {} of {lines}",
            placed.line
        );
    }
});
