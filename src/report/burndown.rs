//! Open findings day by day, and where that leads.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::evidence::{DAY, PastDays};
use super::model::{BurnDown, Day};

/// Days that are shown.
const MAX_DAYS: usize = 366;
/// Values that a projection is made from.
const TREND_DAYS: usize = 14;
/// Fewer values say nothing.
const MIN_DAYS: usize = 7;
/// A projection further away than this is none.
const MAX_FUTURE: f64 = 3650.0;

/// From when to when a finding counted as open.
pub(super) type OpenSpan = (i64, Option<i64>);

/// The UTC day of a moment.
pub(super) fn date(time: i64) -> Option<Date> {
    Some(
        Timestamp::from_millisecond(time)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .date(),
    )
}

/// Counts `open` (first moment, and the end if there is one) and the moments of would-deny reviews,
/// by day. Days before the inputs are those of an earlier report.
pub(super) fn burn_down(
    open: &[OpenSpan],
    would_deny: &[i64],
    past: &PastDays,
    span: (i64, i64),
    deadline: Option<Date>,
) -> BurnDown {
    let (first, last) = (span.0.div_euclid(DAY), span.1.div_euclid(DAY));
    let first = first.max(last - MAX_DAYS as i64 + 1);
    let opened = by_day(open.iter().map(|(from, _)| *from));
    let closed = by_day(open.iter().filter_map(|(_, to)| *to));
    let refused = by_day(would_deny.iter().copied());
    let before = |counts: &BTreeMap<i64, u64>| counts.range(..first).map(|(_, count)| count).sum();
    let (mut started, mut ended): (u64, u64) = (before(&opened), before(&closed));
    let mut days = Vec::new();
    for day in first..=last {
        let on = |counts: &BTreeMap<i64, u64>| counts.get(&day).copied().unwrap_or(0);
        started += on(&opened);
        ended += on(&closed);
        let Some(date) = date(day * DAY).map(|date| date.to_string()) else {
            continue;
        };
        let known = past.days.get(&date);
        let is_before = (day + 1) * DAY <= past.until;
        let (was_open, was_refused) = known.copied().unwrap_or_default();
        days.push(Day {
            open: match known {
                Some(_) if is_before => was_open,
                _ => started.saturating_sub(ended) as usize,
            },
            would_deny: on(&refused).max(was_refused),
            date,
        });
    }
    let values: Vec<f64> = days[days.len().saturating_sub(TREND_DAYS)..]
        .iter()
        .map(|day| day.open as f64)
        .collect();
    let slope = (values.len() >= MIN_DAYS).then(|| slope(&values));
    let left = days.last().map_or(0, |day| day.open);
    let zero = slope
        .filter(|slope| *slope < 0.0 && left > 0)
        .map(|slope| (left as f64 / -slope).ceil())
        .filter(|days| *days <= MAX_FUTURE);
    let note = match (left, slope, zero) {
        (0, ..) => "nothing open",
        (_, None, _) => "no projection: fewer than 7 daily values",
        (_, Some(_), None) => "no projection: the number of open findings does not fall",
        _ => "",
    };
    BurnDown {
        deadline: deadline.map(|date| date.to_string()),
        // Two digits: the sum of rounding errors must not show.
        slope: slope.map(|slope| (slope * 100.0).round() / 100.0 + 0.0),
        projected_zero: zero.and_then(|days| {
            Some(
                date(last * DAY)?
                    .checked_add((days as i64).days())
                    .ok()?
                    .to_string(),
            )
        }),
        note: note.to_owned(),
        days,
    }
}

/// How many of `times` are on each day since 1970.
fn by_day(times: impl Iterator<Item = i64>) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    times.for_each(|time| *counts.entry(time.div_euclid(DAY)).or_default() += 1);
    counts
}

/// The slope of the line through `values` with the least squares.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let (mut over, mut under) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let distance = at as f64 - middle;
        over += distance * (value - mean);
        under += distance * distance;
    }
    over / under
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten findings from the first day on, one of which ends every day.
    fn falling(days: i64) -> BurnDown {
        let open: Vec<_> = (0..10)
            .map(|at| (0, (at < days).then_some(at * DAY + DAY / 2)))
            .collect();
        burn_down(
            &open,
            &[],
            &PastDays::default(),
            (0, (days - 1) * DAY),
            None,
        )
    }

    #[test]
    fn a_steady_fall_is_projected() {
        let burn_down = falling(7);
        assert_eq!(
            burn_down
                .days
                .iter()
                .map(|day| day.open)
                .collect::<Vec<_>>(),
            [9, 8, 7, 6, 5, 4, 3]
        );
        assert_eq!(
            (burn_down.slope, burn_down.projected_zero.as_deref()),
            (Some(-1.0), Some("1970-01-10"))
        );
    }

    #[test]
    fn what_is_not_honest_is_not_projected() {
        assert!(falling(6).projected_zero.is_none() && falling(6).note.contains("fewer than 7"));
        let flat = burn_down(&[(0, None)], &[], &PastDays::default(), (0, 20 * DAY), None);
        assert!(flat.projected_zero.is_none() && flat.note.contains("does not fall"));
        assert_eq!(flat.slope, Some(0.0));
        assert_eq!(
            burn_down(&[], &[], &PastDays::default(), (0, 20 * DAY), None).note,
            "nothing open"
        );
    }
}
