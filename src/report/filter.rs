//! Says without parsing whether a line can matter to the report: most lines of an audit log cannot.
//!
//! Only a line that is surely an event of kube-apiserver's own log, about something that undock
//! does not review, is left unread; in what a cloud or a shipper wrapped, the cheap signs are
//! elsewhere.

use memchr::memmem::{self, Finder};

use super::audit::ObjectRef;

/// How each line of kube-apiserver's own log begins.
const NATIVE: &[u8] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/";

/// Searchers for the parts of a line.
pub(super) struct Filter {
    ours: Finder<'static>,
    failed_open: Finder<'static>,
    audit: Finder<'static>,
    payload: Finder<'static>,
    packed: [Finder<'static>; 3],
    journal: Finder<'static>,
    verb: Finder<'static>,
    object: Finder<'static>,
    time: Finder<'static>,
}

impl Filter {
    pub(super) fn new() -> Self {
        Self {
            // Annotations hold `undock.dev`, records `undock.review`; some shippers write dots as
            // underscores.
            ours: memmem::Finder::new(b"undock"),
            failed_open: memmem::Finder::new(b"failed-open"),
            audit: memmem::Finder::new(b"udit"),
            payload: memmem::Finder::new(b"protoPayload"),
            // The base64 of a queue, by its key or as gzip and JSON begin in it, and a message that
            // the journal did not write as a text.
            packed: [&b"\"data\""[..], b"\"H4sI", b"\"eyJ"].map(memmem::Finder::new),
            journal: memmem::Finder::new(b"__CURSOR"),
            verb: memmem::Finder::new(b"\"verb\":\""),
            object: memmem::Finder::new(b"\"objectRef\":{"),
            time: memmem::Finder::new(b"\"stageTimestamp\":\""),
        }
    }

    /// False for a line that tells nothing but that there was a log at its time.
    pub(super) fn wants(&self, line: &[u8]) -> bool {
        let is_whole = line.first() == Some(&b'{') && line.trim_ascii_end().last() == Some(&b'}');
        if !is_whole {
            return true;
        }
        let is_native = line.starts_with(NATIVE);
        if is_native && !self.is_write_of_reviewed_kind(line) {
            return false;
        }
        is_native
            || self.audit.find(line).is_some()
            || self.ours.find(line).is_some()
            || self.payload.find(line).is_some()
            || self.failed_open.find(line).is_some()
            || self.packed.iter().any(|sign| sign.find(line).is_some())
            || self.journal.find(line).is_some()
    }

    /// The moment of an audit event, unread but for this: it stands near the end of the line.
    pub(super) fn time<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let tail = &line[line.len().saturating_sub(1024)..];
        let at = self.time.find(tail)? + self.time.needle().len();
        tail.get(at..at + 27)
    }

    /// Of a line of kube-apiserver's own log: true where the parts that would tell are not as they
    /// always are.
    ///
    /// Verb and object stand before everything that a client can write, but for the path, in which
    /// quotes are escaped.
    fn is_write_of_reviewed_kind(&self, line: &[u8]) -> bool {
        let text = |from: usize| {
            let end = from + memchr::memchr(b'"', line.get(from..)?)?;
            line.get(from..end)
        };
        let Some(at) = self.verb.find(line) else {
            return true;
        };
        let Some(verb) = text(at + self.verb.needle().len()) else {
            return true;
        };
        if matches!(verb, b"get" | b"list" | b"watch") {
            return false;
        }
        let Some(start) = self.object.find(&line[at..]) else {
            return !matches!(verb, b"post" | b"put");
        };
        let start = at + start + self.object.needle().len() - 1;
        let Some(end) = memchr::memchr(b'}', &line[start..]) else {
            return true;
        };
        let object = &line[start..=start + end];
        let Ok(object) = serde_json::from_slice::<ObjectRef<'_>>(object) else {
            return true;
        };
        object.is_reviewed() || object.resource.as_str() == "namespaces"
    }
}
