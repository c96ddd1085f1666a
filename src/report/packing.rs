//! What an input is packed in: gzip, also twice, zstd, UTF-16; and what cannot be unpacked here,
//! with what to do about it.

use std::io::{self, Cursor, Read};

use encoding_rs_io::DecodeReaderBytes;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::csv_layout::CsvLayout;

/// How much of an input tells what it is.
const HEAD: u64 = 32 << 10;
/// How often one packing stands inside of another.
const MAX_LAYERS: usize = 4;

/// An input as text.
pub(super) enum Unpacked<'r> {
    /// JSON, or lines with JSON in them.
    Text(Box<dyn Read + 'r>),
    /// A table.
    Csv(Box<dyn Read + 'r>, CsvLayout),
    /// Something else: what it is, and what to do.
    Unsupported(&'static str),
}

/// Takes the packing off `input`.
///
/// # Errors
/// If the input cannot be read, or its packing is broken at its beginning.
pub(super) fn unpack<'r>(input: impl Read + 'r) -> io::Result<Unpacked<'r>> {
    let mut input: Box<dyn Read + 'r> = Box::new(input);
    for _ in 0..MAX_LAYERS {
        let mut head = Vec::new();
        if let Err(error) = input.by_ref().take(HEAD).read_to_end(&mut head) {
            if head.is_empty() {
                return Err(error);
            }
            input = Box::new(Broken(Some(error)));
        }
        if let Some(what) = unsupported(&head) {
            return Ok(Unpacked::Unsupported(what));
        }
        let csv = CsvLayout::of(&head);
        let magic: [u8; 4] = std::array::from_fn(|at| head.get(at).copied().unwrap_or_default());
        let whole = Cursor::new(head).chain(input);
        input = match magic {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
            [0x28, 0xb5, 0x2f, 0xfd] => Box::new(ZstdFrames::new(whole)?),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Box::new(DecodeReaderBytes::new(whole)),
            _ => {
                return Ok(match csv {
                    Some(layout) => Unpacked::Csv(Box::new(whole), layout),
                    None => Unpacked::Text(Box::new(whole)),
                });
            }
        };
    }
    Ok(Unpacked::Unsupported("packed more than four times"))
}

/// What cannot be read, by how it begins.
fn unsupported(head: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let text = head.trim_ascii_start();
    Some(match () {
        () if starts(b"PK\x03\x04") => "a zip archive: unzip -p FILE | undock report -",
        () if starts(b"\xfd7zXZ") => "packed with xz: xz -dc FILE | undock report -",
        () if starts(b"BZh") => "packed with bzip2: bzip2 -dc FILE | undock report -",
        () if starts(b"\x04\x22\x4d\x18") => "packed with lz4: lz4 -dc FILE | undock report -",
        () if starts(b"7z\xbc\xaf\x27\x1c") => "a 7z archive: 7z x -so FILE | undock report -",
        () if starts(b"PAR1") => "a Parquet file: export JSON lines instead",
        () if starts(b"ORC") => "an ORC file: export JSON lines instead",
        () if starts(b"Obj\x01") => {
            "an Avro file, such as Event Hubs Capture writes: export JSON lines instead, with \
             avro-tools tojson FILE | undock report -"
        }
        () if head.get(257..262) == Some(b"ustar") => {
            "a tar archive: tar -xOf FILE | undock report -"
        }
        () if starts(b"version https://git-lfs") => "a pointer of Git LFS: run git lfs pull first",
        () if is_markup(text) => {
            "XML or HTML, such as the error page of a store: download the file again"
        }
        () if text.starts_with(b"---\n") || text.starts_with(b"- insertId:") => {
            "YAML: write JSON instead, as gcloud logging read does with --format=json"
        }
        () => return None,
    })
}

/// True for a tag, a comment or a declaration; a line of syslog begins with `<134>`.
fn is_markup(text: &[u8]) -> bool {
    let next = text.strip_prefix(b"<").and_then(<[u8]>::first);
    next.is_some_and(|next| matches!(next, b'?' | b'!') || next.is_ascii_alphabetic())
}

/// What is left of an input that broke off: the reason, once what came before was read.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The frames of a zstd file one after the other.
struct ZstdFrames<'r> {
    decoder: Option<StreamingDecoder<Box<dyn Read + 'r>, FrameDecoder>>,
}

impl<'r> ZstdFrames<'r> {
    fn new(input: impl Read + 'r) -> io::Result<Self> {
        let input: Box<dyn Read + 'r> = Box::new(input);
        Ok(Self {
            decoder: Some(StreamingDecoder::new(input).map_err(io::Error::other)?),
        })
    }
}

impl Read for ZstdFrames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(ended) = self.decoder.take() else {
                break;
            };
            let mut input = ended.into_inner();
            let mut first = [0; 1];
            if input.read(&mut first)? > 0 {
                *self = Self::new(Cursor::new(first).chain(input))?;
            }
        }
        Ok(0)
    }
}
