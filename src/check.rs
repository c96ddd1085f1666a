//! The check of manifests: the same evaluation as the webhook's, with the places of what it finds.

pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod table;

use std::sync::Arc;

use crate::decision::facts::{ClusterFacts, Known};
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Decision, Judged, Outcome, Policy, Writer};
use crate::finding::text::clip;
use crate::manifest::{Document, Item, Manifest, ManifestError, documents};
use crate::workload::inner_pod::InnerPod;
use crate::workload::object::Object;
use crate::workload::{Surroundings, Workload};

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
    surroundings: Surroundings,
    /// Settings of the Namespaces among the objects.
    facts: Arc<ClusterFacts>,
    waiting: Vec<Waiting>,
}

/// A document with objects whose findings depend on objects that may come later.
#[derive(Debug)]
struct Waiting {
    text: String,
    line: usize,
    column: usize,
    objects: Vec<WaitingObject>,
}

#[derive(Clone, Copy, Debug)]
struct WaitingObject {
    /// Its place in [`Checked::objects`].
    object: usize,
    /// Its place among the document's items.
    item: usize,
    /// It may depend on any other object, not only on its Namespace.
    needs_surroundings: bool,
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
    /// What its writer should know besides: an exemption that does not hold, a label without meaning.
    pub notes: Vec<String>,
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
        self.objects
            .iter()
            .filter(|object| !object.findings.is_empty())
            .count()
    }

    /// Objects with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.objects
            .iter()
            .filter(|object| object.outcome == outcome)
            .count()
    }

    /// The strongest outcome of all.
    pub fn worst(&self) -> Outcome {
        self.objects
            .iter()
            .map(|object| object.outcome)
            .max()
            .unwrap_or(Outcome::Clean)
    }

    /// Checks `bytes`, the content of `file`. `namespace` is that of objects that name none.
    pub fn add(&mut self, file: &str, bytes: &[u8], namespace: &str, policy: &Policy) {
        self.files += 1;
        // Windows writes it: no text begins with its byte order marks or with NUL.
        if matches!(
            bytes,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..]
        ) {
            let message = "UTF-16 text: save it as UTF-8".to_owned();
            return self.fail(
                file,
                ManifestError {
                    line: 1,
                    column: 1,
                    message,
                },
            );
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = memchr::memchr_iter(b'\n', before).count() + 1;
                let column =
                    before.len() - memchr::memrchr(b'\n', before).map_or(0, |at| at + 1) + 1;
                return self.fail(
                    file,
                    ManifestError {
                        line,
                        column,
                        message: "not UTF-8 text".to_owned(),
                    },
                );
            }
        };
        let mut lines = Lines {
            text,
            first: 1,
            starts: Vec::new(),
        };
        for document in documents(text) {
            let manifest = match Manifest::parse(&document) {
                Ok(manifest) => manifest,
                Err(error) => {
                    self.fail(file, error);
                    continue;
                }
            };
            self.skipped += manifest.skipped();
            let mut waiting = Vec::new();
            for (index, item) in manifest.items().iter().enumerate() {
                let object = match manifest.object(item) {
                    Ok(object) => object,
                    Err(error) => {
                        self.fail(file, error);
                        continue;
                    }
                };
                let inner = manifest.inner_pods(item);
                let workload = match view(&manifest, item, &object, &inner, (namespace, policy)) {
                    Ok(workload) => workload,
                    Err(error) => {
                        self.fail(file, error);
                        continue;
                    }
                };
                self.surroundings.note(&workload);
                if workload.kind() == "Namespace" {
                    // The mode is the question's; what the Namespace exempts is part of the answer.
                    let settings = NamespaceSettings {
                        mode: None,
                        ..NamespaceSettings::of(&workload)
                    };
                    self.facts.set_watching();
                    self.facts.set_namespace(workload.name, Some(settings));
                }
                let judgement = place(&manifest, item, &workload, policy, &mut lines);
                let needs_surroundings = workload.needs_surroundings();
                if needs_surroundings || judgement.outcome >= Outcome::Warn {
                    waiting.push(WaitingObject {
                        object: self.objects.len(),
                        item: index,
                        needs_surroundings,
                    });
                }
                let line = manifest.start(item).0;
                self.objects.push(CheckedObject::new(
                    file,
                    document.source,
                    line,
                    &workload,
                    judgement,
                ));
            }
            if !waiting.is_empty() {
                // Once for all of them: a list can hold every object of a cluster.
                let Document {
                    text, line, column, ..
                } = document;
                self.waiting.push(Waiting {
                    text: text.to_owned(),
                    line,
                    column,
                    objects: waiting,
                });
            }
        }
    }

    /// Checks again what depends on other objects, now that all are known.
    pub fn finish(&mut self, namespace: &str, policy: &Policy) {
        let policy = &Policy {
            facts: Arc::clone(&self.facts),
            ..policy.clone()
        };
        for mut waiting in std::mem::take(&mut self.waiting) {
            waiting.objects.retain(|waiting| self.may_change(*waiting));
            if waiting.objects.is_empty() {
                continue;
            }
            let document = Document {
                text: &waiting.text,
                line: waiting.line,
                column: waiting.column,
                source: None,
            };
            // It was read before, from the same text.
            let Ok(manifest) = Manifest::parse(&document) else {
                continue;
            };
            let mut lines = Lines {
                text: document.text,
                first: waiting.line,
                starts: Vec::new(),
            };
            for WaitingObject { object, item, .. } in waiting.objects {
                let checked = &mut self.objects[object];
                let Some(item) = manifest.items().get(item) else {
                    continue;
                };
                let Ok(object) = manifest.object(item) else {
                    continue;
                };
                let inner = manifest.inner_pods(item);
                let Ok(mut workload) = view(&manifest, item, &object, &inner, (namespace, policy))
                else {
                    continue;
                };
                workload.place_in(&self.surroundings);
                let judgement = place(&manifest, item, &workload, policy, &mut lines);
                (checked.outcome, checked.findings, checked.notes) =
                    (judgement.outcome, judgement.findings, judgement.notes);
            }
        }
    }

    /// Whether anything that was read can change what was found for `waiting`.
    fn may_change(&self, waiting: WaitingObject) -> bool {
        let namespace = self
            .facts
            .namespace(&self.objects[waiting.object].namespace);
        waiting.needs_surroundings && !self.surroundings.is_empty()
            || matches!(namespace, Known::Settings(_))
    }

    fn fail(&mut self, file: &str, error: ManifestError) {
        self.errors.push(CheckError {
            file: file.to_owned(),
            line: error.line,
            column: error.column,
            message: error.message,
        });
    }
}

fn view<'a>(
    manifest: &'a Manifest<'_>,
    item: &Item,
    object: &'a Object<'a>,
    inner: &'a [InnerPod<'a>],
    (namespace, policy): (&'a str, &'a Policy),
) -> Result<Workload<'a>, ManifestError> {
    let mut workload = Workload::with_knowledge(object, namespace, &policy.knowledge);
    workload.add_pods(inner, &policy.knowledge);
    if Workload::is_judged_by_texts(workload.kind()) {
        workload.leaves = manifest.leaves(item)?;
    }
    Ok(workload)
}

/// As much of a line as is kept for each finding in it: a whole list can stand in one line of JSON.
const MAX_LINE: usize = 1024;

/// What was decided about an object, with places.
struct Judgement {
    outcome: Outcome,
    findings: Vec<Placed>,
    notes: Vec<String>,
}

/// Decides about `workload`, and finds the places of its findings.
fn place(
    manifest: &Manifest<'_>,
    item: &Item,
    workload: &Workload<'_>,
    policy: &Policy,
    lines: &mut Lines<'_>,
) -> Judgement {
    let Decision {
        outcome,
        findings,
        mut notes,
        ..
    } = decision::decide(workload, None, policy, Writer::default());
    if workload.kind() == "Namespace" {
        notes.extend(NamespaceSettings::of(workload).flaws(policy.period()));
    }
    let placed = findings.into_iter().map(|judged| {
        let (line, column) = manifest.locate(item, &judged.finding.field);
        Placed {
            judged,
            line,
            column,
            text: clip(lines.get(line), MAX_LINE),
        }
    });
    Judgement {
        outcome,
        findings: placed.collect(),
        notes,
    }
}

impl CheckedObject {
    fn new(
        file: &str,
        source: Option<&str>,
        line: usize,
        workload: &Workload<'_>,
        judgement: Judgement,
    ) -> Self {
        Self {
            file: file.to_owned(),
            source: source.map(str::to_owned),
            line,
            api_version: workload.api_version().to_owned(),
            kind: workload.kind().to_owned(),
            namespace: workload.namespace.to_owned(),
            name: workload.name.to_owned(),
            owner_kind: workload.owner.kind.to_string(),
            owner_name: workload.owner.name.to_string(),
            outcome: judgement.outcome,
            findings: judgement.findings,
            notes: judgement.notes,
        }
    }
}

/// The lines of a text, looked up by number; the starts are found at the first look.
struct Lines<'t> {
    text: &'t str,
    /// Number of the first line.
    first: usize,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Line `number` of the file, without its end.
    fn get(&mut self, number: usize) -> &'t str {
        let index = number.wrapping_sub(self.first);
        if self.starts.is_empty() {
            self.starts.push(0);
            self.starts
                .extend(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1));
        }
        let Some(&start) = self.starts.get(index) else {
            return "";
        };
        let end = self
            .starts
            .get(index + 1)
            .map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }
}
