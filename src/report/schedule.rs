//! How long the pause between two runs of a CronJob can be: a quiet window says nothing about a job
//! that runs monthly.

use serde::Deserialize;

use crate::workload::text::LenientStr;

/// `spec.schedule` of a CronJob in JSON; empty if there is none.
pub(super) fn of(cron_job: &str) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec<'a> {
        #[serde(borrow)]
        schedule: LenientStr<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct CronJob<'a> {
        #[serde(borrow)]
        spec: Spec<'a>,
    }
    serde_json::from_str::<CronJob<'_>>(cron_job)
        .map(|job| job.spec.schedule.to_string())
        .unwrap_or_default()
}

/// The longest pause in days, rounded up to day, week, month or year.
pub(super) fn days(schedule: &str) -> u32 {
    let schedule = schedule.trim();
    if let Some(pause) = schedule.strip_prefix("@every ") {
        return every(pause);
    }
    match schedule {
        "@yearly" | "@annually" => return 366,
        "@monthly" => return 31,
        "@weekly" => return 7,
        "" | "@daily" | "@midnight" | "@hourly" => return 1,
        _ => {}
    }
    let fields: Vec<&str> = schedule
        .split_whitespace()
        .filter(|field| !field.contains('='))
        .collect();
    let is_free = |at: usize| {
        fields
            .get(at)
            .is_none_or(|field| matches!(*field, "*" | "?" | "*/1"))
    };
    match (is_free(2), is_free(3), is_free(4)) {
        (_, false, _) => 366,
        (false, true, true) => 31,
        (_, true, false) => 7,
        (true, true, true) => 1,
    }
}

/// The days of Go's `720h30m`, rounded up; a year where it cannot be read.
fn every(pause: &str) -> u32 {
    let (mut seconds, mut number) = (0.0, String::new());
    let mut unit = String::new();
    for c in pause.trim().chars().chain(std::iter::once('0')) {
        if !unit.is_empty() && (c.is_ascii_digit() || c == '.') {
            let factor = match unit.as_str() {
                "h" => 3_600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" | "us" | "µs" | "ns" => 0.0,
                _ => return 366,
            };
            let Ok(count) = number.parse::<f64>() else {
                return 366;
            };
            seconds += count * factor;
            (number, unit) = (String::new(), String::new());
        }
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
        } else {
            unit.push(c);
        }
    }
    ((seconds / 86_400.0).ceil() as u32).clamp(1, 366)
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn pauses_are_rounded_up() {
        for (schedule, expected) in [
            ("*/5 * * * *", 1),
            ("0 3 * * 1", 7),
            ("0 3 1 * *", 31),
            ("0 3 1 1 *", 366),
            ("@monthly", 31),
            ("CRON_TZ=UTC 0 3 1 * *", 31),
            ("@every 720h", 30),
            ("@every 1h30m", 1),
            ("@every 36h30m", 2),
            ("@every month", 366),
        ] {
            assert_eq!(days(schedule), expected, "{schedule}");
        }
    }
}
