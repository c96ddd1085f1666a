//! The escaper of the page's templates: object text is untrusted, and every value goes through
//! here.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::finding::text::escape_controls;

/// No meaning in HTML, in text and in quoted attributes alike, and no control character.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text;

impl Escaper for Text {
    fn write_escaped_str<W: Write>(&self, out: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(out, &escape_controls(text))
    }
}
