//! One JSON text into what it tells: a record or a scan of ours, or an event of the API server's
//! audit log, in whatever wrapping it came.
//!
//! Wrappers are not known by name: what is neither ours nor an audit event is searched for one,
//! through every field, string and list. Only how the event itself is written must be known, and
//! that is in [`event`].

mod dotted;
mod event;
mod flat_record;
mod otlp;
mod tables;

use std::io::Read as _;

use base64::Engine as _;
use flate2::read::MultiGzDecoder;
use serde_json::value::RawValue;

pub(super) use event::from_log_group;
pub(super) use tables::csv_rows;

use super::audit::Event;
use super::fields::Fields;
use super::model;
use crate::finding::text::{clip, escape_controls};
use crate::record::Record;
use crate::scan::document::{self, ScanDocument};

/// What one text tells.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A record of undock.
    Record(Box<Record>),
    /// An event of the audit log.
    Event(Event<'a>),
    /// A scan of undock.
    Scan(ScanDocument<'a>),
}

/// Takes what was read; an error says what is wrong with it.
pub(super) type Take<'t> = dyn FnMut(Input<'_>) -> Result<(), String> + 't;

/// How deep wrappers are followed; real ones are six deep, with their lists.
const MAX_DEPTH: usize = 12;
/// Longest text inside of a text that is unpacked.
const MAX_UNPACKED: u64 = 64 << 20;
/// How far into a line its JSON may begin: behind all labels of a stream.
const MAX_PREFIX: usize = 8 << 10;

/// Reads `bytes` to `take`. What is JSON and not ours is passed over. `cluster` is what the wrapper
/// around tells, if anything.
///
/// # Errors
/// Where there is no JSON to read, or it breaks off, or a record of ours lacks what it must have.
pub(super) fn unit(bytes: &[u8], cluster: &str, take: &mut Take<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    Decoder {
        cluster: cluster.to_owned(),
        depth: 0,
    }
    .texts(text.trim_matches(is_blank), take)
}

/// True for what can stand around a text: blanks, and the zeros that copying and truncating a log
/// leaves in it.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

/// True for a line that can be somebody else's: no trace of what a report is made from.
pub(super) fn is_foreign(line: &[u8]) -> bool {
    let holds = |needle: &[u8]| memchr::memmem::find(line, needle).is_some();
    ![
        &b"auditID"[..],
        b"AuditId",
        b"undock.",
        b"audit.k8s.io",
        b"protoPayload",
        b"__CURSOR",
    ]
    .into_iter()
    .any(holds)
}

/// Where in the wrappers it is.
struct Decoder {
    /// As the innermost wrapper names it.
    cluster: String,
    depth: usize,
}

impl Decoder {
    /// One or more JSON texts, each behind a prefix or not.
    fn texts(&mut self, mut text: &str, take: &mut Take<'_>) -> Result<(), String> {
        if self.depth > MAX_DEPTH && !text.is_empty() {
            return Err("wrapped too deep".to_owned());
        }
        loop {
            let json = match text.as_bytes().first() {
                None => return Ok(()),
                Some(b'{') => text,
                Some(b'"') if serde_json::from_str::<String>(text).is_ok() => text,
                Some(b'[') if !is_prefix(text) => text,
                Some(_) => match without_prefix(text)? {
                    Some(json) => json,
                    None => return Ok(()),
                },
            };
            let mut values = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
            let error = loop {
                match values.next() {
                    None => return Ok(()),
                    Some(Ok(value)) => self.value(value.get(), take)?,
                    Some(Err(error)) => break error,
                }
            };
            text = after(json, values.byte_offset()).ok_or_else(|| place(&error))?;
        }
    }

    fn value(&mut self, json: &str, take: &mut Take<'_>) -> Result<(), String> {
        if self.depth > MAX_DEPTH {
            return Err("wrapped too deep".to_owned());
        }
        match json.as_bytes().first() {
            Some(b'{') => self.object(json, take),
            Some(b'[') => {
                let items: Vec<&RawValue> =
                    serde_json::from_str(json).map_err(|error| place(&error))?;
                if let Some(bytes) = byte_list(&items) {
                    return self.inside(&bytes, take);
                }
                if let Some(map) = otlp::map(&items) {
                    return self.inner(&map, take);
                }
                items
                    .iter()
                    .try_for_each(|item| self.inner(item.get(), take))
            }
            Some(b'"') => {
                let text: String = serde_json::from_str(json).map_err(|error| place(&error))?;
                self.inside(&text, take)
            }
            _ => Ok(()),
        }
    }

    /// A value of a wrapper, one step further in.
    fn inner(&mut self, json: &str, take: &mut Take<'_>) -> Result<(), String> {
        // Most values are short texts and numbers.
        if !matches!(json.as_bytes().first(), Some(b'{' | b'[')) && json.len() < 40 {
            return Ok(());
        }
        self.depth += 1;
        let cluster = self.cluster.clone();
        let result = self.value(json, take);
        self.cluster = cluster;
        self.depth -= 1;
        result
    }

    /// A text inside of a wrapper: JSON, or packed JSON. A message that is no JSON is somebody
    /// else's.
    fn inside(&mut self, text: &str, take: &mut Take<'_>) -> Result<(), String> {
        let text = text.trim();
        if text.contains('{') {
            let is_ours = !is_foreign(text.as_bytes());
            return self
                .texts(text, take)
                .or_else(|error| if is_ours { Err(error) } else { Ok(()) });
        }
        match unpacked(text) {
            Some(text) => self.texts(&text, take),
            None => Ok(()),
        }
    }

    fn object(&mut self, json: &str, take: &mut Take<'_>) -> Result<(), String> {
        let fields: Fields<'_> = serde_json::from_str(json).map_err(|error| place(&error))?;
        if let Some(record) = flat_record::read(&fields, json)? {
            return take(Input::Record(Box::new(record)));
        }
        let schema = fields.text(&["schema"]);
        if schema.as_str() == document::SCHEMA {
            let scan = serde_json::from_str(json)
                .map_err(|error| format!("cannot read the scan: {}", place(&error)))?;
            return take(Input::Scan(scan));
        }
        if schema.as_str() == model::SCHEMA {
            return Err(format!(
                "unsupported input {}; give an earlier report as --history FILE",
                model::SCHEMA
            ));
        }
        if schema.starts_with("undock.") {
            return Err(format!(
                "unsupported input {}; expected records, audit logs or {}",
                clip(&escape_controls(&schema), 60),
                document::SCHEMA
            ));
        }
        if let Some(cluster) = event::cluster(&fields) {
            self.cluster = cluster;
        }
        if !fields.has("objectRef")
            && let Some(event) = dotted::event(&fields)
        {
            return self.inner(&event, take);
        }
        if event::read(&fields, &self.cluster, take)? {
            return Ok(());
        }
        if let Some(rows) = tables::rows(&fields) {
            return rows.iter().try_for_each(|row| self.inner(row, take));
        }
        // What goes to stderr is for people.
        if fields.text(&["stream"]).as_str() == "stderr" {
            return Ok(());
        }
        if fields.is_null("MESSAGE") && fields.has("__CURSOR") {
            return Err(
                "the journal left out a long message: write it with journalctl --all -o json"
                    .to_owned(),
            );
        }
        fields
            .iter()
            .try_for_each(|(_, value)| self.inner(value, take))
    }
}

/// `TIME STREAM FLAG {...}` of the kubelet, `[pod/name/container] {...}` of kubectl, `TIME {labels}
/// {...}` of logcli.
fn without_prefix(text: &str) -> Result<Option<&str>, String> {
    // What goes to stderr is for people.
    if text.split(' ').nth(1) == Some("stderr") {
        return Ok(None);
    }
    let starts = text.match_indices('{').map(|(at, _)| at);
    for at in starts.take_while(|at| *at <= MAX_PREFIX) {
        let rest = &text[at..];
        // The labels of a log store look like JSON at their start only: `{app="apiserver"}`.
        if matches!(rest[1..].trim_start().as_bytes().first(), Some(b'"' | b'}')) {
            return Ok(Some(rest));
        }
    }
    Err("no JSON".to_owned())
}

/// What stands in `json` behind its first `end` bytes, where that is no JSON itself: the end of
/// what is around the text, and whatever follows with a prefix of its own, as frames of syslog do.
fn after(json: &str, end: usize) -> Option<&str> {
    let rest = json.get(end..)?.trim_start();
    // Where the text goes on as JSON does, the beginning of it was cut off.
    let goes_on = rest.starts_with([':', '}']) || rest.starts_with(",\"");
    if end == 0 || goes_on || rest.starts_with(['{', '[', '"']) {
        return None;
    }
    let rest = rest.trim_start_matches(is_blank);
    Some(if rest.contains("{\"") { rest } else { "" })
}

/// `[pod/name/container] ...`, which is no list.
fn is_prefix(text: &str) -> bool {
    text.as_bytes().get(1).is_some_and(u8::is_ascii_lowercase)
}

/// A text that the journal gives as a list of bytes.
fn byte_list(items: &[&RawValue]) -> Option<String> {
    let bytes: Option<Vec<u8>> = items.iter().map(|item| item.get().parse().ok()).collect();
    String::from_utf8(bytes.filter(|bytes| bytes.len() > 40)?).ok()
}

/// The text in the base64 of a queue, gzip or not.
fn unpacked(text: &str) -> Option<String> {
    if text.len() < 40 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(bytes)
            .ok()
            .filter(|text| text.starts_with(['{', '[']));
    }
    let mut unpacked = String::new();
    let decoder = MultiGzDecoder::new(bytes.as_slice());
    decoder
        .take(MAX_UNPACKED)
        .read_to_string(&mut unpacked)
        .ok()?;
    Some(unpacked)
}

/// serde's words without the value that it stumbled over: secrets pass through logs.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the JSON text ends before it is whole",
        serde_json::error::Category::Data => {
            "a field is missing, or has another type than it should"
        }
        _ => "not JSON",
    };
    format!("{what} (column {})", error.column())
}
