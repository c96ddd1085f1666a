//! The modes that a namespace was seen in, and whether it has a weaker one now.

use std::collections::BTreeMap;

use crate::decision::Mode;

/// When a namespace was last seen in each mode.
#[derive(Clone, Debug, Default)]
pub(super) struct ModeHistory(BTreeMap<Mode, i64>);

/// A namespace that has a weaker mode than it had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lowered {
    pub(super) before: Mode,
    /// When it was last seen in the mode it had.
    pub(super) until: i64,
    pub(super) now: Mode,
}

impl ModeHistory {
    /// Notes that the namespace was in the mode of that name; other words are passed over.
    pub(super) fn add(&mut self, time: i64, mode: &str) {
        if let Some(mode) = Mode::parse(mode) {
            let last = self.0.entry(mode).or_insert(time);
            *last = time.max(*last);
        }
    }

    /// Adds what another history has.
    pub(super) fn merge(&mut self, other: Self) {
        for (mode, time) in other.0 {
            self.add(time, mode.as_str());
        }
    }

    /// The mode that it was seen in last.
    pub(super) fn latest(&self) -> Option<Mode> {
        self.0
            .iter()
            .max_by_key(|(mode, time)| (**time, **mode))
            .map(|(mode, _)| *mode)
    }

    /// The strictest mode that it had before, if the one it has is weaker.
    pub(super) fn lowered(&self) -> Option<Lowered> {
        let (before, until) = self.0.last_key_value()?;
        let now = self.latest()?;
        (now < *before).then_some(Lowered {
            before: *before,
            until: *until,
            now,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_weaker_mode_that_came_later_is_lowered() {
        let history = |seen: &[(i64, &str)]| {
            let mut history = ModeHistory::default();
            for (time, mode) in seen {
                history.add(*time, mode);
            }
            history
        };
        let lowered = history(&[(9, "warn"), (5, "enforce"), (1, "audit"), (10, "")]);
        let expected = Lowered {
            before: Mode::Enforce,
            until: 5,
            now: Mode::Warn,
        };
        assert_eq!(lowered.lowered(), Some(expected));
        let raised = history(&[(5, "warn"), (9, "enforce")]);
        assert_eq!(
            (raised.latest(), raised.lowered()),
            (Some(Mode::Enforce), None)
        );
        let mut merged = raised;
        merged.merge(history(&[(11, "audit")]));
        assert_eq!(
            merged.lowered().map(|lowered| lowered.now),
            Some(Mode::Audit)
        );
        assert_eq!(ModeHistory::default().lowered(), None);
    }
}
