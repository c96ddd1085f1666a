//! The check of manifests: the same evaluation as the webhook's, with the places of what it finds.
//!
//! Two passes over the parsed inputs: what objects say about each other, then a decision about each
//! object.

mod baseline;
mod context;
mod decide;
mod input;
mod lines;
mod not_judged;
mod position;

use rayon::prelude::*;

use crate::decision::{Judged, Outcome, Policy};
pub use baseline::{Baseline, BaselineError, Compared};
pub use input::{Input, InputKind};

/// The name of the JSON form of a check.
pub(crate) const SCHEMA: &str = "undock.check/v1";

/// The decision about an object without findings that will become something else elsewhere.
const NOT_JUDGED: &str = "not-judged";

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
    /// Folders of Helm charts whose templates were not rendered, and so not checked.
    pub not_rendered: Vec<String>,
    /// Inputs that were named and hold nothing at all.
    pub empty: Vec<String>,
    /// Files that the user left out.
    pub excluded: usize,
    /// The comparison with an earlier check, if there was one.
    pub compared: Option<Compared>,
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
    /// What its writer should know besides: an exemption that does not hold, a label without
    /// meaning.
    pub notes: Vec<String>,
    /// What it will become elsewhere, and so was not judged: a chart, remote resources.
    pub not_judged: Option<String>,
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
    /// Characters of the evidence in that line; `None` where the place is that of the whole value.
    pub width: Option<usize>,
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
            .filter(|object| object.new_findings().next().is_some())
            .count()
    }

    /// Objects with this outcome; findings that a baseline has do not count.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.objects
            .iter()
            .filter(|object| object.new_outcome() == outcome)
            .count()
    }

    /// Objects without a finding of which all is here.
    pub fn clean(&self) -> usize {
        let clean = self.count(Outcome::Clean);
        let unjudged = |object: &&CheckedObject| object.decision() == NOT_JUDGED;
        clean - self.objects.iter().filter(unjudged).count()
    }

    /// Objects that will become something else elsewhere, each with what that is.
    pub fn not_judged(&self) -> impl Iterator<Item = (&CheckedObject, &str)> {
        let objects = self.objects.iter();
        objects.filter_map(|object| Some((object, object.not_judged.as_deref()?)))
    }

    /// The strongest outcome of all; findings that a baseline has do not count.
    pub fn worst(&self) -> Outcome {
        self.objects
            .iter()
            .map(|object| match object.new_outcome() {
                // That not all of it was evaluated is an error, not a finding.
                Outcome::Error => Outcome::of(object.new_findings().map(|placed| &placed.judged)),
                outcome => outcome,
            })
            .max()
            .unwrap_or(Outcome::Clean)
    }
}

impl CheckedObject {
    /// `KIND NAMESPACE/NAME`
    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }

    /// The findings that no baseline has.
    pub fn new_findings(&self) -> impl Iterator<Item = &Placed> + Clone {
        self.findings
            .iter()
            .filter(|placed| !placed.judged.preexisting)
    }

    /// The decision in one word: nothing was found is not `clean` where not all was judged.
    pub fn decision(&self) -> &'static str {
        match self.outcome {
            Outcome::Clean if self.not_judged.is_some() => NOT_JUDGED,
            outcome => outcome.as_str(),
        }
    }

    /// The strongest action of the new findings.
    pub fn new_outcome(&self) -> Outcome {
        if self
            .findings
            .iter()
            .all(|placed| !placed.judged.preexisting)
        {
            return self.outcome;
        }
        Outcome::of(self.new_findings().map(|placed| &placed.judged))
    }

    /// Where services that read a repository find the object: the template that it was rendered
    /// from, without a line, or the file.
    pub fn artifact(&self) -> (&str, bool) {
        match &self.source {
            Some(source) => (source, false),
            None => (&self.file, true),
        }
    }
}

/// Checks `inputs`, each object in the light of all others. `namespace` is that of objects that
/// name none.
pub fn check(inputs: &[Input], namespace: &str, policy: &Policy) -> Checked {
    let files: Vec<_> = inputs.par_iter().map(input::parse).collect();
    let mut checked = Checked {
        files: files.iter().filter(|file| file.is_read()).count(),
        ..Checked::default()
    };
    let context = context::Context::of(&files, namespace, policy);
    let decided: Vec<_> = files
        .into_par_iter()
        .map(|file| decide::decide(&file, &context))
        .collect();
    for (input, decided) in inputs.iter().zip(decided) {
        let is_silent =
            decided.objects.is_empty() && decided.errors.is_empty() && decided.skipped == 0;
        if is_silent && input.kind == InputKind::Named {
            checked.empty.push(input.file.clone());
        }
        checked.skipped += decided.skipped;
        checked.objects.extend(decided.objects);
        checked.errors.extend(decided.errors);
    }
    checked
}
