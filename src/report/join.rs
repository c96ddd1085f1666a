//! Puts lines together that a container runtime cut: containerd and CRI-O mark pieces with `P`,
//! Docker leaves out the newline.

use memchr::memmem;
use serde::Deserialize;

/// Docker cuts messages at this many bytes.
const DOCKER_PIECE: usize = 16 << 10;
/// The longest message that is put together.
const MAX_MESSAGE: usize = 64 << 20;

/// The pieces of messages that have not ended yet, of one file.
#[derive(Default)]
pub(super) struct Joiner {
    cri: Vec<u8>,
    docker: Vec<u8>,
}

#[derive(Deserialize)]
struct DockerLine {
    log: String,
    #[serde(default)]
    stream: String,
}

impl Joiner {
    /// Gives whole lines to `emit`: `line` itself, or the message that it ends.
    pub(super) fn feed(&mut self, line: &[u8], emit: &mut dyn FnMut(&[u8])) {
        if let Some((is_partial, rest)) = cri(line) {
            if is_partial || !self.cri.is_empty() {
                append(&mut self.cri, rest);
                if !is_partial {
                    emit(&self.cri);
                    self.cri.clear();
                }
                return;
            }
        } else if line.starts_with(b"{\"log\":\"") && self.join_docker(line, emit) {
            return;
        }
        emit(line);
    }

    /// Gives what is left to `emit`: its end is not in the file.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        for rest in [&mut self.cri, &mut self.docker] {
            if !rest.is_empty() {
                emit(rest);
                rest.clear();
            }
        }
    }

    /// False if the line is no piece of a message.
    fn join_docker(&mut self, line: &[u8], emit: &mut dyn FnMut(&[u8])) -> bool {
        let is_last = memmem::find(line, b"\\n\",").is_some();
        if is_last && self.docker.is_empty() {
            return false;
        }
        let Ok(piece) = serde_json::from_slice::<DockerLine>(line) else {
            return false;
        };
        let is_piece = !self.docker.is_empty() || piece.log.len() >= DOCKER_PIECE;
        if !is_piece || piece.stream == "stderr" {
            return false;
        }
        append(&mut self.docker, piece.log.as_bytes());
        if piece.log.ends_with('\n') {
            emit(&self.docker);
            self.docker.clear();
        }
        true
    }
}

fn append(message: &mut Vec<u8>, piece: &[u8]) {
    if message.len() + piece.len() <= MAX_MESSAGE {
        message.extend_from_slice(piece);
    }
}

/// Of `TIME stdout P|F TEXT`: whether it is a piece, and the text.
fn cri(line: &[u8]) -> Option<(bool, &[u8])> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (_, stream, tags, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let tag = tags.split(|byte| *byte == b':').next()?;
    let is_known = stream == b"stdout" && matches!(tag, b"P" | b"F");
    is_known.then_some((tag == b"P", rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&str]) -> Vec<String> {
        let mut whole = Vec::new();
        let mut joiner = Joiner::default();
        let mut emit = |line: &[u8]| whole.push(String::from_utf8_lossy(line).into_owned());
        lines
            .iter()
            .for_each(|line| joiner.feed(line.as_bytes(), &mut emit));
        joiner.finish(&mut emit);
        whole
    }

    #[test]
    fn pieces_become_whole_lines() {
        let whole = joined(&[
            "2026-11-01T08:00:00Z stdout P {\"a\":",
            "2026-11-01T08:00:00Z stderr F W1101 warning",
            "2026-11-01T08:00:00Z stdout F 1}",
            "2026-11-01T08:00:00Z stdout F {\"b\":2}",
            "{\"c\":3}",
        ]);
        let expected = [
            "2026-11-01T08:00:00Z stderr F W1101 warning",
            "{\"a\":1}",
            "2026-11-01T08:00:00Z stdout F {\"b\":2}",
            "{\"c\":3}",
        ];
        assert_eq!(whole, expected);
        let long = "x".repeat(DOCKER_PIECE);
        let whole = joined(&[
            &format!("{{\"log\":\"{long}\",\"stream\":\"stdout\"}}"),
            "{\"log\":\"y\\n\",\"stream\":\"stdout\"}",
            "{\"log\":\"z\\n\",\"stream\":\"stdout\"}",
        ]);
        assert_eq!(whole[0], format!("{long}y\n"));
        assert_eq!(whole[1], "{\"log\":\"z\\n\",\"stream\":\"stdout\"}");
    }
}
