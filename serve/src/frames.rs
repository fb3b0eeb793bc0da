//! Where one WebSocket frame ends and the next begins (RFC 6455 section 5.2). A proxy passes bytes
//! and reads no messages; but a Close frame of its own, put into the middle of another frame, would
//! be taken for that one's content. `middleware/frames.js` is the same for JavaScript hosts.

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The head of a frame, as far as it has come: 2 bytes, at most 8 for the length, 4 for the
    /// mask.
    head: Vec<u8>,
    /// What is left of the frame's content.
    left: u64,
}

impl Frames {
    /// Takes the next bytes.
    pub(crate) fn take(&mut self, mut chunk: &[u8]) {
        while let Some((first, rest)) = chunk.split_first() {
            if self.left > 0 {
                let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX).min(self.left);
                self.left = self.left.saturating_sub(length);
                let taken = usize::try_from(length).unwrap_or(usize::MAX);
                chunk = chunk.get(taken..).unwrap_or_default();
                continue;
            }
            self.head.push(*first);
            chunk = rest;
            if self.head.len() >= length_of_head(&self.head) {
                self.left = length_of_payload(&self.head);
                self.head.clear();
            }
        }
    }

    /// Whether all that was taken ends with a whole frame.
    pub(crate) const fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0
    }
}

fn length_of_head(head: &[u8]) -> usize {
    let Some(second) = head.get(1) else { return 2 };
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0_usize,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    length.saturating_add(mask).saturating_add(2)
}

fn length_of_payload(head: &[u8]) -> u64 {
    let length = head.get(1).copied().unwrap_or_default() & 0x7f;
    let bytes = match length {
        126 => head.get(2..4),
        127 => head.get(2..10),
        _ => return length.into(),
    };
    let bytes = bytes.unwrap_or_default().iter();
    bytes.fold(0, |number, byte| number.wrapping_shl(8) | u64::from(*byte))
}

/// A Close frame (section 5.5.1). What a client sends is masked (section 5.3), what a server sends
/// is not. `reason` has at most 123 bytes.
pub(crate) fn close_frame(code: u16, reason: &str, mask: Option<[u8; 4]>) -> Vec<u8> {
    let content: Vec<u8> = code.to_be_bytes().into_iter().chain(reason.bytes()).collect();
    let length = u8::try_from(content.len()).unwrap_or(125).min(125);
    match mask {
        None => [&[0x88, length], content.as_slice()].concat(),
        Some(mask) => {
            let masked = content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
            let masked: Vec<u8> = masked.collect();
            [&[0x88, 0x80 | length], mask.as_slice(), &masked].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_each_frame_is_seen_however_its_bytes_come() {
        let small = [&[0x81, 0x03], b"abc".as_slice()].concat();
        let masked = [&[0x81, 0x83, 1, 2, 3, 4], b"abc".as_slice()].concat();
        let middle = [&[0x82, 126, 1, 0][..], &[7; 256]].concat();
        let large = [&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9][..], &[7; 65536]].concat();
        let empty = vec![0x89, 0x00];
        for size in [1, 2, 3, 7, 100_000] {
            let mut frames = Frames::default();
            for frame in [&small, &masked, &middle, &large, &empty, &small] {
                let mut taken = 0;
                for chunk in frame.chunks(size) {
                    assert!(taken == 0 || !frames.is_between(), "in the middle of a frame");
                    frames.take(chunk);
                    taken += chunk.len();
                }
                assert!(frames.is_between(), "{size}: a frame of {} bytes", frame.len());
            }
        }
    }

    #[test]
    fn a_close_frame_says_code_and_reason() {
        assert_eq!(close_frame(4401, "a", None), [0x88, 3, 0x11, 0x31, b'a']);
        let masked = close_frame(4401, "a", Some([1, 2, 3, 4]));
        assert_eq!(masked, [0x88, 0x83, 1, 2, 3, 4, 0x11 ^ 1, 0x31 ^ 2, b'a' ^ 3]);
    }
}
