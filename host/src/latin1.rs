//! Header values as the engine reads and writes them: each byte is one character (ISO 8859-1), as
//! Fetch does, so that a value that is no UTF-8 goes through unchanged.

/// The text of these bytes.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes of this text. Nothing where a character is none of theirs.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(character).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes, text};

    #[test]
    fn bytes_survive_the_way_to_text_and_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(bytes(&text(&all)), Some(all));
        assert_eq!(bytes("€"), None);
    }
}
