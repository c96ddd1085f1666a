//! Values stored once and known by number.

use std::hash::Hash;

use indexmap::IndexSet;

/// Numbers for values. Numbers depend on the order of the inputs, so nothing is sorted by them.
#[derive(Debug)]
pub(super) struct Interner<T>(IndexSet<T>);

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self(IndexSet::new())
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The number of `value`.
    pub(super) fn number(&mut self, value: &T) -> u32 {
        let known = self.0.get_index_of(value);
        let number = known.unwrap_or_else(|| self.0.insert_full(value.clone()).0);
        // Four billion distinct values would not have fitted into memory before.
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// The value with `number`.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.0[number as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.0)
    }
}

/// The newest value; of two of the same moment the greater, so that the order of the inputs does
/// not matter.
#[derive(Clone, Debug)]
pub(super) struct Latest<T>(Option<(i64, T)>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Ord> Latest<T> {
    pub(super) fn put(&mut self, time: i64, value: T) {
        let is_newer = self
            .0
            .as_ref()
            .is_none_or(|(own_time, own)| (time, &value) > (*own_time, own));
        if is_newer {
            self.0 = Some((time, value));
        }
    }

    /// Takes what another one has, if that is newer.
    pub(super) fn merge(&mut self, other: Self) {
        if let Some((time, value)) = other.0 {
            self.put(time, value);
        }
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

impl Latest<String> {
    /// Takes a text that says something.
    pub(super) fn tell(&mut self, time: i64, value: &str) {
        let is_newer = self
            .0
            .as_ref()
            .is_none_or(|(own_time, own)| (time, value) > (*own_time, own.as_str()));
        if is_newer && !value.is_empty() {
            self.0 = Some((time, value.to_owned()));
        }
    }

    pub(super) fn text(&self) -> String {
        self.get().cloned().unwrap_or_default()
    }
}
