//! What is wrong with a document, and where.

/// What is wrong with a document, and where. Lines and columns count from 1, in the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}
