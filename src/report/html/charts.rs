//! Charts as inline SVG: a title and a description for those who do not see them, the data in a table beside.

use std::fmt::Write;

use super::escape;
use crate::report::model::{BurnDown, Report, Status, Summary};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 36.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 12.0;
/// Height of a name with its bar.
const ROW: f64 = 36.0;
/// Bars of a chart by name.
const MAX_BARS: usize = 12;

/// Namespaces by verdict, as one bar.
pub(super) fn readiness(summary: &Summary) -> String {
    let rows: Vec<(String, u64)> = [
        ("READY", summary.ready),
        ("UNKNOWN", summary.unknown),
        ("BLOCKED", summary.blocked_namespaces),
    ]
    .map(|(word, count)| (word.to_owned(), count as u64))
    .into();
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return String::new();
    }
    let mut body = String::new();
    let mut start = 0.0;
    for (word, count) in &rows {
        let share = *count as f64 / total as f64 * 100.0;
        let _ = write!(
            body,
            "<rect class=\"v-{word}\" x=\"{start:.2}%\" y=0 width=\"{:.2}%\" height=32 rx=3 />",
            (share - 0.4).max(0.0)
        );
        // A word needs some room, more of it on a phone; the line below has all of them.
        if share > 12.0 {
            let class = if share > 36.0 { "on" } else { "\"on wide\"" };
            let _ = write!(
                body,
                "<text class={class} x=\"{start:.2}%\" dx=10 y=21>{count} {word}</text>"
            );
        }
        start += share;
    }
    let told = format!(
        "{} of {total} READY, {} UNKNOWN, {} BLOCKED.",
        summary.ready, summary.unknown, summary.blocked_namespaces
    );
    figure(
        "readiness",
        "Namespaces by verdict",
        &told,
        "height=32",
        &body,
        &rows,
    )
}

/// The burn-down with the ideal line and the projection.
pub(super) fn burn_down(burn_down: &BurnDown) -> String {
    let days = &burn_down.days;
    // One day is no development.
    let Some((first, last)) = days.first().zip(days.last()).filter(|_| days.len() > 1) else {
        return String::new();
    };
    let ends = [
        burn_down.deadline.as_deref(),
        burn_down.projected_zero.as_deref(),
    ];
    let until = |date: &str| distance(&first.date, date).filter(|days| (0..3660).contains(days));
    let length = ends
        .into_iter()
        .flatten()
        .filter_map(until)
        .max()
        .unwrap_or(0)
        .max(days.len() as i64 - 1)
        .max(1) as f64;
    let top = days.iter().map(|day| day.open).max().unwrap_or(0).max(1) as f64;
    let x = |day: f64| LEFT + day / length * (WIDTH - LEFT - 8.0);
    let y = |open: f64| TOP + (1.0 - open / top) * (HEIGHT - TOP - BOTTOM);
    let points: Vec<String> = days
        .iter()
        .enumerate()
        .map(|(at, day)| format!("{:.1},{:.1}", x(at as f64), y(day.open as f64)))
        .collect();
    let line = points.join(" ");
    let now = days.len() as f64 - 1.0;
    let mut body = axes(
        &format!("{top}"),
        &first.date,
        &plus(&first.date, length as i64),
    );
    let _ = write!(
        body,
        "<polygon class=area points=\"{:.1},{:.1} {line} {:.1},{:.1}\"/>",
        x(0.0),
        y(0.0),
        x(now),
        y(0.0)
    );
    let _ = write!(body, "<polyline class=curve points=\"{line}\"/>");
    let mut segment = |class: &str, from: (f64, f64), to: f64| {
        let _ = write!(
            body,
            "<line class={class} x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            x(from.0),
            y(from.1),
            x(to),
            y(0.0)
        );
    };
    if let Some(to) = burn_down.deadline.as_deref().and_then(until) {
        segment("ideal", (0.0, first.open as f64), to as f64);
    }
    if let Some(to) = burn_down.projected_zero.as_deref().and_then(until) {
        segment("trend", (now, last.open as f64), to as f64);
    }
    let mut told = format!(
        "{} open on {}, {} on {}.",
        first.open, first.date, last.open, last.date
    );
    if let Some(deadline) = &burn_down.deadline {
        let _ = write!(told, " Deadline {deadline} (dashed).");
    }
    match &burn_down.projected_zero {
        Some(zero) => {
            _ = write!(
                told,
                " At the pace of the last 14 days, zero on {zero} (dotted)."
            )
        }
        None if burn_down.note.is_empty() => {}
        None => _ = write!(told, " There is {}.", burn_down.note),
    }
    let rows: Vec<(String, u64)> = days
        .iter()
        .map(|day| (day.date.clone(), day.open as u64))
        .collect();
    figure(
        "burn-down",
        "Burn-down of open findings",
        &told,
        &view(),
        &body,
        &rows,
    )
}

/// Reviews that `enforce` would have refused, by day.
pub(super) fn would_deny(burn_down: &BurnDown) -> String {
    let days = &burn_down.days[burn_down.days.len().saturating_sub(60)..];
    let Some((first, last)) = days
        .first()
        .zip(days.last())
        .filter(|_| days.iter().any(|day| day.would_deny > 0))
    else {
        return String::new();
    };
    let top = days
        .iter()
        .map(|day| day.would_deny)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let step = (WIDTH - LEFT - 8.0) / days.len() as f64;
    let room = HEIGHT - TOP - BOTTOM;
    let mut body = axes(&format!("{top}"), &first.date, &last.date);
    for (at, day) in days
        .iter()
        .enumerate()
        .filter(|(_, day)| day.would_deny > 0)
    {
        let height = (day.would_deny as f64 / top * room).max(1.0);
        let (x, y) = (LEFT + at as f64 * step + step * 0.1, TOP + room - height);
        let _ = write!(
            body,
            "<rect class=bar2 x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            (step * 0.8).min(60.0)
        );
    }
    let total: u64 = days.iter().map(|day| day.would_deny).sum();
    let told = format!(
        "{total} from {} to {}, at most {top} on one day.",
        first.date, last.date
    );
    let rows: Vec<(String, u64)> = days
        .iter()
        .map(|day| (day.date.clone(), day.would_deny))
        .collect();
    figure(
        "would-deny",
        "Writes that enforce would have refused",
        &told,
        &view(),
        &body,
        &rows,
    )
}

/// Open findings by namespace, or by rule.
pub(super) fn open_by(
    report: &Report,
    id: &str,
    title: &str,
    name: impl Fn(&crate::report::model::Finding) -> String,
) -> String {
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Open)
    {
        *counts.entry(name(finding)).or_default() += 1;
    }
    let mut rows: Vec<(String, u64)> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let Some((most, top)) = rows.first().cloned() else {
        return String::new();
    };
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    let mut body = String::new();
    for (at, (name, count)) in rows.iter().take(MAX_BARS).enumerate() {
        // The name stands above its bar, and lengths are in per cent: so both can be read at any width.
        let y = at as f64 * ROW;
        let share = *count as f64 / top as f64 * 86.0;
        let short = escape(&crate::finding::text::elide(name, 34));
        let _ = write!(
            body,
            "<text class=name x=0 y=\"{:.0}\">{short}</text>",
            y + 12.0
        );
        let _ = write!(
            body,
            "<rect class=bar x=0 y=\"{:.0}\" width=\"{share:.2}%\" height=10 rx=2 />",
            y + 18.0
        );
        let _ = write!(
            body,
            "<text x=\"{share:.2}%\" dx=6 y=\"{:.0}\">{count}</text>",
            y + 27.0
        );
    }
    let height = rows.len().min(MAX_BARS) as f64 * ROW;
    let told = format!("{total} open; most in {most}: {top}.");
    figure(id, title, &told, &format!("height={height}"), &body, &rows)
}

fn axes(top: &str, from: &str, to: &str) -> String {
    let base = HEIGHT - BOTTOM;
    format!(
        "<line class=axis x1={LEFT} y1={base} x2={0} y2={base} /><line class=axis x1={LEFT} y1={TOP} x2={LEFT} y2={base} />\
         <text x={1} y={2} text-anchor=end>{top}</text><text x={1} y={base} text-anchor=end>0</text>\
         <text x={LEFT} y={3}>{from}</text><text x={0} y={3} text-anchor=end>{to}</text>",
        WIDTH - 8.0,
        LEFT - 6.0,
        TOP + 8.0,
        HEIGHT - 8.0,
        from = escape(from),
        to = escape(to),
    )
}

/// The size of a chart that is scaled as a whole.
fn view() -> String {
    format!("viewBox=\"0 0 {WIDTH} {HEIGHT}\"")
}

fn figure(
    id: &str,
    title: &str,
    told: &str,
    size: &str,
    body: &str,
    rows: &[(String, u64)],
) -> String {
    let mut table = String::new();
    for (name, value) in rows.iter().take(400) {
        let _ = write!(
            table,
            "<tr><th scope=row>{}</th><td class=n>{value}</td></tr>",
            escape(name)
        );
    }
    let (title, told) = (escape(title), escape(told));
    format!(
        "<figure class=\"c-{id}\"><figcaption>{title}</figcaption><svg role=img {size} aria-labelledby=\"{id}-t {id}-d\">\
         <title id={id}-t>{title}</title><desc id={id}-d>{told}</desc>{body}</svg><p class=dim>{told}</p>\
         <details><summary>Data: {title}</summary><div class=scroll tabindex=0 role=region aria-label=\"{title}, data\"><table>\
         <caption>{title}</caption><thead><tr><th scope=col>Name</th><th scope=col class=n>Count</th></tr></thead><tbody>{table}</tbody>\
         </table></div></details></figure>\n"
    )
}

fn distance(from: &str, to: &str) -> Option<i64> {
    let (from, to): (jiff::civil::Date, jiff::civil::Date) = (from.parse().ok()?, to.parse().ok()?);
    from.until(to).ok().map(|span| i64::from(span.get_days()))
}

fn plus(date: &str, days: i64) -> String {
    let end = date.parse::<jiff::civil::Date>().ok().and_then(|date| {
        date.checked_add(jiff::Span::new().try_days(days).ok()?)
            .ok()
    });
    end.map_or_else(String::new, |date| date.to_string())
}
