//! Columns of text that fit the terminal: some are left out, the last one is wrapped.

use std::io::{self, Write};

use super::Style;
use crate::finding::text::escape_controls;
use crate::output;

/// The least room for a column that is wrapped.
const MIN_WRAPPED: usize = 24;

/// Writes `rows` in columns below `titles`. On a terminal that is too narrow, the columns of
/// `spare` are left out in their order, and the last one is wrapped.
pub(super) fn columns<const N: usize>(
    out: &mut dyn Write,
    titles: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    spare: &[usize],
    style: Style,
) -> io::Result<()> {
    let titles = std::iter::once(titles.map(str::to_owned));
    let rows: Vec<[String; N]> = titles
        .chain(rows)
        .map(|row| row.map(|cell| escape_controls(&cell)))
        .collect();
    let widths: Vec<usize> = (0..N)
        .map(|at| {
            let cells = rows.iter().map(|row| row[at].chars().count());
            cells.max().unwrap_or(0)
        })
        .collect();
    let mut kept: Vec<usize> = (0..N).collect();
    let mut spare = spare.iter();
    let before_last = |kept: &[usize]| -> usize {
        let front = kept.iter().take(kept.len().saturating_sub(1));
        front.map(|at| widths[*at] + 2).sum()
    };
    let last = widths[N - 1];
    let room = |kept: &[usize]| {
        let width = style.width?;
        (before_last(kept) + last > width).then(|| width.saturating_sub(before_last(kept)))
    };
    while room(&kept).is_some_and(|room| room < last.min(MIN_WRAPPED)) {
        let Some(left_out) = spare.next() else { break };
        kept.retain(|at| at != left_out);
    }
    let indent = before_last(&kept);
    let room = room(&kept).map(|room| room.max(MIN_WRAPPED));
    for row in &rows {
        let mut line = String::new();
        for at in &kept[..kept.len() - 1] {
            let width = widths[*at];
            line.push_str(&paint(&format!("{:<width$}", row[*at]), style));
            line.push_str("  ");
        }
        let wrapped = match room {
            Some(room) => wrap(&row[N - 1], room),
            None => vec![row[N - 1].clone()],
        };
        for (number, part) in wrapped.iter().enumerate() {
            let front = if number == 0 {
                line.clone()
            } else {
                " ".repeat(indent)
            };
            writeln!(out, "{}", format!("{front}{part}").trim_end())?;
        }
    }
    Ok(())
}

/// The verdicts in their colours.
fn paint(cell: &str, style: Style) -> String {
    let code = [("BLOCKED", "31;1"), ("UNKNOWN", "33;1"), ("READY", "32;1")]
        .iter()
        .find(|(word, _)| *word == cell.trim_end());
    let colour = style.colour;
    match code {
        Some((_, code)) => output::style::Style { colour }.paint(code, cell),
        None => cell.to_owned(),
    }
}

/// Lines of at most `width` characters, broken between words; longer words stand alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: Option<usize>) -> Vec<String> {
        let titles = ["NAMESPACE", "MODE", "OWNERS", "WHY NOT"];
        let why = "3 writes reached the cluster unreviewed, and no later scan";
        let rows = [
            ["payments", "warn", "12", why],
            ["a-namespace-with-a-long-name", "warn", "1", "enforced"],
        ];
        let rows = rows.into_iter().map(|row| row.map(str::to_owned));
        let style = Style {
            colour: false,
            width,
        };
        let mut out = Vec::new();
        columns(&mut out, titles, rows, &[2, 1], style).expect("memory takes everything");
        let text = String::from_utf8(out).expect("only text was written");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_table_fits_the_terminal() {
        assert_eq!(lines(None).len(), 3, "lines are as long as they are");
        for width in [54, 60, 80] {
            let lines = lines(Some(width));
            let longest = lines.iter().map(|line| line.chars().count()).max();
            assert!(longest <= Some(width), "{width}: {lines:#?}");
            let text = lines.join(" ");
            assert!(text.contains("payments") && text.contains("later scan"));
            assert_eq!(text.contains("OWNERS"), width > 70, "{width}: {lines:#?}");
        }
    }
}
