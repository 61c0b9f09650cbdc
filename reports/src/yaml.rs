//! The little of YAML that test reports hold: maps of scalars, and lists of them.
//!
//! No more is read than is asked for: what nests stays text, and can be read in
//! turn. Nothing here fails; what is not understood is no entry.

/// The entries of a map, with scalars as their values say them and everything
/// else as text.
pub fn entries(text: &str) -> Vec<(String, String)> {
    let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return Vec::new() };
    let indent = indent(first);
    let mut all: Vec<(String, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let is_key = line.len() > indent && self::indent(line) == indent;
        match (is_key.then(|| key(line.trim_end())).flatten(), all.last_mut()) {
            (Some((key, value)), _) => all.push((key.to_owned(), vec![value])),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    all.into_iter().map(|(key, lines)| (key, scalar(&lines))).collect()
}

/// The entries of a map in braces: "{a: b, c: d}". Commas in values without
/// quotes end them, as in YAML.
pub fn flow(text: &str) -> Vec<(String, String)> {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    let mut all = Vec::new();
    let (mut from, mut quote) = (0, None);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match (letter, quote) {
            ('\'' | '"', None) if at == 0 || inner[..at].ends_with([' ', ',', '{', '[']) => quote = Some(letter),
            (letter, Some(open)) if letter == open && at < inner.len() => quote = None,
            (',', _) if quote.is_none() || at == inner.len() => {
                all.extend(key(inner[from..at].trim()).map(|(key, value)| (key.to_owned(), scalar(&[value]))));
                from = (at + 1).min(inner.len());
            }
            _ => {}
        }
    }
    all
}

/// The items of a list of blocks, each without its dash.
pub fn items(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("- ") {
            all.push(format!("  {rest}\n"));
        } else if let Some(item) = all.last_mut() {
            item.push_str(line);
            item.push('\n');
        }
    }
    all
}

/// How far a line is indented.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A key and what stands behind it.
fn key(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let at = line.find(": ").or_else(|| line.ends_with(':').then(|| line.len() - 1))?;
    let name = line[..at].trim().trim_matches(['"', '\'']);
    (!name.is_empty() && !line.starts_with(['-', '{', '[', '#'])).then(|| (name, line[at + 1..].trim()))
}

/// A scalar by the lines that it is written in: the first is what stands behind
/// its key.
fn scalar(lines: &[&str]) -> String {
    let Some((first, more)) = lines.split_first() else { return String::new() };
    match first.chars().next() {
        None => dedented(more, "\n"),
        Some('|') => dedented(more, "\n"),
        Some('>') => dedented(more, " "),
        _ => {
            let words = [*first].into_iter().chain(more.iter().copied()).map(str::trim).filter(|line| !line.is_empty());
            unquoted(&words.collect::<Vec<_>>().join(" "))
        }
    }
}

fn dedented(lines: &[&str], between: &str) -> String {
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    let cut: Vec<_> = lines.iter().map(|line| line.get(least..).unwrap_or_default().trim_end()).collect();
    cut.join(between).trim_end().to_owned()
}

fn unquoted(text: &str) -> String {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(inner) = inside('\'') {
        return inner.replace("''", "'");
    }
    inside('"')
        .map_or_else(|| text.to_owned(), |inner| inner.replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn maps_of_scalars_are_read() {
        let text = "  message: 'it''s \"so\"'\n  at: {a: 1}\n  long: one\n    two\n  error: |-\n    first\n      second\n\n  empty:\n  list:\n  - x\n  \"quoted\": \"a\\nb\"\n";
        let expected = [
            ("message", "it's \"so\""),
            ("at", "{a: 1}"),
            ("long", "one two"),
            ("error", "first\n  second"),
            ("empty", ""),
            ("list", "- x"),
            ("quoted", "a\nb"),
        ];
        assert_eq!(entries(text), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn maps_in_braces_and_lists_are_read() {
        let expected = [("case", "job"), ("error_msg", "timed out, badly"), ("n", "1")];
        let read = flow("{case: job, error_msg: 'timed out, badly', n: 1}");
        assert_eq!(read, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(items("- a: 1\n  b: 2\n- a: 3\n"), ["  a: 1\n  b: 2\n", "  a: 3\n"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in r#"[-a: {}\[\]'",|>\nü]{0,80}"#) {
            let _ = (entries(&text), flow(&text), items(&text));
        }
    }
}
