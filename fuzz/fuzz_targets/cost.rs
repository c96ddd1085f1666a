//! The dearest object: nothing that fits into a review may cost more than its size explains.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;
use undock::finding::Context;
use undock::workload::Workload;
use undock::workload::budget::{Budget, within};
use undock::workload::object::Object;

/// Most steps for a byte so far.
static WORST: AtomicU64 = AtomicU64::new(0);

const UNLIMITED: Budget = Budget {
    steps: u64::MAX,
    bytes: u64::MAX,
};

/// Objects smaller than this cost what any object costs.
const MIN: usize = 1024;

fuzz_target!(|text: &str| {
    let Ok(object) = serde_json::from_str::<Object<'_>>(text) else {
        return;
    };
    let ((), spent) = within(UNLIMITED, || {
        let workload = Workload::new(&object, "default");
        let _ = undock::rules::evaluate(&workload, Context::default());
    });
    let steps = spent.steps / text.len().max(MIN) as u64;
    if WORST.fetch_max(steps, Ordering::Relaxed) < steps {
        eprintln!("dearest so far: {steps} steps per byte of {}", text.len());
    }
    assert!(steps <= 2_000, "{steps} steps per byte");
});
