//! Open findings day by day, and where that leads.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::evidence::DAY;
use super::model::{BurnDown, Day};

/// Days that are shown.
const MAX_DAYS: usize = 366;
/// Values that a projection is made from.
const TREND_DAYS: usize = 14;
/// Fewer values say nothing.
const MIN_DAYS: usize = 7;
/// A projection further away than this is none.
const MAX_FUTURE: f64 = 3650.0;

/// The UTC day of a moment.
pub(super) fn date(time: i64) -> Option<Date> {
    Some(
        Timestamp::from_millisecond(time)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .date(),
    )
}

/// Counts `open` (first moment, and the end if there is one) and the moments of would-deny reviews, by day.
pub(super) fn burn_down(
    open: &[(i64, Option<i64>)],
    would_deny: &[i64],
    span: (i64, i64),
    deadline: Option<Date>,
) -> BurnDown {
    let (first, last) = (span.0.div_euclid(DAY), span.1.div_euclid(DAY));
    let first = first.max(last - MAX_DAYS as i64 + 1);
    let days: Vec<Day> = (first..=last)
        .filter_map(|day| {
            let end = (day + 1) * DAY;
            let is_open =
                |(from, to): &&(i64, Option<i64>)| *from < end && to.is_none_or(|to| to >= end);
            Some(Day {
                date: date(day * DAY)?.to_string(),
                open: open.iter().filter(is_open).count(),
                would_deny: would_deny
                    .iter()
                    .filter(|time| time.div_euclid(DAY) == day)
                    .count() as u64,
            })
        })
        .collect();
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
        burn_down(&open, &[], (0, (days - 1) * DAY), None)
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
        let flat = burn_down(&[(0, None)], &[], (0, 20 * DAY), None);
        assert!(flat.projected_zero.is_none() && flat.note.contains("does not fall"));
        assert_eq!(flat.slope, Some(0.0));
        assert_eq!(
            burn_down(&[], &[], (0, 20 * DAY), None).note,
            "nothing open"
        );
    }
}
