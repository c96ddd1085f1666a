//! A JSON reader for the reviews that API servers send: takes what serde_json takes, in half the instructions.
//!
//! It reads compact JSON into borrowed shapes and jumps over what they do not have: `managedFields` alone are a third
//! to a half of each object. Whatever it does not know at sight (a fraction, a control character, a wrong type) is an
//! [`Unknown`], and the caller asks serde_json, which decides and has the words for it. What it jumps over it does
//! not check: no value of it is ever seen.

use std::fmt;

use memchr::{memchr, memchr_iter, memchr2_iter};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The text is not what this reader knows; what is wrong with it, if anything, serde_json tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON of another form than API servers send")
    }
}

impl std::error::Error for Unknown {}

impl de::Error for Unknown {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Reads a `T` from `text`.
///
/// # Errors
/// Where the text has something that this reader leaves to serde_json.
pub(super) fn from_str<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unknown> {
    // Go ends what it encodes with a line break. No other control character is in it, and once that is known nothing
    // needs to look for them in each string.
    let text = text.trim_ascii_end();
    if text.bytes().fold(false, |found, byte| found | (byte < b' ')) {
        return Err(Unknown);
    }
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader)?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(Unknown) }
}

// What every reader of a type calls is kept out of line: inlined, the readers of all types together would not fit into
// the processor's instruction cache, and waiting for their code took longer than running it.
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
    fn skip_space(&mut self) {
        while self.text.as_bytes().get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    /// The first byte of the next token.
    fn peek(&mut self) -> Result<u8, Unknown> {
        let bytes = self.text.as_bytes();
        match bytes.get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => {
                self.skip_space();
                bytes.get(self.at).copied().ok_or(Unknown)
            }
        }
    }

    /// Takes `byte`, which must be the next token.
    fn take(&mut self, byte: u8) -> Result<(), Unknown> {
        if self.peek()? != byte {
            return Err(Unknown);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes `word`, which must come next.
    #[inline(never)]
    fn take_word(&mut self, word: &str) -> Result<(), Unknown> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len()).ok_or(Unknown)
    }

    /// Takes the rest of a string whose first quote was taken: its content as written, and whether that has escapes.
    #[inline(never)]
    fn string(&mut self) -> Result<(&'a str, bool), Unknown> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at = end_of_plain(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(_) => (self.at, has_escapes) = (self.at + 2, true),
                None => return Err(Unknown),
            }
        }
        // Both ends lie beside a quote, so neither splits a character.
        let content = self.text.get(start..self.at).ok_or(Unknown)?;
        self.at += 1;
        Ok((content, has_escapes))
    }

    /// The text that `content` stands for, a string's content that was just taken.
    #[inline(never)]
    fn unescaped(&self, content: &str) -> Result<String, Unknown> {
        let quoted = &self.text[self.at - content.len() - 2..self.at];
        serde_json::from_str(quoted).map_err(|_| Unknown)
    }

    /// Reads the entries of the list or object that begins here and ends with `close`.
    fn nested<T>(&mut self, close: u8, read: impl FnOnce(Entries<'_, 'a>) -> Result<T, Unknown>) -> Result<T, Unknown> {
        self.at += 1;
        self.depth += 1;
        if self.depth == MAX_DEPTH {
            return Err(Unknown);
        }
        let value = read(Entries { reader: self, is_first: true })?;
        self.depth -= 1;
        self.take(close)?;
        Ok(value)
    }

    /// Reads a whole number of a size that no field of Kubernetes exceeds.
    #[inline(never)]
    fn integer(&mut self) -> Result<u64, Unknown> {
        let mut number = 0_u64;
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            number = number.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit - b'0'))).ok_or(Unknown)?;
            self.at += 1;
        }
        let is_padded = self.text.as_bytes()[start] == b'0' && self.at > start + 1;
        let goes_on = matches!(self.text.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        if is_padded || goes_on { Err(Unknown) } else { Ok(number) }
    }

    /// Jumps over the next value.
    #[inline(never)]
    fn skip(&mut self) -> Result<(), Unknown> {
        let first = self.peek()?;
        match first {
            b'"' => {
                self.at += 1;
                self.string().map(|_| ())
            }
            b'{' => self.skip_object(),
            b'[' => {
                self.at += 1 + length_of_list(&self.text.as_bytes()[self.at + 1..]).ok_or(Unknown)? + 1;
                Ok(())
            }
            _ => {
                let rest = &self.text.as_bytes()[self.at..];
                let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')).count();
                self.at += length;
                if length > 0 { Ok(()) } else { Err(Unknown) }
            }
        }
    }

    /// Jumps over an object, which is short: what is long in a review are lists.
    fn skip_object(&mut self) -> Result<(), Unknown> {
        let bytes = self.text.as_bytes();
        let mut depth = 0_usize;
        loop {
            let byte = *bytes.get(self.at).ok_or(Unknown)?;
            self.at += 1;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}

/// Where the plain part of a string that goes on at `at` ends: at a quote, a backslash, or the end. Eight bytes at a
/// time; the names and values of a Pod are too short for a searcher that takes more.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte that is zero. Bits above the first such byte can be wrong, and are not looked at.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}

/// The length of the list whose opening bracket stands before `bytes`, up to its closing one; `None` if it has no end.
fn length_of_list(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut seen) = (1, false, 0);
    // Brackets are rare in `managedFields` and quotes are not: count the quotes between two brackets instead of
    // walking over each.
    for at in memchr2_iter(b'[', b']', bytes) {
        in_string ^= has_odd_quotes(&bytes[seen..at]);
        seen = at;
        if in_string {
            continue;
        }
        match bytes[at] {
            b'[' => depth += 1,
            _ if depth == 1 => return Some(at),
            _ => depth -= 1,
        }
    }
    None
}

/// True if `bytes` open a string or close one, and do not do both.
fn has_odd_quotes(bytes: &[u8]) -> bool {
    let mut quotes = memchr_iter(b'"', bytes).count();
    let mut at = 0;
    while let Some(backslash) = memchr(b'\\', &bytes[at..]) {
        let escaped = at + backslash + 1;
        quotes -= usize::from(bytes.get(escaped) == Some(&b'"'));
        at = bytes.len().min(escaped + 1);
    }
    quotes % 2 == 1
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unknown;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unknown> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                match self.string()? {
                    (text, false) => visitor.visit_borrowed_str(text),
                    (text, true) => visitor.visit_string(self.unescaped(text)?),
                }
            }
            b'{' => self.nested(b'}', |entries| visitor.visit_map(entries)),
            b'[' => self.nested(b']', |entries| visitor.visit_seq(entries)),
            b'n' => self.take_word("null").and_then(|()| visitor.visit_unit()),
            b't' => self.take_word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.take_word("false").and_then(|()| visitor.visit_bool(false)),
            b'0'..=b'9' => self.integer().and_then(|number| visitor.visit_u64(number)),
            _ => Err(Unknown),
        }
    }

    /// Fields are many and their readers large: each knows an object and nothing else.
    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unknown> {
        if self.peek()? == b'{' { self.nested(b'}', |entries| visitor.visit_map(entries)) } else { Err(Unknown) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unknown> {
        if self.peek()? == b'n' {
            self.take_word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Unknown> {
        if name != Unread::NAME {
            return visitor.visit_newtype_struct(self);
        }
        self.peek()?;
        let start = self.at;
        self.skip()?;
        visitor.visit_borrowed_str(self.text.get(start..self.at).ok_or(Unknown)?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unknown> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier
    }
}

/// The entries of a list or an object.
struct Entries<'r, 'a> {
    reader: &'r mut Reader<'a>,
    is_first: bool,
}

impl Entries<'_, '_> {
    /// Takes the comma before the next entry; false where `close` comes instead.
    #[inline(never)]
    fn has_next(&mut self, close: u8) -> Result<bool, Unknown> {
        if std::mem::take(&mut self.is_first) {
            return Ok(self.reader.peek()? != close);
        }
        match self.reader.peek()? {
            b',' => {
                self.reader.at += 1;
                // serde_json would find the key or the value missing, and so do the readers of keys and values here.
                Ok(true)
            }
            byte if byte == close => Ok(false),
            _ => Err(Unknown),
        }
    }
}

impl<'a> MapAccess<'a> for Entries<'_, 'a> {
    type Error = Unknown;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unknown> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        if self.reader.peek()? != b'"' {
            return Err(Unknown);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Unknown> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

impl<'a> SeqAccess<'a> for Entries<'_, 'a> {
    type Error = Unknown;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Unknown> {
        if !self.has_next(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// The text of a value that may never be needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread<'a>(&'a str);

impl<'a> Unread<'a> {
    /// By this name the reader knows that the text itself is wanted.
    const NAME: &'static str = "undock::review::Unread";

    /// The text, as it came.
    pub(super) fn text(self) -> &'a str {
        self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Unread<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(Self::NAME, UnreadVisitor)
    }
}

struct UnreadVisitor;

impl<'de> Visitor<'de> for UnreadVisitor {
    type Value = Unread<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Unread(text))
    }

    /// serde_json has a name of its own for the same wish.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Unread(raw.get()))
    }
}

#[cfg(test)]
mod tests;
