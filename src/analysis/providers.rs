//! Providers that ask Docker's API, as several settings switch them on and off together.

use super::endpoint;
use crate::workload::catalog::ProviderSetting;

/// A setting of a provider, where it stands, and its value.
pub(crate) type Set<'t, P> = (ProviderSetting<'t>, P, &'t str);

/// For each provider that `settings` switch on, and that does not ask a daemon on another host, the
/// setting that does so: its switch, or else its first option.
pub(crate) fn switched_on<'t, P>(
    settings: impl IntoIterator<Item = Set<'t, P>>,
) -> Vec<Set<'t, P>> {
    let mut found: Vec<Set<'t, P>> = Vec::new();
    let mut off: Vec<&str> = Vec::new();
    for (setting, place, value) in settings {
        let is_switch = setting.option.is_empty();
        if is_switch && value.trim().eq_ignore_ascii_case("false")
            || setting.is_endpoint() && endpoint::is_remote(value)
        {
            off.push(setting.provider);
        }
        match found
            .iter_mut()
            .find(|(other, ..)| other.provider == setting.provider)
        {
            None => found.push((setting, place, value)),
            Some(first) if is_switch && !first.0.option.is_empty() => {
                *first = (setting, place, value);
            }
            Some(_) => {}
        }
    }
    found.retain(|(setting, ..)| !off.contains(&setting.provider));
    found
}
