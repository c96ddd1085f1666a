//! The HTML report in a real browser: charts, no request, no script, hostile names as text, phone and paper, axe-core.
//!
//! Needs Chromium, Node and `npm ci --prefix tests/browser`. `UNDOCK_BROWSER` names Chromium; without it the test is skipped and says so.
//! Pictures of every page stay in `target/browser/`.

#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    reason = "a test that fails is a test that panics"
)]

mod pages;
#[path = "../it/report/support.rs"]
#[allow(dead_code, reason = "shared with the report's other tests")]
mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use pages::Page;

#[test]
fn the_report_in_a_browser() {
    let Some(browser) = std::env::var_os("UNDOCK_BROWSER") else {
        // Past the test runner, which keeps what a passing test prints to itself.
        let told = "\nbrowser: SKIPPED: the report was not opened in a browser, because UNDOCK_BROWSER is not set.\n\
                    To run it: npm ci --prefix tests/browser && UNDOCK_BROWSER=$(command -v chromium) cargo test --test browser\n\n";
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        return;
    };
    assert!(
        Path::new("tests/browser/node_modules/axe-core").is_dir(),
        "axe-core is missing: npm ci --prefix tests/browser"
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser");
    std::fs::create_dir_all(&folder).unwrap();
    let pages = pages::all();
    let files: Vec<PathBuf> = pages.iter().map(|page| page.write(&folder)).collect();
    let output = Command::new("node")
        .arg("tests/browser/report.mjs")
        .arg(browser)
        .arg(&folder)
        .args(&files)
        .output();
    let output = output.unwrap_or_else(|error| panic!("cannot run node: {error}"));
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let told = String::from_utf8(output.stdout).unwrap();
    let seen: Vec<Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(seen.len(), pages.len());
    for (page, seen) in pages.iter().zip(&seen) {
        judge(page, seen);
    }
}

fn judge(page: &Page, seen: &Value) {
    let name = page.name;
    assert_eq!(
        seen["wrong"],
        serde_json::json!([]),
        "{name}: {:#}",
        seen["wrong"]
    );
    assert_eq!(seen["charts"], page.charts, "{name}: charts");
    assert_eq!(
        seen["backgrounds"], 2,
        "{name}: light and dark look the same"
    );
    assert!(
        seen["axe"].as_u64().unwrap() > 40,
        "{name}: axe looked at too little: {}",
        seen["axe"]
    );
    assert!(
        seen["pdf"].as_u64().unwrap() > 5_000,
        "{name}: nothing was printed"
    );
    let text = seen["text"].as_str().unwrap();
    for needle in &page.texts {
        assert!(text.contains(needle), "{name} does not show {needle:?}");
    }
}
