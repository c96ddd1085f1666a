//! Where strings and nested values end, many bytes at a time.

use wide::u8x16;

/// Where the plain part of `text`, the rest of a string, ends: at a quote, a backslash or a control
/// character. `None` if none of them stands in it, or only in its last few bytes.
///
/// Sixteen bytes at a time; most names and values of a Pod are no longer.
#[inline(always)]
pub(super) fn end_of_plain(text: &[u8]) -> Option<usize> {
    let (quote, backslash, control) = (
        u8x16::splat(b'"'),
        u8x16::splat(b'\\'),
        u8x16::splat(b' ' - 1),
    );
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<16>() {
        let bytes = u8x16::new(*chunk);
        let ends =
            bytes.simd_eq(quote) | bytes.simd_eq(backslash) | bytes.simd_eq(bytes.min(control));
        let found = ends.to_bitmask();
        if found != 0 {
            return Some(text.len() - rest.len() + found.trailing_zeros() as usize);
        }
        rest = behind;
    }
    None
}

/// The length of the list or object whose opening bracket stands before `bytes`, up to behind its
/// closing one; `None` if it has no end. Other brackets than these two are not looked at.
pub(super) fn length_of_nested(bytes: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 1;
    let mut strings = Strings::default();
    let (blocks, tail) = bytes.as_chunks::<64>();
    for (number, block) in blocks.iter().enumerate() {
        if let Some(length) = strings.close_in(block, open, close, &mut depth) {
            return Some(number * 64 + length);
        }
    }
    let mut last = [b' '; 64];
    last[..tail.len()].copy_from_slice(tail);
    strings
        .close_in(&last, open, close, &mut depth)
        .map(|length| blocks.len() * 64 + length)
}

/// What of the blocks before reaches into the next one.
#[derive(Default)]
struct Strings {
    /// The quotes of all blocks, one upon the other: an odd number of bits says that a string goes
    /// on.
    quotes: u64,
    /// The lowest bit, if the first byte is escaped.
    escaped: u64,
}

impl Strings {
    /// Where in `block` the bracket of `depth` closes, up to behind it.
    fn close_in(
        &mut self,
        block: &[u8; 64],
        open: u8,
        close: u8,
        depth: &mut u32,
    ) -> Option<usize> {
        let (parts, _) = block.as_chunks::<16>();
        let places = |byte: u8| {
            let wanted = u8x16::splat(byte);
            let bits = parts
                .iter()
                .map(|part| u64::from(u8x16::new(*part).simd_eq(wanted).to_bitmask()));
            bits.enumerate()
                .fold(0, |all, (part, bits)| all | bits << (16 * part))
        };
        let mut quotes = places(b'"');
        let backslashes = places(b'\\');
        if backslashes | self.escaped != 0 {
            quotes &= !self.escaped_in(backslashes);
        }
        let was_open = self.quotes.count_ones() % 2 == 1;
        self.quotes ^= quotes;
        let (opens, closes) = (places(open), places(close));
        if opens | closes == 0 {
            return None;
        }
        let outside = !inside(quotes, was_open);
        close_of(opens & outside, closes & outside, depth)
    }

    /// The bits behind backslashes that are not escaped themselves.
    fn escaped_in(&mut self, backslashes: u64) -> u64 {
        let mut left = backslashes & !self.escaped;
        let mut escaped = self.escaped;
        self.escaped = 0;
        while left != 0 {
            let first = left & left.wrapping_neg();
            let behind = first << 1;
            self.escaped = first >> 63;
            escaped |= behind;
            left &= !(first | behind);
        }
        escaped
    }
}

/// The bits that lie in strings between `quotes`.
fn inside(quotes: u64, was_open: bool) -> u64 {
    // Each bit becomes the parity of the quotes up to it.
    let mut inside = quotes;
    for shift in [1, 2, 4, 8, 16, 32] {
        inside ^= inside << shift;
    }
    if was_open { !inside } else { inside }
}

/// Behind which bit the bracket of `depth` closes.
fn close_of(opens: u64, mut closes: u64, depth: &mut u32) -> Option<usize> {
    if closes.count_ones() < *depth {
        *depth = *depth + opens.count_ones() - closes.count_ones();
        return None;
    }
    let mut opens = opens;
    while closes != 0 {
        let first = closes & closes.wrapping_neg();
        let before = opens & (first - 1);
        *depth = *depth + before.count_ones() - 1;
        if *depth == 0 {
            return Some(first.trailing_zeros() as usize + 1);
        }
        opens ^= before;
        closes ^= first;
    }
    *depth += opens.count_ones();
    None
}
