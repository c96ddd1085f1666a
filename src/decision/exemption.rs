//! Exemptions: who may keep a Docker dependency, until when, and why. One parser for annotations
//! and configuration.
//!
//! `exempt.undock.dev/DKR101: "until=2026-12-31; reason=builders move in December; ref=PLAT-412"`
//!
//! An exemption that is malformed or has ended exempts nothing, and says so.

use std::fmt;
use std::num::NonZeroU16;

use jiff::civil::Date;

use crate::finding::text::{clip, count, escape_controls};

/// What the annotation's key begins with; the rule's code, or `all`, follows.
pub const ANNOTATION_PREFIX: &str = "exempt.undock.dev/";
/// Days before the end from which writers are warned, and the report counts an exemption among
/// those that end soon.
pub(crate) const NOTICE_DAYS: i32 = 14;

/// What is wrong with an exemption of a rule that does not exist.
pub(crate) const NO_SUCH_RULE: &str = "there is no such rule";

/// The terms of an exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The last day on which it holds, in UTC.
    pub until: Date,
    /// Why; free text.
    pub reason: String,
    /// A ticket or a page; empty if none is named.
    pub reference: String,
}

/// Why a text is no exemption.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// A part is not `name=value`.
    #[error("{0:?} is not name=value")]
    NoPair(String),
    /// A name that does not exist.
    #[error("there is no {0:?}; write until, reason and ref")]
    UnknownName(String),
    /// `until` is missing or no date.
    #[error("\"until\" is missing or not YYYY-MM-DD")]
    NoDate,
    /// `reason` is missing or empty.
    #[error("\"reason\" is missing")]
    NoReason,
}

impl Terms {
    /// Reads `until=…; reason=…; ref=…` in any order. A reason may hold `=`, not `;`.
    ///
    /// # Errors
    /// See [`TermsError`].
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        let (mut until, mut reason, mut reference) = ("", "", "");
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| TermsError::NoPair(clip(part, 40)))?;
            let value = value.trim();
            match name.trim() {
                "until" => until = value,
                "reason" => reason = value,
                "ref" => reference = value,
                other => return Err(TermsError::UnknownName(clip(other, 40))),
            }
        }
        Self::new(until, reason, reference)
    }

    /// Terms from their parts.
    ///
    /// # Errors
    /// Where the date or the reason is missing.
    pub fn new(until: &str, reason: &str, reference: &str) -> Result<Self, TermsError> {
        let until = until.parse().map_err(|_| TermsError::NoDate)?;
        if reason.trim().is_empty() {
            return Err(TermsError::NoReason);
        }
        Ok(Self {
            until,
            reason: clip(&escape_controls(reason), 200),
            reference: clip(&escape_controls(reference), 80),
        })
    }

    /// True on the last day and before, unless it is further away than an exemption may end.
    pub fn holds(&self, period: Period) -> bool {
        period.today <= self.until && !self.is_too_long(period)
    }

    /// True if it ends later than an exemption may.
    pub fn is_too_long(&self, period: Period) -> bool {
        period.last().is_some_and(|last| self.until > last)
    }

    /// Days from `today` to the last day, if writers should hear of the end.
    pub fn ends_soon(&self, today: Date) -> Option<i32> {
        let days = today
            .until(self.until)
            .map_or(i32::MAX, |span| span.get_days());
        (0..=NOTICE_DAYS).contains(&days).then_some(days)
    }
}

/// The days on which exemptions may hold.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// Today, in UTC.
    pub today: Date,
    /// Days from today within which an exemption must end; any day if there is no limit.
    pub max_days: Option<NonZeroU16>,
}

impl Period {
    /// The last day on which an exemption may end, if there is a limit.
    pub fn last(self) -> Option<Date> {
        let days = i32::from(self.max_days?.get());
        Some(self.today.saturating_add(jiff::Span::new().days(days)))
    }
}

/// Which rules an exemption is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Every rule.
    All,
    /// The rule with this code.
    Code(String),
    /// No rule has this code or name.
    Unknown(String),
}

impl Rules {
    /// `all`, or a code or a name of a rule, in any case.
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("all") {
            return Self::All;
        }
        match crate::rules::find(text) {
            Some(rule) => Self::Code(rule.code.to_owned()),
            None => Self::Unknown(clip(&escape_controls(text), 40)),
        }
    }

    /// True if the rule with `code` is meant.
    pub fn covers(&self, code: &str) -> bool {
        match self {
            Self::All => true,
            Self::Code(own) => own == code,
            Self::Unknown(_) => false,
        }
    }
}

/// Where an exemption is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On the Namespace; always honoured.
    Namespace,
    /// On the workload or its pod template; honoured where the namespace allows it.
    Workload,
    /// In the configuration file.
    Configuration,
}

impl Scope {
    /// The word used in annotations and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Workload => "workload",
            Self::Configuration => "configuration",
        }
    }
}

/// An exemption as it was written, good or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Which rules.
    pub rules: Rules,
    /// Where it stands.
    pub scope: Scope,
    /// Its terms, or what is wrong with them.
    pub terms: Result<Terms, TermsError>,
}

/// Exemptions of one object that are read: more than there are rules. API servers take 256 KiB of
/// annotations, which would be some ten thousand, and each has its notes.
pub(super) const MOST: usize = 256;

impl Exemption {
    /// The exemptions among `annotations`, up to 256: more than there are rules.
    pub fn of<'s>(
        annotations: impl Iterator<Item = (&'s str, &'s str)>,
        scope: Scope,
    ) -> Vec<Self> {
        let read = |(key, value)| Self::from_annotation(key, value, scope);
        annotations.filter_map(read).take(MOST).collect()
    }

    /// Reads an annotation; `None` for one that is about something else.
    pub fn from_annotation(key: &str, value: &str, scope: Scope) -> Option<Self> {
        let rules = Rules::parse(key.strip_prefix(ANNOTATION_PREFIX)?);
        Some(Self {
            rules,
            scope,
            terms: Terms::parse(value),
        })
    }

    /// Says that the rule that it names does not exist.
    pub(crate) fn unknown_rule(&self) -> Option<String> {
        let rules = &self.rules;
        matches!(rules, Rules::Unknown(_))
            .then(|| format!("exemption {rules} ignored: {NO_SUCH_RULE}"))
    }

    /// Why it exempts nothing, if it does not.
    pub(super) fn flaw(&self, period: Period) -> Option<String> {
        let rules = &self.rules;
        match (&self.terms, rules) {
            (_, Rules::Unknown(_)) => self.unknown_rule(),
            (Err(error), _) => Some(format!(
                "exemption {rules} ignored: {error}; nothing was exempted"
            )),
            (Ok(terms), _) if terms.is_too_long(period) => {
                Some(format!("exemption {rules} ignored: {}", TooLong(period)))
            }
            (Ok(terms), _) if !terms.holds(period) => Some(format!(
                "exemption {rules} ended on {}; nothing was exempted",
                terms.until
            )),
            (Ok(_), _) => None,
        }
    }
}

/// Says that an exemption ends too late.
pub(crate) struct TooLong(pub(crate) Period);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.max_days.map_or(0, NonZeroU16::get);
        let last = self.0.last().unwrap_or_default();
        write!(
            f,
            "it may last {} at most, today until {last}; nothing was exempted",
            count(days, "day")
        )
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Code(text) | Self::Unknown(text) => f.write_str(text),
        }
    }
}

/// An exemption that lets a finding through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Its terms.
    pub terms: Terms,
    /// Where it stands.
    pub scope: Scope,
}

/// The exemption among `all` that covers `code` in `period`: the one that holds longest.
pub fn grant<'e>(
    all: impl Iterator<Item = &'e Exemption>,
    code: &str,
    period: Period,
) -> Option<Granted> {
    let holding = all
        .filter(|exemption| exemption.rules.covers(code))
        .filter_map(|exemption| {
            let terms = exemption
                .terms
                .as_ref()
                .ok()
                .filter(|terms| terms.holds(period))?;
            Some(Granted {
                terms: terms.clone(),
                scope: exemption.scope,
            })
        });
    holding.max_by_key(|granted| granted.terms.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(today: &str, max_days: u16) -> Period {
        Period {
            today: today.parse().unwrap(),
            max_days: NonZeroU16::new(max_days),
        }
    }

    #[test]
    fn one_that_ends_too_late_exempts_nothing_and_says_so() {
        let read = |until: &str| {
            let text = format!("until={until}; reason=x");
            Exemption::from_annotation("exempt.undock.dev/all", &text, Scope::Namespace).unwrap()
        };
        let (within, beyond, never) = (read("2027-01-30"), read("2027-01-31"), read("9999-12-31"));
        let today = at("2026-12-31", 30);
        let granted = |exemption: &Exemption, period| {
            grant(std::iter::once(exemption), "DKR101", period).is_some()
        };
        assert!(granted(&within, today) && within.flaw(today).is_none());
        for exemption in [&beyond, &never] {
            assert!(!granted(exemption, today));
            let flaw = exemption.flaw(today).unwrap();
            assert!(
                flaw.contains("30 days") && flaw.contains("2027-01-30"),
                "{flaw}"
            );
            assert!(granted(exemption, at("2026-12-31", 0)), "without a limit");
        }
        // The day itself may be beyond what a calendar holds.
        assert!(granted(&never, at("9999-12-30", 30)));
    }

    #[test]
    fn terms_are_read_in_any_order() {
        let terms = Terms::parse("reason=a=b, c; until = 2026-12-31 ;ref=PLAT-412;").unwrap();
        assert_eq!(
            (terms.reason.as_str(), terms.reference.as_str()),
            ("a=b, c", "PLAT-412")
        );
        assert_eq!(terms.until.to_string(), "2026-12-31");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, word) in [
            ("", "until"),
            ("reason=x", "until"),
            ("until=soon; reason=x", "until"),
            ("until=2026-13-01; reason=x", "until"),
            ("until=2026-12-31", "reason"),
            ("until=2026-12-31; reason= ", "reason"),
            ("until=2026-12-31; reason=x; owner=me", "owner"),
            ("yes", "yes"),
        ] {
            let error = Terms::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text:?} gave {error}");
        }
    }

    #[test]
    fn it_holds_through_its_last_day() {
        let terms = Terms::parse("until=2026-12-31; reason=x").unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(terms.holds(at("2026-12-31", 0)) && !terms.holds(at("2027-01-01", 0)));
        assert_eq!(terms.ends_soon(day("2026-12-17")), Some(14));
        assert_eq!(terms.ends_soon(day("2026-12-16")), None);
        assert_eq!(terms.ends_soon(day("2027-01-01")), None);
    }

    #[test]
    fn the_longest_one_that_covers_the_rule_is_granted() {
        let read = |key: &str, value: &str| {
            Exemption::from_annotation(key, value, Scope::Namespace).unwrap()
        };
        let all = [
            read("exempt.undock.dev/DKR101", "until=2026-12-31; reason=short"),
            read("exempt.undock.dev/all", "until=2027-12-31; reason=long"),
            read("exempt.undock.dev/dkr201", "until=2020-01-01; reason=past"),
            read("exempt.undock.dev/DKR301", "until=never"),
        ];
        let grant =
            |code| grant(all.iter(), code, at("2026-11-23", 0)).map(|granted| granted.terms.reason);
        assert_eq!(grant("DKR101").as_deref(), Some("long"));
        assert_eq!(
            super::grant(all[2..].iter(), "DKR201", at("2026-11-23", 0)),
            None
        );
        assert!(Exemption::from_annotation("other/DKR101", "", Scope::Namespace).is_none());
    }
}
