//! Secrets do not stand in logs.

/// What stands in their place.
const STARS: &[u8] = b"***";

/// A secret that is shorter would hide half of every log.
const SHORTEST: usize = 4;

/// Replaces secrets in what passes, also where one is cut in two.
#[derive(Debug, Default)]
pub struct Mask {
    secrets: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl Mask {
    /// A mask of these secrets; of one with several lines, each line is one.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let parts = secrets.into_iter().flat_map(str::lines).map(str::trim);
        let mut secrets: Vec<_> =
            parts.filter(|part| part.len() >= SHORTEST).map(|part| part.as_bytes().to_vec()).collect();
        // Of two that begin alike the longer one is looked for first.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets, held: Vec::new() }
    }

    /// What may be shown now: what could be the beginning of a secret waits for
    /// what follows.
    pub fn pass(&mut self, text: &[u8]) -> Vec<u8> {
        if self.secrets.is_empty() {
            return text.to_vec();
        }
        self.held.extend_from_slice(text);
        let text = std::mem::take(&mut self.held);
        let (mut shown, mut at) = (Vec::with_capacity(text.len()), 0);
        while at < text.len() {
            let rest = &text[at..];
            if let Some(secret) = self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                shown.extend_from_slice(STARS);
                at += secret.len();
            } else if self.secrets.iter().any(|secret| secret.starts_with(rest)) {
                self.held = rest.to_vec();
                break;
            } else {
                shown.push(text[at]);
                at += 1;
            }
        }
        shown
    }

    /// What waited, at the end.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], pieces: &[&str]) -> String {
        let mut mask = Mask::new(secrets.iter().copied());
        let mut shown: Vec<u8> = pieces.iter().flat_map(|piece| mask.pass(piece.as_bytes())).collect();
        shown.extend(mask.rest());
        String::from_utf8(shown).expect("text")
    }

    #[test]
    fn secrets_are_masked_also_where_they_are_cut() {
        assert_eq!(masked(&["hunter22"], &["a hunt", "er22 b hunter"]), "a *** b hunter");
        assert_eq!(masked(&["abcd", "abcdef"], &["abcdef abcd"]), "*** ***");
        assert_eq!(masked(&["first line\nother line"], &["other line, first"]), "***, first");
        assert_eq!(masked(&["abc"], &["abc"]), "abc", "too short to be one");
        assert_eq!(masked(&[], &["as it is"]), "as it is");
    }
}
