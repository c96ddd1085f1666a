//! A request body of any bytes: an answer or a refusal, never a crash, and an answer keeps the limits of the contract.
#![no_main]

use libfuzzer_sys::fuzz_target;
use undock::admission::review;
use undock::decision::{Mode, Policy, message};

fuzz_target!(|body: &[u8]| {
    for mode in [Mode::Warn, Mode::Enforce] {
        let policy = Policy {
            mode,
            ..Policy::default()
        };
        if let Ok(reviewed) = review(body, &policy) {
            for warning in message::warnings(&reviewed.decision) {
                assert!(warning.chars().count() <= 120 && !warning.chars().any(char::is_control));
            }
            if !reviewed.decision.is_allowed() {
                let denial = message::denial(&reviewed.decision, "ns", None);
                assert!(denial.len() <= 900 && !denial.chars().any(char::is_control));
            }
        }
    }
});
