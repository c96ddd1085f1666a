//! Placeholders of template engines (`{{ … }}`, `{% … %}`), blanked so that places stay what they
//! are.

/// `text` with other characters in place of each placeholder; `None` where it has none.
pub(super) fn blank(text: &str) -> Option<String> {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some((start, end)) = next_placeholder(rest) {
        found = true;
        blanked.push_str(&rest[..start]);
        let line_start = rest[..start].rfind('\n').map_or(0, |at| at + 1);
        let behind = rest[end..].lines().next().unwrap_or_default();
        // A line that holds nothing else is an instruction, not a value.
        let is_alone = blanked_line(&rest[line_start..start]) && blanked_line(behind);
        let filler = if is_alone { ' ' } else { 'x' };
        let placeholder = rest[start..end].bytes();
        blanked.extend(placeholder.map(|b| if b == b'\n' { '\n' } else { filler }));
        rest = &rest[end..];
    }
    blanked.push_str(rest);
    found.then_some(blanked)
}

fn blanked_line(text: &str) -> bool {
    text.trim().is_empty()
}

/// Start and end of the first placeholder.
fn next_placeholder(text: &str) -> Option<(usize, usize)> {
    let (start, close) = [("{{", "}}"), ("{%", "%}")]
        .into_iter()
        .filter_map(|(open, close)| Some((text.find(open)?, close)))
        .min()?;
    let end = start + text[start..].find(close)? + close.len();
    Some((start, end))
}
