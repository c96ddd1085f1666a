//! Documents inside the strings of an object: configuration files of a ConfigMap, Helm values, pod
//! templates.
//!
//! Each language is read into the same tree, so that a rule asks for settings and not for lines of
//! text.

mod align;
mod blocks;
mod guess;
mod json;
mod sections;
mod tags;
mod template;
mod toml;
mod yaml;

pub(crate) use align::aligned;
pub(crate) use guess::is_prose;

/// Longest text that is parsed, in bytes: a ConfigMap holds no more.
const MAX_TEXT: usize = 1024 * 1024;
/// Collections inside collections.
const MAX_DEPTH: usize = 64;
/// Documents around a document.
const MAX_OUTER: usize = 3;
/// Values of a document and of those in it: aliases can make a small document look endless.
const MAX_NODES: usize = 400_000;

/// A text that is larger than what is read, or becomes so by its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// How many more values may be made of a text.
struct Room(usize);

impl Room {
    /// Room for so many more; `None` once there is none.
    fn take(&mut self, nodes: usize) -> Option<()> {
        self.0 = self.0.saturating_sub(nodes);
        (self.0 > 0).then_some(())
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it starts in the text, in bytes; of a list or map under a key, where the key does.
    pub offset: usize,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, number or boolean, as written.
    Scalar(String),
    /// Elements in order.
    List(Vec<Node>),
    /// Keys and values in order; languages with sections repeat keys.
    Map(Vec<(String, Node)>),
}

/// Language of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// YAML; several documents are a list.
    Yaml,
    /// JSON.
    Json,
    /// TOML.
    Toml,
    /// `[NAME]` and `key = value` or `Key value`: INI, systemd units, Fluent Bit's classic format.
    Sections,
    /// `<source>` and `key value`: Fluentd.
    Tags,
    /// `name "label" { key = value }`: Logstash, Alloy.
    Blocks,
}

/// A parsed document.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is written in.
    pub language: Language,
    /// Its content.
    pub root: Node,
    /// The documents in its strings: Helm values in an Application, a JSON patch.
    pub inner: Vec<Inner>,
    /// How many values were made to read it.
    pub nodes: usize,
}

/// A document in a string of another.
#[derive(Clone, Debug)]
pub struct Inner {
    /// Where the string starts in the text around it, in bytes.
    pub offset: usize,
    /// The string.
    pub text: String,
    /// The string as a document.
    pub document: Document,
}

impl Document {
    /// Reads `text`, which stands under `name` (a file name, or the last key of the field). `None`
    /// for prose, scripts, lists of words, and whatever cannot be parsed.
    ///
    /// # Errors
    /// If the text is too large to be read.
    pub fn parse(name: &str, text: &str) -> Result<Option<Self>, TooLarge> {
        let mut room = Room(MAX_NODES);
        let document = Self::parse_inside(name, text, 0, &mut room);
        match room.0 {
            0 => Err(TooLarge),
            left => Ok(document.map(|document| Self {
                nodes: MAX_NODES - left,
                ..document
            })),
        }
    }

    /// The same for the part of `text` that begins at byte `start`; places are those in the whole
    /// text.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn parse_from(name: &str, text: &str, start: usize) -> Result<Option<Self>, TooLarge> {
        let mut document = Self::parse(name, text.get(start..).unwrap_or_default())?;
        if let Some(document) = &mut document {
            document.root.shift(start);
            for inner in &mut document.inner {
                inner.offset += start;
            }
        }
        Ok(document)
    }

    /// `outer` documents are around this one.
    fn parse_inside(name: &str, text: &str, outer: usize, room: &mut Room) -> Option<Self> {
        let is_worth_it = text.contains(['\n', ':', '=', '{', '[', '<']);
        if !is_worth_it || text.starts_with("#!") || guess::is_other_text(name) {
            return None;
        }
        if text.len() > MAX_TEXT {
            room.take(MAX_NODES)?;
        }
        let mut document = guess::candidates(name, text)
            .into_iter()
            .find_map(|language| Self::parse_as(language, text, room))?;
        if outer < MAX_OUTER {
            let mut inner = Vec::new();
            document.root.walk(&mut |key, node| {
                // A value on one line is a value.
                if let Some(text) = node.text().filter(|text| text.contains('\n')) {
                    let document = Self::parse_inside(key, text, outer + 1, room);
                    inner.extend(document.map(|document| Inner {
                        offset: node.offset,
                        text: text.to_owned(),
                        document,
                    }));
                }
            });
            document.inner = inner;
        }
        Some(document)
    }

    fn parse_as(language: Language, text: &str, room: &mut Room) -> Option<Self> {
        let mut parse = |text: &str| match language {
            Language::Yaml => yaml::parse(text, room),
            Language::Json => json::parse(text, room),
            Language::Toml => toml::parse(text, room),
            Language::Sections => sections::parse(text, room),
            Language::Tags => tags::parse(text, room),
            Language::Blocks => blocks::parse(text, room),
        };
        // Placeholders of a template engine that fills the text in later are no part of the
        // language.
        let root = parse(text).or_else(|| template::blank(text).and_then(|text| parse(&text)))?;
        // A list of words reads as YAML, and says nothing.
        let is_document = match &root.value {
            Value::Scalar(_) => false,
            Value::List(elements) => elements.iter().any(|element| element.text().is_none()),
            Value::Map(_) => true,
        };
        is_document.then_some(Self {
            language,
            root,
            inner: Vec::new(),
            nodes: 0,
        })
    }
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key at `place`.
    fn under(self, place: usize) -> Self {
        match self.value {
            Value::Scalar(_) => self,
            _ => Self {
                offset: place,
                ..self
            },
        }
    }

    /// The pairs of a map.
    pub fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; a value that is none is its own only element, as most agents read
    /// it.
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            _ => std::slice::from_ref(self),
        }
    }

    /// The first value under `key`, in any case of letters. Dots go one level down, or are part of
    /// a key: both spellings of Elastic's settings.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.all(key).into_iter().next()
    }

    /// Every value under `key`, as for [`Self::get`]: sections repeat.
    pub fn all(&self, key: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        for (name, value) in self.entries() {
            if name.eq_ignore_ascii_case(key) {
                found.push(value);
            } else if let Some(rest) = key
                .get(..name.len())
                .filter(|start| start.eq_ignore_ascii_case(name))
                .and_then(|_| key[name.len()..].strip_prefix('.'))
            {
                found.extend(value.all(rest));
            }
        }
        found
    }

    /// The text under `key`.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The scalars under `key`: one value, or those of a list.
    pub fn texts_of(&self, key: &str) -> Vec<&Self> {
        let values = self.all(key).into_iter().flat_map(Self::elements);
        values.filter(|value| value.text().is_some()).collect()
    }

    /// Moves it and what is in it by so many bytes.
    fn shift(&mut self, bytes: usize) {
        self.offset += bytes;
        match &mut self.value {
            Value::Scalar(_) => {}
            Value::List(elements) => elements.iter_mut().for_each(|element| element.shift(bytes)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, node)| node.shift(bytes)),
        }
    }

    /// Every node, the outer before the inner, each with the key under which it stands (that of its
    /// list for an element).
    pub fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n str, &'n Self)) {
        self.walk_under("", visit);
    }

    fn walk_under<'n>(&'n self, key: &'n str, visit: &mut impl FnMut(&'n str, &'n Self)) {
        visit(key, self);
        match &self.value {
            Value::Scalar(_) => {}
            Value::List(elements) => elements
                .iter()
                .for_each(|element| element.walk_under(key, visit)),
            Value::Map(entries) => entries
                .iter()
                .for_each(|(key, value)| value.walk_under(key, visit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> (Language, Node) {
        let document = Document::parse(name, text);
        let document = document
            .unwrap()
            .unwrap_or_else(|| panic!("{name}: {text}"));
        (document.language, document.root)
    }

    #[test]
    fn each_language_is_recognised_and_gives_the_same_tree() {
        for (name, text, language) in [
            ("a.yaml", "input:\n  path: /x\n", Language::Yaml),
            ("config", "input:\n  path: /x\n", Language::Yaml),
            (
                "a.json",
                "{\"input\": {\t\"path\": \"/x\"}}",
                Language::Json,
            ),
            ("a", "{\"input\": {\"path\": \"/x\"}}", Language::Json),
            ("a.toml", "[input]\npath = \"/x\"\n", Language::Toml),
            ("a.conf", "[input]\npath = \"/x\"\n", Language::Toml),
            (
                "values",
                "input:\n  path: /x\n  more: |\n    [section]\n    <tag>\n",
                Language::Yaml,
            ),
            ("a.conf", "[INPUT]\n    Path  /x\n", Language::Sections),
            ("a.conf", "<input>\n  path /x\n</input>\n", Language::Tags),
            ("a.conf", "input {\n  path => \"/x\"\n}\n", Language::Blocks),
            (
                "a.alloy",
                "input \"l\" {\n  path = \"/x\"\n}\n",
                Language::Blocks,
            ),
        ] {
            let (found, root) = read(name, text);
            assert_eq!(found, language, "{name}: {text}");
            let path = root.get("input.path").unwrap_or_else(|| panic!("{root:?}"));
            assert_eq!(path.text(), Some("/x"), "{name}: {text}");
            assert!(
                text[path.offset..]
                    .trim_start_matches('"')
                    .starts_with("/x"),
                "{text}"
            );
        }
    }

    #[test]
    fn placeholders_of_templates_are_no_obstacle() {
        let text = "a: {{ .Values.x | quote }}\npath: /x/{{ y }}\n";
        let (_, root) = read("a.yaml", text);
        assert!(
            root.text_of("path")
                .is_some_and(|path| path.starts_with("/x/"))
        );
    }

    #[test]
    fn prose_and_scripts_are_no_documents() {
        for text in ["plain words", "#!/bin/sh\nx: y\n", "", "a, b\nc d"] {
            assert!(Document::parse("x", text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn dots_are_levels_or_part_of_a_key() {
        for text in ["a.b: {c: 1}", "a: {b.c: 1}", "a.b.c: 1", "a: {b: {c: 1}}"] {
            assert_eq!(read("x.yaml", text).1.text_of("a.b.c"), Some("1"), "{text}");
        }
    }

    #[test]
    fn an_alias_bomb_is_told() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let aliases = format!("*a{}, ", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert_eq!(Document::parse("x.yaml", &text).unwrap_err(), TooLarge);
        let long = "a: b\n".repeat(MAX_TEXT / 4);
        assert_eq!(Document::parse("x.yaml", &long).unwrap_err(), TooLarge);
        let deep = Document::parse("x.json", &"[".repeat(100_000));
        assert!(deep.unwrap().is_none());
    }
}
