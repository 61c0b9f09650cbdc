//! Names of .NET tests: class, method and arguments in one text.

use super::text::message;

/// The class and the rest of a name that joins them by points.
pub fn split_class(full: &str) -> (Option<&str>, &str) {
    match last_name(full) {
        0 => (None, full),
        at => (Some(&full[..at - 1]), &full[at..]),
    }
}

/// The method and the arguments of a name, where it has any. Without a method
/// that is known, whatever is before the first bracket counts as one.
pub fn split_arguments(short: &str, method: Option<&str>) -> (String, Option<String>) {
    let open = match method {
        Some(method) => short.strip_prefix(method).map(|rest| short.len() - rest.trim_start().len()),
        None => short.find('('),
    };
    let split = open.filter(|open| *open > 0).and_then(|open| {
        let arguments = short[open..].strip_prefix('(')?.strip_suffix(')')?;
        Some((short[..open].trim_end().to_owned(), message(arguments)))
    });
    split.unwrap_or_else(|| (short.to_owned(), None))
}

/// Where the last of the names begins that are joined by points, those in
/// arguments and in texts not counted.
fn last_name(full: &str) -> usize {
    let (mut depth, mut is_text, mut is_escaped, mut start) = (0_usize, false, false, 0);
    for (at, byte) in full.bytes().enumerate() {
        if is_text && byte == b'\\' {
            is_escaped = !is_escaped;
            continue;
        }
        match byte {
            b'"' if depth > 0 && !is_escaped => is_text = !is_text,
            b'(' | b'<' if !is_text => depth += 1,
            b')' | b'>' if !is_text => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => start = at + 1,
            _ => {}
        }
        is_escaped = false;
    }
    if start < full.len() { start } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_methods_and_arguments() {
        let table = [
            ("A.B.Test", Some("A.B"), "Test", None),
            ("A.B+C.Test(1.5,\"x).y\")", Some("A.B+C"), "Test", Some("1.5,\"x).y\"")),
            ("A.B(\"q\\\".\").Test(2)", Some("A.B(\"q\\\".\")"), "Test", Some("2")),
            ("Test (Row 1)", None, "Test", Some("Row 1")),
            ("A sentence ends.", None, "A sentence ends.", None),
            ("(only)", None, "(only)", None),
        ];
        for (full, class, method, arguments) in table {
            let (found, short) = split_class(full);
            assert_eq!(found, class, "{full}");
            assert_eq!(split_arguments(short, None), (method.into(), arguments.map(Into::into)), "{full}");
        }
        assert_eq!(split_arguments("Adds(1)", Some("Adds")), ("Adds".into(), Some("1".into())));
        assert_eq!(split_arguments("Own name (1)", Some("Adds")), ("Own name (1)".into(), None));
    }
}
