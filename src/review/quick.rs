//! A JSON reader for the reviews that API servers send: takes what serde_json takes, in fewer
//! instructions.
//!
//! It takes compact JSON to the places of a shape and jumps over what has none: `managedFields`
//! alone are a third to a half of each object. Whatever it does not know at sight (a space between
//! tokens, a fraction, a wrong type) is an [`Unknown`], and the caller asks serde_json, which
//! decides and has the words for it. What it jumps over it does not check: no value of it is ever
//! seen.

mod scan;

use std::borrow::Cow;

use memchr::memchr;

use crate::workload::budget::keep;
use crate::workload::shape::{Next, Seen, ValueVisitor};
use crate::workload::text::LenientStr;
use scan::{end_of_plain, length_of_nested, length_of_string};

/// The text is not what this reader knows; what is wrong with it, if anything, serde_json tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// Takes the value that `text` is to `place`.
///
/// # Errors
/// Where the text has something that this reader leaves to serde_json. Something may have been
/// taken then.
pub(super) fn fill<'a>(text: &'a str, place: &mut dyn ValueVisitor<'a>) -> Result<(), Unknown> {
    // Go ends what it encodes with a line break.
    let mut reader = Reader {
        text: text.trim_ascii_end(),
        at: 0,
        depth: 0,
    };
    reader.value(place)?;
    if reader.at == reader.text.len() {
        Ok(())
    } else {
        Err(Unknown)
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Of the next byte. Between tokens it is always at a character's first byte.
    at: usize,
    /// Lists and objects around it that are being read.
    depth: u8,
}

/// A pod template may hold another one, and the stack is no deeper than this; as in serde_json.
const MAX_DEPTH: u8 = 128;

impl<'a> Reader<'a> {
    // Most values are texts: they are taken in the loop that meets them, and only what is nested
    // costs a call.

    /// Takes the next value to `place`.
    #[inline(always)]
    fn value(&mut self, place: &mut dyn ValueVisitor<'a>) -> Result<(), Unknown> {
        let is_taken = match self.peek()? {
            b'"' => match self.plain_string() {
                Some(text) => place.take_text(text),
                None => match self.other_text()? {
                    Cow::Borrowed(text) => place.take_text(text),
                    Cow::Owned(text) => place.take_unescaped(text),
                },
            },
            b'{' => self.object(place)?,
            b'[' => self.list(place)?,
            b'n' => self.take_word("null")?,
            b't' => self.take_word("true")? && place.take_text("true"),
            b'f' => self.take_word("false")? && place.take_text("false"),
            b'0'..=b'9' => place.take_text(self.integer()?),
            _ => false,
        };
        if is_taken { Ok(()) } else { Err(Unknown) }
    }

    /// Takes the fields of the object that begins here; false if `place` takes none.
    #[inline(never)]
    fn object(&mut self, place: &mut dyn ValueVisitor<'a>) -> Result<bool, Unknown> {
        if !place.begin_map() {
            return Ok(false);
        }
        let mut seen = Seen::default();
        let mut goes_on = self.open(b'}')?;
        while goes_on {
            if self.peek()? != b'"' {
                return Err(Unknown);
            }
            let key = self.string()?;
            if self.peek()? != b':' {
                return Err(Unknown);
            }
            self.at += 1;
            match place.field(&key) {
                Next::Skip => self.skip()?,
                Next::ValueVisitor(place) => self.value(place)?,
                Next::Field(number, place) if seen.is_first(number) => self.value(place)?,
                Next::Unread(text) => *text = Some(self.unread()?),
                Next::Field(..) => return Err(Unknown),
            }
            goes_on = self.goes_on(b'}')?;
        }
        Ok(true)
    }

    /// Takes the elements of the list that begins here; false if `place` takes none.
    #[inline(never)]
    fn list(&mut self, place: &mut dyn ValueVisitor<'a>) -> Result<bool, Unknown> {
        if !place.begin_list() {
            return Ok(false);
        }
        let mut goes_on = self.open(b']')?;
        while goes_on {
            match place.element() {
                Next::Skip | Next::Unread(_) => self.skip()?,
                Next::ValueVisitor(place) | Next::Field(_, place) => self.value(place)?,
            }
            goes_on = self.goes_on(b']')?;
        }
        Ok(true)
    }

    /// Goes into the list or object that begins here; false if it ends at once.
    fn open(&mut self, close: u8) -> Result<bool, Unknown> {
        self.at += 1;
        self.depth += 1;
        if self.depth == MAX_DEPTH {
            return Err(Unknown);
        }
        let is_empty = self.peek()? == close;
        if is_empty {
            self.at += 1;
            self.depth -= 1;
        }
        Ok(!is_empty)
    }

    /// Takes the comma after an entry, or `close` and is false. Behind a comma the reader of what
    /// comes next finds it missing.
    fn goes_on(&mut self, close: u8) -> Result<bool, Unknown> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == close {
            self.depth -= 1;
            return Ok(false);
        }
        if byte == b',' { Ok(true) } else { Err(Unknown) }
    }

    /// The first byte of the next token. Between tokens there are no spaces.
    fn peek(&self) -> Result<u8, Unknown> {
        self.text.as_bytes().get(self.at).copied().ok_or(Unknown)
    }

    /// Takes `word`, which must come next.
    fn take_word(&mut self, word: &str) -> Result<bool, Unknown> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Unknown);
        }
        self.at += word.len();
        Ok(true)
    }

    /// Takes the string that begins here.
    #[inline(always)]
    fn string(&mut self) -> Result<LenientStr<'a>, Unknown> {
        match self.plain_string() {
            Some(text) => Ok(LenientStr::from(text)),
            None => self.other_text().map(LenientStr::from),
        }
    }

    /// Takes the string that begins here, if it has no escape and does not stand near the end of
    /// the text.
    #[inline(never)]
    fn plain_string(&mut self) -> Option<&'a str> {
        let start = self.at + 1;
        let rest = self.text.get(start..)?;
        let length = end_of_plain(rest.as_bytes())?;
        if rest.as_bytes()[length] != b'"' {
            return None;
        }
        self.at = start + length + 1;
        rest.get(..length)
    }

    /// Takes any other string.
    #[inline(never)]
    fn other_text(&mut self) -> Result<Cow<'a, str>, Unknown> {
        let text = self.raw_string()?;
        Ok(match memchr(b'\\', text.as_bytes()) {
            None => text.into(),
            Some(plain) => unescaped(text, plain)?.into(),
        })
    }

    /// Takes the string that begins here, as it is written.
    #[inline(never)]
    fn raw_string(&mut self) -> Result<&'a str, Unknown> {
        let start = self.at + 1;
        let rest = self.text.get(start..).ok_or(Unknown)?;
        let bytes = rest.as_bytes();
        // Most have no escape; of the others, the most are long and full of them.
        let length = match end_of_plain(bytes) {
            Some(length) if bytes[length] == b'"' => length,
            plain => {
                let plain = plain.unwrap_or_default();
                plain + length_of_string(&bytes[plain..]).ok_or(Unknown)?
            }
        };
        self.at = start + length + 1;
        rest.get(..length).ok_or(Unknown)
    }

    /// Takes a whole number of a size that no field of Kubernetes exceeds, as it is written.
    fn integer(&mut self) -> Result<&'a str, Unknown> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at(length);
        let is_padded = length > 1 && digits.starts_with('0');
        if is_padded || length > 19 || rest.starts_with(['.', 'e', 'E']) {
            return Err(Unknown);
        }
        self.at += length;
        Ok(digits)
    }

    /// Takes the next value as it is written.
    fn unread(&mut self) -> Result<&'a str, Unknown> {
        self.peek()?;
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or(Unknown)
    }

    /// Jumps over the next value.
    #[inline(never)]
    fn skip(&mut self) -> Result<(), Unknown> {
        match self.peek()? {
            b'"' => self.raw_string().map(|_| ()),
            b'{' => self.skip_nested(b'{', b'}'),
            b'[' => self.skip_nested(b'[', b']'),
            _ => {
                let rest = &self.text.as_bytes()[self.at..];
                let length = rest
                    .iter()
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
                    })
                    .count();
                self.at += length;
                if length > 0 { Ok(()) } else { Err(Unknown) }
            }
        }
    }

    /// Jumps over the list or object that begins here.
    fn skip_nested(&mut self, open: u8, close: u8) -> Result<(), Unknown> {
        let start = self.at + 1;
        let rest = &self.text.as_bytes()[start..];
        let is_empty = rest.first() == Some(&close);
        self.at = start
            + if is_empty {
                1
            } else {
                length_of_nested(rest, open, close).ok_or(Unknown)?
            };
        Ok(())
    }
}

/// The text that `written` stands for, whose first escape is at `escape`. Go escapes `<`, `>` and
/// `&`, so commands have escapes.
#[inline(never)]
fn unescaped(written: &str, mut escape: usize) -> Result<String, Unknown> {
    let bytes = written.as_bytes();
    // It is needed whatever is left: what comes behind it goes without.
    let _ = keep(OWNED_BYTES + escape);
    // No escape is shorter than what it stands for.
    let mut text = Vec::with_capacity(written.len());
    let mut at = 0;
    loop {
        text.extend_from_slice(&bytes[at..escape]);
        at = escape + unescape_row(&bytes[escape..], &mut text)?;
        match memchr(b'\\', &bytes[at..]) {
            Some(plain) => escape = at + plain,
            None => break,
        }
    }
    text.extend_from_slice(&bytes[at..]);
    String::from_utf8(text).map_err(|_| Unknown)
}

/// Takes the row of escapes with which `bytes` begin. Returns how many bytes they are.
fn unescape_row(bytes: &[u8], text: &mut Vec<u8>) -> Result<usize, Unknown> {
    let mut at = 0;
    while let [b'\\', escaped, behind @ ..] = &bytes[at..] {
        at += match escaped {
            b'u' => match unescape_ascii(&bytes[at..], text) {
                0 => {
                    let character = character(behind.first_chunk().ok_or(Unknown)?)?;
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    6
                }
                taken => taken,
            },
            _ => {
                text.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'"' | b'\\' | b'/' => *escaped,
                    _ => return Err(Unknown),
                });
                2
            }
        }
    }
    Ok(at)
}

/// Takes the first escapes of `bytes` that have the form `\u00xx` and stand for ASCII, up to 32.
/// Returns how many bytes they are.
fn unescape_ascii(bytes: &[u8], text: &mut Vec<u8>) -> usize {
    let mut row = [0; 32];
    let mut count = 0;
    for (slot, escape) in row.iter_mut().zip(bytes.as_chunks().0) {
        let [b'\\', b'u', b'0', b'0', high, low] = *escape else {
            break;
        };
        let number = HEX[usize::from(high)] * 16 + HEX[usize::from(low)];
        let Some(byte) = u8::try_from(number).ok().filter(u8::is_ascii) else {
            break;
        };
        *slot = byte;
        count += 1;
    }
    text.extend_from_slice(&row[..count]);
    count * 6
}

/// What a text of its own takes beside its bytes: an allocation is as dear in time as in memory.
const OWNED_BYTES: usize = 64;

/// The value of each hexadecimal digit; 256, more than a byte holds, for what is none.
const HEX: [u16; 256] = {
    let mut values = [256; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        values[digit as usize] = value;
        values[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

/// The character with these hexadecimal `digits`. Halves of a pair are left to serde_json.
fn character(digits: &[u8; 4]) -> Result<char, Unknown> {
    let number = digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    });
    number.and_then(char::from_u32).ok_or(Unknown)
}

#[cfg(test)]
mod tests;
