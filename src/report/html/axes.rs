//! The frame of a chart over time: its size, its axes, and where days and shares of the top lie in
//! it.

use jiff::Span;
use jiff::civil::Date;

const WIDTH: f64 = 640.0;
pub(super) const HEIGHT: f64 = 240.0;
pub(super) const LEFT: f64 = 36.0;
pub(super) const RIGHT: f64 = WIDTH - 8.0;
pub(super) const TOP: f64 = 12.0;
pub(super) const BASE: f64 = HEIGHT - 26.0;

/// What stands at the ends of the axes.
pub(super) struct Axes {
    pub(super) top: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// The size of a chart that is scaled as a whole.
pub(super) fn view() -> String {
    format!("viewBox=\"0 0 {WIDTH} {HEIGHT}\"")
}

/// The place of a share of the time.
pub(super) fn x(share: f64) -> f64 {
    LEFT + share * (RIGHT - LEFT)
}

/// The place of a share of the top.
pub(super) fn y(share: f64) -> f64 {
    BASE - share * (BASE - TOP)
}

/// Days from one date to another.
pub(super) fn distance(from: &str, to: &str) -> Option<i64> {
    let (from, to): (Date, Date) = (from.parse().ok()?, to.parse().ok()?);
    from.until(to).ok().map(|span| i64::from(span.get_days()))
}

/// The date so many days later; empty where there is none.
pub(super) fn plus(date: &str, days: i64) -> String {
    let end = || {
        let date = date.parse::<Date>().ok()?;
        date.checked_add(Span::new().try_days(days).ok()?).ok()
    };
    end().map_or_else(String::new, |date| date.to_string())
}
