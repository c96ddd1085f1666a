//! One JSON text over many lines, split into the elements of its list, so that an export of any
//! size needs little memory.

use super::unit::Unit;

/// Keys whose list holds the entries: EventList, CloudWatch, AKS, Log Analytics, Firehose.
const LISTS: [&[u8]; 7] = [
    b"items",
    b"events",
    b"records",
    b"results",
    b"value",
    b"logEvents",
    b"entries",
];

/// Finds where elements begin and end, without reading them.
#[derive(Default)]
pub(super) struct Splitter {
    limit: usize,
    line: usize,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// The string that was read last at depth 1, and whether it is being read.
    key: Vec<u8>,
    /// The value of `logGroup` at depth 1.
    log_group: String,
    is_log_group: bool,
    /// Depth at which elements stand, once the list was found.
    elements_at: Option<usize>,
    /// The element that is being read is a string.
    is_text: bool,
    unit: Vec<u8>,
    unit_line: usize,
    is_too_long: bool,
}

impl Splitter {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            line: 1,
            unit_line: 1,
            ..Self::default()
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Unit<'_>)) {
        for &byte in bytes {
            self.step(byte, take);
        }
    }

    /// Ends the input: what is open is incomplete.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(Unit<'_>)) {
        if self.depth > 0 || self.in_string {
            take(Unit::new(
                self.unit_line,
                Err("the JSON text ends before it is whole"),
            ));
        }
    }

    fn step(&mut self, byte: u8, take: &mut dyn FnMut(Unit<'_>)) {
        if byte == b'\n' {
            self.line += 1;
        }
        let base = self.elements_at.unwrap_or(0);
        let is_inside = self.depth > base;
        if self.in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => {
                    self.in_string = false;
                    if self.is_text {
                        self.is_text = false;
                        self.push(byte);
                        self.emit(take);
                        return;
                    }
                }
                _ if self.depth == 1 && self.is_log_group && self.log_group.len() < 512 => {
                    self.log_group.push(char::from(byte));
                }
                _ if self.depth == 1 && self.key.len() < 16 => self.key.push(byte),
                _ => {}
            }
        } else {
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.elements_at == Some(self.depth) {
                        self.is_text = true;
                        self.unit.clear();
                        self.unit_line = self.line;
                    }
                    if self.depth == 1 {
                        self.is_log_group = self.key == b"logGroup";
                        if self.is_log_group {
                            self.log_group.clear();
                        }
                        self.key.clear();
                    }
                }
                b'{' | b'[' => {
                    let is_list = byte == b'['
                        && self.elements_at.is_none()
                        && (self.depth == 0
                            || self.depth == 1 && LISTS.contains(&self.key.as_slice()));
                    self.depth += 1;
                    if is_list {
                        self.elements_at = Some(self.depth);
                        self.unit.clear();
                        return;
                    }
                    if !is_inside {
                        self.unit.clear();
                        self.is_too_long = false;
                        self.unit_line = self.line;
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth < base {
                        self.elements_at = None;
                        // The rest of a wrapper says nothing about its entries.
                        self.unit.clear();
                        return;
                    }
                    if is_inside && self.depth == base {
                        self.push(byte);
                        self.emit(take);
                        return;
                    }
                }
                _ => {}
            }
        }
        if self.depth > base || self.is_text {
            self.push(byte);
        }
    }

    fn push(&mut self, byte: u8) {
        if self.unit.len() < self.limit {
            self.unit.push(byte);
        } else {
            self.is_too_long = true;
        }
    }

    fn emit(&mut self, take: &mut dyn FnMut(Unit<'_>)) {
        let is_wrapper_rest = self.elements_at.is_none() && !self.unit.starts_with(b"{");
        if !is_wrapper_rest {
            let bytes = if self.is_too_long {
                Err("the entry is longer than 64 MiB")
            } else {
                Ok(self.unit.as_slice())
            };
            take(Unit {
                line: self.unit_line,
                bytes,
                log_group: &self.log_group,
            });
        }
        self.unit.clear();
        self.is_too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(usize, String)> {
        let mut units = Vec::new();
        let mut splitter = Splitter::new(1 << 20);
        let mut take = |unit: Unit<'_>| {
            units.push((
                unit.line,
                unit.bytes
                    .map_or("!".to_owned(), |b| String::from_utf8_lossy(b).into_owned()),
            ))
        };
        // One byte at a time: no state may hang on a chunk.
        text.bytes()
            .for_each(|byte| splitter.feed(&[byte], &mut take));
        splitter.finish(&mut take);
        units
    }

    #[test]
    fn lists_are_split_and_objects_are_kept() {
        for (text, expected) in [
            (
                "[{\"a\":[1]},\n{\"b\":\"]}\\\"\"}]",
                &[(1, "{\"a\":[1]}"), (2, "{\"b\":\"]}\\\"\"}")][..],
            ),
            (
                "{\"kind\":\"EventList\",\n\"items\":[\n{\"a\":1}\n],\"metadata\":{\"x\":1}}\n",
                &[(3, "{\"a\":1}")],
            ),
            (
                "{\n\"kind\":\"Event\",\"user\":{\"groups\":[{\"x\":1}]}\n}",
                &[(
                    1,
                    "{\n\"kind\":\"Event\",\"user\":{\"groups\":[{\"x\":1}]}\n}",
                )],
            ),
            (
                "{\"results\":[[{\"field\":\"@message\"}],[]]}",
                &[(1, "[{\"field\":\"@message\"}]"), (1, "[]")],
            ),
            (
                "{\"a\":1}\n{\"a\":2}",
                &[(1, "{\"a\":1}"), (2, "{\"a\":2}")],
            ),
            (
                "{\"items\":[{\"a\":1}]}{\"items\":[{\"a\":2}]}",
                &[(1, "{\"a\":1}"), (1, "{\"a\":2}")],
            ),
            (
                "[\"{\\\"a\\\":1}\",\n \"b]\"]",
                &[(1, "\"{\\\"a\\\":1}\""), (2, "\"b]\"")],
            ),
            ("{\"a\":", &[(1, "!")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, unit)| (*line, (*unit).to_owned()))
                .collect();
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
