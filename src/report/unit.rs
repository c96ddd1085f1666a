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

impl<'a> Unit<'a> {
    /// What starts at `line`, without a log group around it.
    pub(super) fn new(line: usize, bytes: Result<&'a [u8], &'static str>) -> Self {
        let log_group = "";
        Self {
            line,
            bytes,
            log_group,
        }
    }
}
