//! Addresses of hosts in all the spellings that resolvers accept.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `host` in one spelling: lower case, no trailing dot, no IPv6 zone or brackets; an IPv4 address
/// in four decimal parts, also where IPv6 carries it or it is written as `getaddrinfo` reads it
/// (`0x7f.1`, `2130706433`).
pub(crate) fn canonical(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    let host = host.split('%').next().unwrap_or_default();
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        // `::127.0.0.1` is not routed anywhere, but `::` and `::1` are addresses of their own.
        return match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => address.to_string(),
        };
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    match ipv4(host) {
        Some(address) => address.to_string(),
        None => host.to_ascii_lowercase(),
    }
}

/// An IPv4 address of one to four numbers, each decimal, octal or hexadecimal; the last one fills
/// what the others leave.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let numbers: Option<Vec<u32>> = host.split('.').take(5).map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len() <= 4)?;
    let (last, front) = numbers.split_last()?;
    let room = 32 - 8 * u32::try_from(front.len()).ok()?;
    if front.iter().any(|part| *part > 255) || u64::from(*last) >= 1 << room {
        return None;
    }
    let front = front
        .iter()
        .enumerate()
        .map(|(at, part)| part << (24 - 8 * at));
    Some(Ipv4Addr::from_bits(front.sum::<u32>() | last))
}

fn number(text: &str) -> Option<u32> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hexadecimal, text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number
        .then(|| u32::from_str_radix(digits, radix).ok())
        .flatten()
}

/// True for an address of one's own host. `0.0.0.0` and `::` lead there, too (Linux:
/// `ip_route_output_key`).
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = canonical(host);
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return address.is_loopback() || address.is_unspecified();
    }
    matches!(
        host.as_str(),
        "localhost" | "localhost.localdomain" | "ip6-localhost" | "ip6-loopback" | "::1" | "::"
    ) || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        for (host, spelling) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0x7f.0.0.1", "127.0.0.1"),
            ("0177.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f000001", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("::FFFF:7f00:1", "127.0.0.1"),
            ("[fe80::1%eth0]", "fe80::1"),
            ("FE80:0::1", "fe80::1"),
            ("10.1.2.3.", "10.1.2.3"),
            ("Node-1.", "node-1"),
            ("256.1.1.1", "256.1.1.1"),
            ("1.2.3.4.5", "1.2.3.4.5"),
            ("09.1", "09.1"),
            ("", ""),
        ] {
            assert_eq!(canonical(host), spelling, "{host}");
        }
    }

    #[test]
    fn ones_own_host_is_known_by_any_of_its_names() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.8.9.1",
            "127.1",
            "0.0.0.0",
            "0",
            "0x0",
            "::",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::ffff:127.0.0.1",
            "::ffff:0.0.0.0",
            "::1%lo",
            "ip6-localhost",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "128.0.0.1",
            "10.0.0.1",
            "0.0.0.1",
            "localhost.example",
            "notlocalhost",
            "::2",
            "1",
            "docker",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
