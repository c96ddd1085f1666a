//! What inputs are cut into.

/// A piece of an input that should be JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'a> {
    /// Line at which it starts, from 1.
    pub(super) line: usize,
    /// Its bytes, or what is wrong with it.
    pub(super) bytes: Result<&'a [u8], &'static str>,
    /// The log group that stands around it, where that is not in the bytes; else empty.
    pub(super) log_group: &'a str,
}

impl Unit<'_> {
    /// One without anything, for what ends after `line`.
    pub(super) fn at(line: usize) -> Self {
        Self {
            line,
            bytes: Ok(&[]),
            log_group: "",
        }
    }
}
