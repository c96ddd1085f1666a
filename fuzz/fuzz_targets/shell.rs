//! A script of any text: commands with words, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use undock::workload::shell::{read_argv, read_script};

fuzz_target!(|script: &str| {
    for call in read_script(script)
        .into_iter()
        .chain(read_argv(["sh", "-c", script]))
    {
        assert!(!call.words.is_empty());
    }
});
