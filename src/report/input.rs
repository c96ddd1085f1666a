//! Inputs into single JSON texts: lines, elements of exported lists, whole documents; packed or
//! plain, in constant memory.

use std::io::{self, Read};

use memchr::memchr;

use super::decode::csv_rows;
use super::document::Splitter;
use super::packing::{Unpacked, unpack};
use super::unit::Unit;

/// Longest line or element; an API server's request is at most 3 MiB, and logs escape it at most
/// once.
const MAX_UNIT: usize = 64 << 20;
/// How much is read at once.
const CHUNK: usize = 1 << 20;

/// Gives every unit of `input` to `take`; what it is and what to do, if it cannot be read.
///
/// # Errors
/// Where the input cannot be read to its end; what came before was taken.
pub(super) fn read(
    input: impl Read,
    take: &mut dyn FnMut(Unit<'_>),
) -> io::Result<Option<&'static str>> {
    match unpack(input)? {
        Unpacked::Unsupported(what) => return Ok(Some(what)),
        Unpacked::Text(mut text) => units(&mut text, take)?,
        Unpacked::Csv(table, layout) => {
            let mut row = |line, bytes: &[u8]| take(Unit::new(line, Ok(bytes)));
            csv_rows(table, layout, &mut row).map_err(io::Error::other)?;
        }
    }
    Ok(None)
}

fn units(input: &mut dyn Read, take: &mut dyn FnMut(Unit<'_>)) -> io::Result<()> {
    let mut buffer = Buffer::default();
    buffer.fill(input)?;
    let bytes = buffer.bytes();
    let skipped = if bytes.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    buffer.consume(skipped);
    if is_document(buffer.bytes()) {
        elements(&mut buffer, input, take)
    } else {
        lines(&mut buffer, input, take)
    }
}

/// True if the input is one JSON text over many lines, or a long list in one line, and not a text
/// for each line.
fn is_document(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    let Some(first) = start.first().filter(|byte| matches!(byte, b'{' | b'[')) else {
        return opens_behind_prefix(start);
    };
    let Some(end) = memchr(b'\n', start) else {
        return start.len() >= CHUNK / 2;
    };
    let line = start[..end].trim_ascii_end();
    if serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() {
        return false;
    }
    // A log that was cut at its start, or `[pod/name/container] {...}` of kubectl: the next line is
    // a text of its own.
    let next = start[end + 1..]
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let is_line = |line: &[u8]| {
        memchr(b'{', line)
            .is_some_and(|at| serde_json::from_slice::<serde::de::IgnoredAny>(&line[at..]).is_ok())
    };
    let is_prefixed = *first == b'[' && line.get(1).is_some_and(u8::is_ascii_lowercase);
    let was_cut = line.len() > 1 && next.starts_with(b"{") && is_line(next);
    !is_prefixed && !was_cut
}

/// True for `TIME STREAM {` alone in its line, as `aws logs tail --format json` begins each text.
fn opens_behind_prefix(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default().trim_ascii_end();
    let other = |byte: &u8| b"{[\"".contains(byte);
    line.strip_suffix(b" {")
        .is_some_and(|prefix| !prefix.iter().any(other))
}

fn lines(
    buffer: &mut Buffer,
    input: &mut dyn Read,
    take: &mut dyn FnMut(Unit<'_>),
) -> io::Result<()> {
    let mut number = 0;
    loop {
        let bytes = buffer.bytes();
        let mut start = 0;
        while let Some(length) = memchr(b'\n', &bytes[start..]) {
            number += 1;
            take(Unit::new(number, Ok(&bytes[start..start + length])));
            start += length + 1;
        }
        let is_too_long = bytes.len() - start > MAX_UNIT;
        if is_too_long {
            number += 1;
            take(Unit::new(number, Err("the line is longer than 64 MiB")));
            start = bytes.len();
        }
        buffer.consume(start);
        if is_too_long && !buffer.skip_line(input)? || !buffer.fill(input)? {
            break;
        }
    }
    if !buffer.bytes().is_empty() {
        take(Unit::new(number + 1, Ok(buffer.bytes())));
    }
    Ok(())
}

fn elements(
    buffer: &mut Buffer,
    input: &mut dyn Read,
    take: &mut dyn FnMut(Unit<'_>),
) -> io::Result<()> {
    let mut splitter = Splitter::new(MAX_UNIT);
    loop {
        splitter.feed(buffer.bytes(), take);
        let all = buffer.bytes().len();
        buffer.consume(all);
        if !buffer.fill(input)? {
            break;
        }
    }
    splitter.finish(take);
    Ok(())
}

/// Bytes that were read and not yet consumed.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    /// Why nothing more can be read; told when what was read before is consumed.
    error: Option<io::Error>,
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads up to a chunk more; false at the end of the input.
    fn fill(&mut self, input: &mut dyn Read) -> io::Result<bool> {
        self.bytes.drain(..self.start);
        self.start = 0;
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let before = self.bytes.len();
        self.bytes.resize(before + CHUNK, 0);
        let mut end = before;
        while end < self.bytes.len() {
            match input.read(&mut self.bytes[end..]) {
                Ok(0) => break,
                Ok(count) => end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        self.bytes.truncate(end);
        match self.error.take_if(|_| end == before) {
            Some(error) => Err(error),
            None => Ok(end > before),
        }
    }

    /// Drops everything to the next line; false at the end of the input.
    fn skip_line(&mut self, input: &mut dyn Read) -> io::Result<bool> {
        while self.fill(input)? {
            match memchr(b'\n', self.bytes()) {
                Some(at) => {
                    self.consume(at + 1);
                    return Ok(true);
                }
                None => self.consume(self.bytes().len()),
            }
        }
        Ok(false)
    }
}
