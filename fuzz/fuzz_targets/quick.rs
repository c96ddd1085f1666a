//! Documents of any text: the quick reader builds the tree that the parser builds, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use undock::manifest::{difference, documents};

fuzz_target!(|text: &str| {
    for document in documents(text) {
        assert_eq!(difference(&document), None, "{:?}", document.text);
    }
});
