//! What the evaluation of one object may cost: steps of work, and bytes that are kept for it.
//!
//! Every part whose cost depends on what the writer of the object chose (filling in variables,
//! cleaning paths, reading scripts, joining mounts with volumes) calls `spend` before it works,
//! with what that will take, and `keep` before it holds
//! what it made. A part that is told `false` stops with what it has: whoever started the evaluation
//! asks [`Spent::is_exceeded`] and says that the rest was not evaluated. Real objects never get
//! there (`tests/it/bounds.rs` holds every object of the corpus against a tenth).
//!
//! The count is one per thread, because an object is evaluated on one thread and its parts are
//! plain functions; outside of [`within`] there is no limit.

use std::cell::Cell;

/// What an evaluation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Work, in parts of about five nanoseconds: a byte that a script's reader goes over.
    pub steps: u64,
    /// Bytes held at once, roughly.
    pub bytes: u64,
}

impl Budget {
    /// For the evaluation of one object of a review, of which an update has two: with the reading
    /// less than 50 ms of one core, and less than 64 MiB with the request itself.
    pub const OBJECT: Self = Self {
        steps: 4 * 1024 * 1024,
        bytes: 6 * 1024 * 1024,
    };

    /// For the evaluation of an object whose texts are read as well, which is none of a review: the
    /// 1 MiB that a ConfigMap holds, in any of the languages.
    pub const TEXTS: Self = Self {
        steps: 64 * 1024 * 1024,
        bytes: 64 * 1024 * 1024,
    };

    /// For reading an object: the list elements of the 3 MiB that kube-apiserver stores.
    pub const READING: Self = Self {
        steps: 0,
        bytes: 24 * 1024 * 1024,
    };

    /// For an object of a review that is evaluated among others: about 2 ms.
    pub const SHORT: Self = Self {
        steps: 256 * 1024,
        ..Self::OBJECT
    };

    /// What is left of it.
    #[must_use]
    pub fn after(self, spent: Spent) -> Self {
        Self {
            steps: self.steps.saturating_sub(spent.steps),
            bytes: self.bytes.saturating_sub(spent.bytes),
        }
    }
}

/// What an evaluation cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Steps; all of them, if they did not suffice.
    pub steps: u64,
    /// Bytes; all of them, if they did not suffice.
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
    static LEFT: Left = const { Left {
        steps: Cell::new(u64::MAX),
        bytes: Cell::new(u64::MAX),
        is_exceeded: Cell::new(false),
        is_cut: Cell::new(false),
    } };
}

/// What is left of the budget in force.
struct Left {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    is_exceeded: Cell<bool>,
    /// A part met a limit of its own; the others go on.
    is_cut: Cell<bool>,
}

type State = (Budget, bool, bool);

impl Left {
    /// Puts a budget and the two flags in place, and gives what held before.
    fn set(&self, (budget, is_exceeded, is_cut): State) -> State {
        let before = Budget {
            steps: self.steps.replace(budget.steps),
            bytes: self.bytes.replace(budget.bytes),
        };
        let was_exceeded = self.is_exceeded.replace(is_exceeded);
        (before, was_exceeded, self.is_cut.replace(is_cut))
    }

    fn take(&self, from: &Cell<u64>, amount: usize) -> bool {
        match from.get().checked_sub(amount as u64) {
            Some(left) => from.set(left),
            None => {
                from.set(0);
                self.is_exceeded.set(true);
            }
        }
        !self.is_exceeded.get()
    }
}

/// Gives back what held before, also when the evaluation panics.
struct Before(State);

impl Drop for Before {
    fn drop(&mut self) {
        LEFT.with(|left| left.set(self.0));
    }
}

/// Runs `evaluate` within `budget`, and tells what it spent.
pub fn within<T>(budget: Budget, evaluate: impl FnOnce() -> T) -> (T, Spent) {
    let _before = Before(LEFT.with(|left| left.set((budget, false, false))));
    let value = evaluate();
    let spent = LEFT.with(|left| Spent {
        steps: budget.steps - left.steps.get(),
        bytes: budget.bytes - left.bytes.get(),
        is_exceeded: left.is_exceeded.get() || left.is_cut.get(),
    });
    (value, spent)
}

/// Takes `steps` from the budget. False if it is exceeded: the caller stops with what it has.
#[must_use]
pub(crate) fn spend(steps: usize) -> bool {
    LEFT.with(|left| left.take(&left.steps, steps))
}

/// Takes `bytes` that are kept until the evaluation ends. False if the budget is exceeded.
#[must_use]
pub(crate) fn keep(bytes: usize) -> bool {
    LEFT.with(|left| left.take(&left.bytes, bytes))
}

/// Notes that a part was stopped by a limit of its own; the others go on.
pub(crate) fn exceed() {
    LEFT.with(|left| left.is_cut.set(true));
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
        assert!(spent.is_exceeded() && (spent.steps, spent.bytes) == (10, 5));
        assert!(within(SMALL, || keep(6)).1.is_exceeded());
        let (goes_on, spent) = within(SMALL, || {
            exceed();
            spend(1)
        });
        assert!(goes_on && spent.is_exceeded());
    }

    #[test]
    fn an_evaluation_inside_another_has_its_own() {
        let (inner, outer) = within(SMALL, || within(SMALL, || spend(11)).1);
        assert!(inner.is_exceeded() && !outer.is_exceeded());
        assert!(spend(1 << 40), "outside there is no limit");
        let panicked = std::panic::catch_unwind(|| within(SMALL, || panic!("put here by a test")));
        assert!(panicked.is_err() && spend(1 << 40));
    }
}
