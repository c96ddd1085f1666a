//! Series that only many objects together show: names of one writer in one namespace that differ
//! in what looks generated, with the same findings. What a person wrote is never joined.
//!
//! What one object shows, the webhook and the scan know already (`workload::series`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::evidence::{Flags, OwnerKey};
use super::evidence_store::EvidenceStore;
use super::name_pattern::{Alphabet, Shape, pattern};
use crate::finding::short_digest;
use crate::record::user_kind;

/// Objects with the same findings that make a series.
const MIN_OBJECTS: usize = 10;

/// What the objects of such a series share: cluster, namespace, kind, pattern of the name.
type SeriesPlace = (String, String, String, String);

/// What is known of an object that may be one of a series.
#[derive(Debug, Default)]
struct Candidate {
    /// Who made it; none if several did.
    writer: Option<u32>,
    has_reviews: bool,
    /// Rules and fields of its findings.
    findings: Vec<(String, String)>,
}

/// Shapes of names that are tried for one writer's objects; real ones have one or two.
const MAX_SHAPES: usize = 16;

/// What the names of the series of one writer have in common. By chance, some of them look as if a
/// person had written them: of eight random letters and digits, one in thirteen has no digit.
#[derive(Debug, Default)]
struct Moulds {
    shapes: HashMap<([String; 3], u32), BTreeSet<Shape>>,
    series: HashMap<([String; 3], u32, String), Mould>,
}

#[derive(Debug)]
struct Mould {
    series: OwnerKey,
    findings: Vec<(String, String)>,
    alphabet: Alphabet,
}

impl Moulds {
    fn add(
        &mut self,
        object: &OwnerKey,
        writer: u32,
        series: &OwnerKey,
        findings: &[(String, String)],
    ) {
        let Some(shape) = Shape::of(&object.name) else {
            return;
        };
        let Some((mould, alphabet)) = shape.mould(&object.name) else {
            return;
        };
        let place = place_of(object);
        let shapes = self.shapes.entry((place.clone(), writer)).or_default();
        shapes.insert(shape);
        let known = self.series.entry((place, writer, mould));
        let known = known.or_insert_with(|| Mould {
            series: series.clone(),
            findings: findings.to_vec(),
            alphabet,
        });
        known.alphabet = known.alphabet.with(alphabet);
    }

    /// The series whose names `object` could have by chance, with the same findings.
    fn find(
        &self,
        object: &OwnerKey,
        writer: u32,
        findings: &[(String, String)],
    ) -> Option<&OwnerKey> {
        let place = place_of(object);
        let shapes = self.shapes.get(&(place.clone(), writer))?;
        shapes.iter().take(MAX_SHAPES).find_map(|shape| {
            let (mould, alphabet) = shape.mould(&object.name)?;
            let known = self.series.get(&(place.clone(), writer, mould))?;
            let is_one = known.findings == findings && known.alphabet.holds(alphabet);
            is_one.then_some(&known.series)
        })
    }
}

fn place_of(owner: &OwnerKey) -> [String; 3] {
    [&owner.cluster, &owner.namespace, &owner.kind].map(String::from)
}

impl EvidenceStore {
    /// Gives the objects of each series one owner.
    pub(super) fn join_generated_names(&mut self) {
        let mut renamed = self.patterns();
        let known = self.series(&renamed);
        let reviewed: HashSet<u32> = self.reviews.values().map(|review| review.owner).collect();
        // Of a write that nobody reviewed, the log tells the name of the object alone.
        for (number, owner) in self.owners.iter() {
            if !reviewed.contains(&number) && is_candidate(owner) {
                let fronts = owner.name.match_indices('-').rev();
                let mut fronts = fronts.map(|(dash, _)| &owner.name[..=dash]);
                let series = fronts.find_map(|front| {
                    let mut series = known.get(&series_key(owner, front))?.iter();
                    series.find(|series| is_maker_of(series, owner))
                });
                if let Some(series) = series {
                    renamed.insert(number, series.clone());
                }
            }
        }
        if renamed.is_empty() {
            return;
        }
        let fingerprints = self.fingerprints(&renamed);
        self.renumber(
            |number, owner| {
                if let Some(series) = renamed.get(&number) {
                    owner.clone_from(series);
                }
            },
            |number, finding| {
                if let Some(fingerprint) = fingerprints.get(&number) {
                    finding.fingerprint.clone_from(fingerprint);
                }
            },
        );
    }

    /// All series, by the beginning of their names; those of `renamed` included.
    fn series(&self, renamed: &HashMap<u32, OwnerKey>) -> HashMap<[String; 3], BTreeSet<OwnerKey>> {
        let mut series: HashMap<_, BTreeSet<_>> = HashMap::new();
        let owners = self.owners.iter().map(|(_, owner)| owner);
        for owner in renamed.values().chain(owners) {
            if let Some(front) = owner
                .name
                .strip_suffix('*')
                .filter(|front| front.ends_with('-'))
            {
                let key = series_key(owner, front);
                series.entry(key).or_default().insert(owner.clone());
            }
        }
        series
    }

    /// The owner of each object that is one of many.
    fn patterns(&self) -> HashMap<u32, OwnerKey> {
        let mut candidates: HashMap<u32, Candidate> = HashMap::new();
        for review in self.reviews.values() {
            if !is_candidate(self.owners.get(review.owner)) {
                continue;
            }
            let candidate = candidates.entry(review.owner).or_default();
            if review.flags.has(Flags::CREATE) {
                let is_same = !candidate.has_reviews || candidate.writer == Some(review.user);
                candidate.writer = is_same.then_some(review.user);
                candidate.has_reviews = true;
            }
            for finding in self.sets.get(review.set) {
                let field = self
                    .details
                    .get(finding)
                    .map(|details| details.field.text());
                let rule = self.findings.get(*finding).rule.clone();
                candidate.findings.push((rule, field.unwrap_or_default()));
            }
        }
        let mut groups: BTreeMap<(SeriesPlace, u32), Vec<(u32, Candidate)>> = BTreeMap::new();
        let mut others: Vec<(u32, u32, Candidate)> = Vec::new();
        for (number, mut candidate) in candidates {
            candidate.findings.sort();
            candidate.findings.dedup();
            let owner = self.owners.get(number);
            let is_program = |user: &u32| user_kind(self.texts.get(*user)) == "serviceaccount";
            let Some(writer) = candidate.writer.filter(is_program) else {
                continue;
            };
            match pattern(&owner.name) {
                Some(name) => {
                    let OwnerKey {
                        cluster,
                        namespace,
                        kind,
                        ..
                    } = owner.clone();
                    let key = ((cluster, namespace, kind, name), writer);
                    groups.entry(key).or_default().push((number, candidate));
                }
                None => others.push((number, writer, candidate)),
            }
        }
        let mut renamed = HashMap::new();
        let mut moulds = Moulds::default();
        for (((cluster, namespace, kind, name), writer), objects) in groups {
            let mut counts: BTreeMap<&[(String, String)], usize> = BTreeMap::new();
            for (_, object) in &objects {
                *counts.entry(&object.findings).or_default() += 1;
            }
            let same = counts
                .into_iter()
                .filter(|(findings, _)| !findings.is_empty());
            let largest = same.max_by_key(|(_, count)| *count);
            let Some((findings, _)) = largest.filter(|(_, count)| *count >= MIN_OBJECTS) else {
                others.extend(
                    objects
                        .into_iter()
                        .map(|(own, object)| (own, writer, object)),
                );
                continue;
            };
            let findings = findings.to_vec();
            let series = OwnerKey {
                cluster,
                namespace,
                kind,
                name,
            };
            // Without findings, it is the same made right.
            let is_one =
                |object: &Candidate| object.findings.is_empty() || object.findings == findings;
            for (number, _) in objects.iter().filter(|(_, object)| is_one(object)) {
                renamed.insert(*number, series.clone());
                moulds.add(self.owners.get(*number), writer, &series, &findings);
            }
        }
        for (number, writer, object) in others {
            if let Some(series) = moulds.find(self.owners.get(number), writer, &object.findings) {
                renamed.insert(number, series.clone());
            }
        }
        renamed
    }

    /// The fingerprints of the findings of `renamed` owners, without the generated name.
    fn fingerprints(&self, renamed: &HashMap<u32, OwnerKey>) -> HashMap<u32, String> {
        let findings = self.findings.iter().filter_map(|(number, finding)| {
            let owner = renamed.get(&finding.owner)?;
            let field = self
                .details
                .get(&number)
                .map(|details| details.field.text());
            let OwnerKey {
                namespace,
                kind,
                name,
                ..
            } = owner;
            let field = field.unwrap_or_default();
            let text = ["v1", namespace, kind, name, &finding.rule, &field].join("|");
            Some((number, short_digest(&text)))
        });
        findings.collect()
    }
}

/// True for what can be made many times: a Pod or a Job that is no series yet.
fn is_candidate(owner: &OwnerKey) -> bool {
    matches!(owner.kind.as_str(), "Pod" | "Job") && !owner.is_series()
}

/// True if `series` can be the owner of `object`: of its kind, or a maker.
fn is_maker_of(series: &OwnerKey, object: &OwnerKey) -> bool {
    series.kind == object.kind || !matches!(series.kind.as_str(), "Pod" | "Job")
}

/// Where the names of a series begin with `front`.
fn series_key(owner: &OwnerKey, front: &str) -> [String; 3] {
    [&owner.cluster, &owner.namespace, front].map(String::from)
}
