//! Charts as inline SVG: a title and a description for those who do not see them, the data in a
//! table beside.

use std::collections::BTreeMap;

use askama::Template;

use super::axes::{Axes, BASE, HEIGHT, LEFT, RIGHT, TOP, distance, plus, view, x, y};
use crate::finding::text::elide;
use crate::report::model::{BurnDown, Finding, Report, Status, Summary};

/// Height of a name with its bar.
const ROW: usize = 36;
/// Bars of a chart by name.
const MAX_BARS: usize = 12;
/// Days of the chart of what would have been refused.
const MAX_COLUMNS: usize = 60;
/// Rows of data beside a chart.
const MAX_DATA: usize = 400;
/// Days beyond the last that a projection may take up, if the days themselves take up less.
const MAX_OUTLOOK: i64 = 60;

/// A chart with its words and its data.
pub(super) struct Figure {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) caption: String,
    /// Attributes of the `svg`.
    pub(super) size: String,
    /// As SVG.
    pub(super) drawing: String,
    pub(super) rows: Vec<(String, u64)>,
}

/// All charts that have something to show.
///
/// # Errors
/// If a drawing cannot be made.
pub(super) fn charts(
    report: &Report,
    place: impl Fn(&Finding) -> String,
) -> askama::Result<Vec<Figure>> {
    let rule = |finding: &Finding| format!("{} {}", finding.rule, finding.rule_name);
    let charts = [
        verdicts(&report.summary)?,
        burn_down(&report.burn_down)?,
        would_deny(&report.burn_down)?,
        open_by(report, "by-namespace", "Open findings by namespace", place)?,
        open_by(report, "by-rule", "Open findings by rule", rule)?,
    ];
    Ok(charts.into_iter().flatten().collect())
}

#[derive(Template)]
#[template(path = "drawings/verdicts.html")]
struct Verdicts {
    parts: Vec<Part>,
}

/// A part of the bar; places are in per cent.
struct Part {
    word: &'static str,
    count: usize,
    start: String,
    width: String,
    is_labelled: bool,
    class: &'static str,
}

/// Namespaces by verdict, as one bar.
fn verdicts(summary: &Summary) -> askama::Result<Option<Figure>> {
    let counts = [
        ("BLOCKED", summary.blocked_namespaces),
        ("UNKNOWN", summary.unknown),
        ("READY", summary.ready),
    ];
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return Ok(None);
    }
    let mut start = 0.0;
    let parts = counts.map(|(word, count)| {
        let share = count as f64 / total as f64 * 100.0;
        let part = Part {
            word,
            count,
            start: format!("{start:.2}"),
            width: format!("{:.2}", (share - 0.4).max(0.0)),
            // A word needs some room, more of it on a phone; the line below has all of them.
            is_labelled: share > 12.0,
            class: if share > 36.0 { "on" } else { "on wide" },
        };
        start += share;
        part
    });
    Ok(Some(Figure {
        id: "readiness",
        title: "Namespaces by verdict",
        caption: format!(
            "{} BLOCKED, {} UNKNOWN, {} of {total} READY.",
            summary.blocked_namespaces, summary.unknown, summary.ready
        ),
        size: "height=32".to_owned(),
        drawing: Verdicts {
            parts: parts.into(),
        }
        .render()?,
        rows: counts
            .map(|(word, count)| (word.to_owned(), count as u64))
            .into(),
    }))
}

#[derive(Template)]
#[template(path = "drawings/burn_down.html")]
struct Curve {
    axes: Axes,
    start: String,
    curve: String,
    end: String,
    lines: Vec<Line>,
}

struct Line {
    class: &'static str,
    from: (f64, f64),
    to: (f64, f64),
}

/// The burn-down with the ideal line and the projection.
fn burn_down(burn_down: &BurnDown) -> askama::Result<Option<Figure>> {
    let days = &burn_down.days;
    // One day is no development.
    let Some((first, last)) = days.first().zip(days.last()).filter(|_| days.len() > 1) else {
        return Ok(None);
    };
    let until = |date: &Option<String>| {
        let days = distance(&first.date, date.as_deref()?)?;
        (0..3660).contains(&days).then_some(days)
    };
    let (deadline, zero) = (until(&burn_down.deadline), until(&burn_down.projected_zero));
    let now = days.len() as i64 - 1;
    // A far projection must not squeeze the days that there are.
    let outlook = now + now.max(MAX_OUTLOOK);
    let shown_zero = zero.map_or(0, |zero| zero.min(outlook));
    let length = deadline.unwrap_or(0).max(shown_zero).max(now);
    let top = days.iter().map(|day| day.open).max().unwrap_or(0).max(1) as f64;
    let at = |day: i64, open: f64| (x(day as f64 / length as f64), y(open / top));
    let point = |(x, y): (f64, f64)| format!("{x:.1},{y:.1}");
    let curve = days.iter().enumerate();
    let curve: Vec<String> = curve
        .map(|(day, own)| point(at(day as i64, own.open as f64)))
        .collect();
    let mut lines = Vec::new();
    if let Some(to) = deadline {
        lines.push(Line {
            class: "ideal",
            from: at(0, first.open as f64),
            to: at(to, 0.0),
        });
    }
    if let Some(to) = zero.filter(|to| *to > now) {
        let (open, end) = (last.open as f64, to.min(length));
        let left = open * (to - end) as f64 / (to - now) as f64;
        lines.push(Line {
            class: "trend",
            from: at(now, open),
            to: at(end, left),
        });
    }
    let drawing = Curve {
        axes: Axes {
            top: top.to_string(),
            from: first.date.clone(),
            to: plus(&first.date, length),
        },
        start: point(at(0, 0.0)),
        end: point(at(now, 0.0)),
        curve: curve.join(" "),
        lines,
    };
    Ok(Some(Figure {
        id: "burn-down",
        title: "Burn-down of open findings",
        caption: caption(burn_down),
        size: view(),
        drawing: drawing.render()?,
        rows: data(days.iter().map(|day| (day.date.clone(), day.open as u64))),
    }))
}

fn caption(burn_down: &BurnDown) -> String {
    let days = &burn_down.days;
    let [first, last] = [days.first(), days.last()]
        .map(|day| day.map(|day| format!("{} open on {}", day.open, day.date)))
        .map(Option::unwrap_or_default);
    let deadline = burn_down.deadline.as_ref();
    let deadline = deadline.map(|day| format!(" Deadline {day} (dashed)."));
    let outlook = match &burn_down.projected_zero {
        Some(zero) => format!(" At the pace of the last 14 days, zero on {zero} (dotted)."),
        None if burn_down.note.is_empty() => String::new(),
        None => format!(" There is {}.", burn_down.note),
    };
    format!("{first}, {last}.{}{outlook}", deadline.unwrap_or_default())
}

#[derive(Template)]
#[template(path = "drawings/columns.html")]
struct Columns {
    axes: Axes,
    width: f64,
    columns: Vec<Column>,
}

struct Column {
    x: f64,
    y: f64,
    height: f64,
}

/// Reviews that `enforce` would have refused, by day.
fn would_deny(burn_down: &BurnDown) -> askama::Result<Option<Figure>> {
    let days = &burn_down.days[burn_down.days.len().saturating_sub(MAX_COLUMNS)..];
    let ends = days.first().zip(days.last());
    let Some((first, last)) = ends.filter(|_| days.iter().any(|day| day.would_deny > 0)) else {
        return Ok(None);
    };
    let top = days.iter().map(|day| day.would_deny).max().unwrap_or(1);
    let step = 1.0 / days.len() as f64;
    let columns = days
        .iter()
        .enumerate()
        .filter(|(_, day)| day.would_deny > 0);
    let columns = columns.map(|(at, day)| {
        let height = (BASE - y(day.would_deny as f64 / top as f64)).max(1.0);
        Column {
            x: x((at as f64 + 0.1) * step),
            y: BASE - height,
            height,
        }
    });
    let drawing = Columns {
        axes: Axes {
            top: top.to_string(),
            from: first.date.clone(),
            to: last.date.clone(),
        },
        width: ((x(step) - x(0.0)) * 0.8).min(60.0),
        columns: columns.collect(),
    };
    let total: u64 = days.iter().map(|day| day.would_deny).sum();
    Ok(Some(Figure {
        id: "would-deny",
        title: "Writes that enforce would have refused",
        caption: format!(
            "{total} from {} to {}, at most {top} on one day.",
            first.date, last.date
        ),
        size: view(),
        drawing: drawing.render()?,
        rows: data(days.iter().map(|day| (day.date.clone(), day.would_deny))),
    }))
}

#[derive(Template)]
#[template(path = "drawings/bars.html")]
struct Bars {
    bars: Vec<Bar>,
}

struct Bar {
    name: String,
    y: usize,
    /// Per cent of the width.
    share: f64,
    count: u64,
}

/// Open findings by namespace, or by rule.
fn open_by(
    report: &Report,
    id: &'static str,
    title: &'static str,
    name: impl Fn(&Finding) -> String,
) -> askama::Result<Option<Figure>> {
    let mut counts = BTreeMap::<String, u64>::new();
    let findings = report.findings.iter();
    for finding in findings.filter(|finding| finding.status == Status::Open) {
        *counts.entry(name(finding)).or_default() += 1;
    }
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let Some((most, top)) = rows.first() else {
        return Ok(None);
    };
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    let bars = rows.iter().take(MAX_BARS).enumerate();
    // The name stands above its bar, and lengths are in per cent: so both can be read at any width.
    let bars = bars.map(|(at, (name, count))| Bar {
        name: elide(name, 34),
        y: at * ROW,
        share: *count as f64 / *top as f64 * 86.0,
        count: *count,
    });
    let drawing = Bars {
        bars: bars.collect(),
    };
    Ok(Some(Figure {
        id,
        title,
        caption: format!("{total} open; most in {most}: {top}."),
        size: format!("height={}", drawing.bars.len() * ROW),
        drawing: drawing.render()?,
        rows: data(rows.iter().cloned()),
    }))
}

fn data(rows: impl Iterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    rows.take(MAX_DATA).collect()
}
