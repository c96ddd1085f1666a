//! What the evaluation of one object may cost: steps of work, and bytes that are kept for it.
//!
//! Every part whose cost depends on what the writer of the object chose (filling in variables,
//! cleaning paths, reading scripts, joining mounts with volumes) calls [`spend`] before it works,
//! with about one step for each byte or element that it will look at, and [`keep`] before it holds
//! what it made. A part that is told `false` stops with what it has: whoever started the evaluation
//! asks [`Spent::is_exceeded`] and says that the rest was not evaluated. Real objects never get
//! there (`tests/it/budget.rs` holds every object of the corpus against a tenth).
//!
//! The count is one per thread, because an object is evaluated on one thread and its parts are
//! plain functions; outside of [`within`] there is no limit.

use std::cell::Cell;

/// What an evaluation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes or elements looked at.
    pub steps: u64,
    /// Bytes held at once, roughly.
    pub bytes: u64,
}

impl Budget {
    /// For one review: less than 50 ms of one core and, with the request itself, less than 64 MiB.
    pub const REVIEW: Self = Self {
        steps: 4 * 1024 * 1024,
        bytes: 16 * 1024 * 1024,
    };

    const UNLIMITED: Self = Self {
        steps: u64::MAX,
        bytes: u64::MAX,
    };
}

/// What an evaluation cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Steps, also those that were refused.
    pub steps: u64,
    /// Bytes, also those that were refused.
    pub bytes: u64,
    is_exceeded: bool,
}

impl Spent {
    /// True if a part was stopped.
    pub fn is_exceeded(self) -> bool {
        self.is_exceeded
    }
}

thread_local! {
    static LIMIT: Cell<Budget> = const { Cell::new(Budget::UNLIMITED) };
    static SPENT: Cell<Spent> = const { Cell::new(Spent { steps: 0, bytes: 0, is_exceeded: false }) };
}

/// Gives back what held before, also when the evaluation panics.
struct Before(Budget, Spent);

impl Drop for Before {
    fn drop(&mut self) {
        LIMIT.set(self.0);
        SPENT.set(self.1);
    }
}

/// Runs `evaluate` within `budget`, and tells what it spent.
pub fn within<T>(budget: Budget, evaluate: impl FnOnce() -> T) -> (T, Spent) {
    let _before = Before(LIMIT.replace(budget), SPENT.replace(Spent::default()));
    let value = evaluate();
    (value, SPENT.get())
}

/// Takes `steps` from the budget. False if it is exceeded: the caller stops with what it has.
#[must_use]
pub(crate) fn spend(steps: usize) -> bool {
    let mut spent = SPENT.get();
    spent.steps = spent.steps.saturating_add(steps as u64);
    settle(spent)
}

/// Takes `bytes` that are kept until the evaluation ends. False if the budget is exceeded.
#[must_use]
pub(crate) fn keep(bytes: usize) -> bool {
    let mut spent = SPENT.get();
    spent.bytes = spent.bytes.saturating_add(bytes as u64);
    settle(spent)
}

fn settle(mut spent: Spent) -> bool {
    let limit = LIMIT.get();
    spent.is_exceeded |= spent.steps > limit.steps || spent.bytes > limit.bytes;
    SPENT.set(spent);
    !spent.is_exceeded
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Budget = Budget {
        steps: 10,
        bytes: 5,
    };

    #[test]
    fn what_is_exceeded_stays_so() {
        let (answers, spent) = within(SMALL, || {
            [spend(10), keep(5), spend(0), spend(1), spend(0), keep(0)]
        });
        assert_eq!(answers, [true, true, true, false, false, false]);
        assert!(spent.is_exceeded() && (spent.steps, spent.bytes) == (11, 5));
        assert!(within(SMALL, || keep(6)).1.is_exceeded());
    }

    #[test]
    fn an_evaluation_inside_another_has_its_own() {
        let (inner, outer) = within(SMALL, || within(SMALL, || spend(11)).1);
        assert!(inner.is_exceeded() && !outer.is_exceeded());
        assert!(spend(usize::MAX), "outside there is no limit");
        let panicked = std::panic::catch_unwind(|| within(SMALL, || panic!("put here by a test")));
        assert!(panicked.is_err() && spend(usize::MAX));
    }
}
