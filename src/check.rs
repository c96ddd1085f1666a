//! The check of manifests: the same evaluation as the webhook's, with the places of what it finds.

pub mod json;
pub mod table;

use crate::decision::{self, Decision, Judged, Outcome, Policy};
use crate::manifest::{Item, Manifest, ManifestError, documents};
use crate::workload::Workload;

/// What became of all inputs.
#[derive(Debug, Default)]
pub struct Checked {
    /// Inputs that were read, standard input included.
    pub files: usize,
    /// Every object, in the order of the inputs.
    pub objects: Vec<CheckedObject>,
    /// Documents that are no Kubernetes objects.
    pub skipped: usize,
    /// What could not be read.
    pub errors: Vec<CheckError>,
}

/// One object.
#[derive(Debug)]
pub struct CheckedObject {
    /// Path of the input, `-` for standard input.
    pub file: String,
    /// Template that Helm made it from.
    pub source: Option<String>,
    /// Line at which it starts, from 1.
    pub line: usize,
    /// `apiVersion` as written.
    pub api_version: String,
    /// Kind as written.
    pub kind: String,
    /// Namespace; empty if none is written and none was given.
    pub namespace: String,
    /// Name, else `generateName`.
    pub name: String,
    /// Kind of the object that a person edits.
    pub owner_kind: String,
    /// Its name.
    pub owner_name: String,
    /// The strongest action.
    pub outcome: Outcome,
    /// Its findings.
    pub findings: Vec<Placed>,
}

/// A finding with its place.
#[derive(Debug)]
pub struct Placed {
    /// The finding.
    pub judged: Judged,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The text of that line.
    pub text: String,
}

/// An input, or a part of one, that could not be read.
#[derive(Debug)]
pub struct CheckError {
    /// Path of the input.
    pub file: String,
    /// Line, from 1; 0 where the whole input could not be read.
    pub line: usize,
    /// Column, from 1; 0 as above.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl Checked {
    /// Objects with a finding of any action.
    pub fn flagged(&self) -> usize {
        self.objects.iter().filter(|object| !object.findings.is_empty()).count()
    }

    /// Objects with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.objects.iter().filter(|object| object.outcome == outcome).count()
    }

    /// The strongest outcome of all.
    pub fn worst(&self) -> Outcome {
        self.objects.iter().map(|object| object.outcome).max().unwrap_or(Outcome::Clean)
    }

    /// Checks `bytes`, the content of `file`. `namespace` is that of objects that name none.
    pub fn add(&mut self, file: &str, bytes: &[u8], namespace: &str, policy: &Policy) {
        self.files += 1;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = memchr::memchr_iter(b'\n', before).count() + 1;
                let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
                self.errors.push(CheckError { file: file.to_owned(), line, column, message: "not UTF-8 text".to_owned() });
                return;
            }
        };
        let mut lines = Lines { text, starts: Vec::new() };
        for document in documents(text) {
            let manifest = match Manifest::parse(&document) {
                Ok(manifest) => manifest,
                Err(error) => {
                    self.fail(file, error);
                    continue;
                }
            };
            self.skipped += manifest.skipped();
            for item in manifest.items() {
                match check_item(&manifest, item, namespace, policy, &mut lines) {
                    Ok(object) => {
                        self.objects.push(CheckedObject { file: file.to_owned(), source: document.source.map(str::to_owned), ..object });
                    }
                    Err(error) => self.fail(file, error),
                }
            }
        }
    }

    fn fail(&mut self, file: &str, error: ManifestError) {
        self.errors.push(CheckError { file: file.to_owned(), line: error.line, column: error.column, message: error.message });
    }
}

fn check_item(
    manifest: &Manifest<'_>,
    item: &Item,
    namespace: &str,
    policy: &Policy,
    lines: &mut Lines<'_>,
) -> Result<CheckedObject, ManifestError> {
    let object = manifest.object(item)?;
    let mut workload = Workload::new(&object, namespace);
    if Workload::is_judged_by_texts(workload.kind()) {
        workload.leaves = manifest.leaves(item);
    }
    let Decision { outcome, findings, .. } = decision::decide(&workload, None, policy);
    let placed = findings.into_iter().map(|judged| {
        let (line, column) = manifest.locate(item, &judged.finding.field);
        Placed { judged, line, column, text: lines.get(line).to_owned() }
    });
    Ok(CheckedObject {
        file: String::new(),
        source: None,
        line: manifest.start(item).0,
        api_version: workload.api_version().to_owned(),
        kind: workload.kind().to_owned(),
        namespace: workload.namespace.to_owned(),
        name: workload.name.to_owned(),
        owner_kind: workload.owner.kind.to_string(),
        owner_name: workload.owner.name.to_string(),
        outcome,
        findings: placed.collect(),
    })
}

/// The lines of a text, looked up by number; the starts are found at the first look.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Line `number`, from 1, without its end.
    fn get(&mut self, number: usize) -> &'t str {
        if self.starts.is_empty() {
            self.starts.push(0);
            self.starts.extend(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1));
        }
        let Some(&start) = self.starts.get(number.wrapping_sub(1)) else { return "" };
        let end = self.starts.get(number).map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }
}
