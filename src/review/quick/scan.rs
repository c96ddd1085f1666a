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
    let (open, close) = (u8x16::splat(open), u8x16::splat(close));
    let mut depth = 1;
    let mut strings = Strings::default();
    find_in_blocks(bytes, |start, block| {
        let end = strings.close_in(block, open, close, &mut depth)?;
        Some(start + end)
    })
}

/// The length of the string whose rest is `bytes`, as it is written, up to its closing quote;
/// `None` if it has no end, or a control character.
pub(super) fn length_of_string(bytes: &[u8]) -> Option<usize> {
    let (quote, control) = (u8x16::splat(b'"'), u8x16::splat(b' ' - 1));
    let end = find_in_blocks(bytes, |start, block| {
        let mut ends = places(block, |bytes| {
            bytes.simd_eq(quote) | bytes.simd_eq(bytes.min(control))
        });
        while ends != 0 {
            let end = start + ends.trailing_zeros() as usize;
            if !(bytes.get(end) == Some(&b'"') && is_escaped(&bytes[..end])) {
                return Some(end);
            }
            ends &= ends - 1;
        }
        None
    })?;
    (bytes[end] == b'"').then_some(end)
}

/// True if what stands behind `before` is escaped: behind an odd number of backslashes.
fn is_escaped(before: &[u8]) -> bool {
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Looks at 64 bytes at a time, the last ones filled up with spaces, until `find`, which is given
/// where they start, finds a place.
#[inline(always)]
fn find_in_blocks(
    bytes: &[u8],
    mut find: impl FnMut(usize, &[u8; 64]) -> Option<usize>,
) -> Option<usize> {
    let (blocks, tail) = bytes.as_chunks::<64>();
    let mut last = [b' '; 64];
    last[..tail.len()].copy_from_slice(tail);
    for number in 0..=blocks.len() {
        let block = blocks.get(number).unwrap_or(&last);
        if let Some(place) = find(number * 64, block) {
            return Some(place);
        }
    }
    None
}

/// The bits of the bytes of `block` for which `is_meant` has all bits set.
#[inline(always)]
fn places(block: &[u8; 64], is_meant: impl Fn(u8x16) -> u8x16) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let bits = parts
        .iter()
        .map(|part| u64::from(is_meant(u8x16::new(*part)).to_bitmask()));
    bits.enumerate()
        .fold(0, |all, (part, bits)| all | bits << (16 * part))
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
        open: u8x16,
        close: u8x16,
        depth: &mut u32,
    ) -> Option<usize> {
        let mut quotes = places(block, |bytes| bytes.simd_eq(u8x16::splat(b'"')));
        let backslashes = places(block, |bytes| bytes.simd_eq(u8x16::splat(b'\\')));
        if backslashes | self.escaped != 0 {
            quotes &= !self.escaped_in(backslashes);
        }
        let was_open = self.quotes.count_ones() % 2 == 1;
        self.quotes ^= quotes;
        let brackets = places(block, |bytes| bytes.simd_eq(open) | bytes.simd_eq(close));
        if brackets == 0 {
            return None;
        }
        let outside = brackets & !inside(quotes, was_open);
        let opens = outside & places(block, |bytes| bytes.simd_eq(open));
        close_of(opens, outside ^ opens, depth)
    }

    /// The bits behind backslashes that are not escaped themselves: of a run of backslashes every
    /// second one is, which a subtraction carries to the end of each run (simdjson's
    /// `json_escape_scanner`).
    fn escaped_in(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let begins = backslashes & !self.escaped;
        let ends = ((begins << 1) | ODD).wrapping_sub(begins) ^ ODD;
        let escaped = ends ^ (backslashes | self.escaped);
        self.escaped = (ends & backslashes) >> 63;
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
