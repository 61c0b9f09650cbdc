//! Who looks after which file, as a `CODEOWNERS` file says.
//!
//! The rules are those of GitHub, GitLab, Gitea and Bitbucket where they agree:
//! a pattern and its owners on a line, and of several patterns that match the
//! last one stands. Sections of GitLab group rules and may have owners of their
//! own. What is no rule is left out and counted; a file never fails as a whole.
//!
//! Frameworks tell sources as they see them, often as whole paths of the machine
//! that ran the test. A pattern that begins at the root of the repository is
//! therefore tried at every folder of a path that begins at the root of a disk.

/// Rules that are kept of one file.
pub const RULES_MAX: usize = 2_000;

/// The longest line that is read, in bytes.
const LINE_MAX: usize = 2_000;

/// Owners of one rule that are kept.
const OWNERS_KEPT: usize = 10;

/// Places for any folders in one pattern: each is tried at every folder of a
/// path, and with those behind it.
const ANY_MAX: usize = 3;

/// Folders of a path that are looked at.
const FOLDERS_MAX: usize = 40;

/// Who looks after which file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    rules: Vec<Rule>,
    /// Lines that are no rules.
    pub left_out: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// Parts between slashes.
    parts: Vec<Part>,
    /// It begins at the root of the repository.
    is_rooted: bool,
    /// It means folders alone: what is inside of them.
    is_folder: bool,
    /// None where nobody looks after it, which is a rule too.
    owners: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Any number of folders.
    Any,
    /// A name, in which `*` and `?` stand for letters.
    Name(Box<str>),
}

impl Owners {
    /// Reads a file.
    pub fn parse(text: &str) -> Self {
        let mut owners = Self::default();
        let mut of_section: Option<Box<str>> = None;
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(section) = section(line) {
                of_section = names(section);
                continue;
            }
            match Rule::parse(line, of_section.as_deref()) {
                Some(rule) if owners.rules.len() < RULES_MAX => owners.rules.push(rule),
                _ => owners.left_out += 1,
            }
        }
        owners
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Who looks after a file: the names of the last rule that matches, with
    /// spaces between them.
    pub fn of(&self, source: &str) -> Option<&str> {
        let path = source.replace('\\', "/");
        let (path, is_whole) = relative(&path);
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() || parts.len() > FOLDERS_MAX {
            return None;
        }
        let rule = self.rules.iter().rev().find(|rule| rule.matches(&parts, is_whole))?;
        rule.owners.as_deref()
    }
}

/// A path without the root of its disk, and whether it had one.
fn relative(path: &str) -> (&str, bool) {
    if let Some(rest) = path.strip_prefix('/') {
        return (rest, true);
    }
    match path.split_once(":/") {
        Some((disk, rest)) if disk.len() == 1 => (rest, true),
        _ => (path, false),
    }
}

/// What stands after the head of a section, where a line is one: `[Name]`,
/// `^[Name][2] @owner`.
fn section(line: &str) -> Option<&str> {
    let inner = line.strip_prefix("^[").or_else(|| line.strip_prefix('['))?;
    let (name, rest) = inner.split_once(']')?;
    // A pattern may begin with a set of letters, which nobody else reads either.
    if name.is_empty() || rest.starts_with(|letter: char| !letter.is_whitespace() && letter != '[') {
        return None;
    }
    let rest = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(rest, |(_, rest)| rest);
    Some(rest)
}

/// The owners on the rest of a line.
fn names(rest: &str) -> Option<Box<str>> {
    let words = rest.split_whitespace().take_while(|word| !word.starts_with('#'));
    let words: Vec<_> = words.take(OWNERS_KEPT).collect();
    (!words.is_empty()).then(|| words.join(" ").into())
}

impl Rule {
    fn parse(line: &str, of_section: Option<&str>) -> Option<Self> {
        if line.len() > LINE_MAX || line.starts_with('!') {
            return None;
        }
        let (pattern, rest) = pattern_of(line);
        let owners = names(rest).or_else(|| of_section.map(Into::into));
        let is_folder = pattern.ends_with('/');
        let inner = pattern.trim_end_matches('/');
        // As in `.gitignore`: a slash within binds a pattern to the root.
        let is_rooted = inner.contains('/');
        let parts: Vec<_> = inner.split('/').filter(|part| !part.is_empty()).map(Part::of).collect();
        let any = parts.iter().filter(|part| **part == Part::Any).count();
        if parts.is_empty() || parts.len() > FOLDERS_MAX || any > ANY_MAX {
            return None;
        }
        Some(Self { parts, is_rooted, is_folder, owners })
    }

    fn matches(&self, path: &[&str], is_whole: bool) -> bool {
        if !self.is_rooted || is_whole {
            return (0..path.len()).any(|from| self.begins(&path[from..]));
        }
        self.begins(path)
    }

    fn begins(&self, path: &[&str]) -> bool {
        // `docs/*` means the files of a folder and not what is further inside.
        let is_flat = matches!(self.parts.last(), Some(Part::Name(name)) if &**name == "*") && self.parts.len() > 1;
        fits(&self.parts, path, &|rest: &[&str]| match rest {
            [] => !self.is_folder,
            _ => !is_flat,
        })
    }
}

/// Whether the beginning of a path fits, and what is left of it is as it may be.
fn fits(parts: &[Part], path: &[&str], rest: &dyn Fn(&[&str]) -> bool) -> bool {
    match (parts, path) {
        ([], _) => rest(path),
        // At the end it means everything inside, and there must be something.
        ([Part::Any], _) => !path.is_empty(),
        ([Part::Any, parts @ ..], _) => (0..path.len()).any(|from| fits(parts, &path[from..], rest)),
        ([Part::Name(name), parts @ ..], [first, path @ ..]) => is_like(name, first) && fits(parts, path, rest),
        ([Part::Name(_), ..], []) => false,
    }
}

impl Part {
    fn of(text: &str) -> Self {
        if text == "**" { Self::Any } else { Self::Name(text.into()) }
    }
}

/// The pattern of a line and what follows it. A space in it has a backslash.
fn pattern_of(line: &str) -> (String, &str) {
    let mut pattern = String::new();
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => pattern.extend(letters.next().map(|(_, letter)| letter)),
            letter if letter.is_whitespace() => return (pattern, &line[at..]),
            letter => pattern.push(letter),
        }
    }
    (pattern, "")
}

/// Whether a name is like a pattern, in which `*` stands for any letters and
/// `?` for one. Goes back to the last star alone, so it is never slow.
fn is_like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                at = back + 1;
                of = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}# who looks after what\n\
        *           @everybody\n\
        *.robot     @robots   # and no one else\n\
        /tests/     @tests\n\
        tests/power/ @power @lab\n\
        docs/*      docs@mail.example\n\
        apps/**/db  @db\n\
        **/drivers/ @drivers\n\
        with\\ space.py @space\n\
        /build/logs/\n\
        ![no] rule\n";

    #[test]
    fn the_last_rule_that_matches_stands() {
        let owners = Owners::parse(FILE);
        assert_eq!((owners.len(), owners.left_out), (9, 1));
        for (source, owner) in [
            ("main.c", Some("@everybody")),
            ("valves.robot", Some("@robots")),
            ("tests/valves.robot", Some("@tests")),
            ("tests/power/on.robot", Some("@power @lab")),
            ("tests\\power\\on.robot", Some("@power @lab")),
            ("./tests/power/deep/on.robot", Some("@power @lab")),
            ("other/tests/x.robot", Some("@robots")),
            ("docs/a.md", Some("docs@mail.example")),
            ("docs/deep/a.md", Some("@everybody")),
            ("apps/db", Some("@db")),
            ("apps/a/b/db", Some("@db")),
            ("apps/a/b/db/x.py", Some("@db")),
            ("src/drivers/can.py", Some("@drivers")),
            ("drivers", Some("@everybody")),
            ("a/with space.py", Some("@space")),
            ("build/logs/x", None),
            ("", None),
        ] {
            assert_eq!(owners.of(source), owner, "{source}");
        }
    }

    #[test]
    fn a_path_of_a_disk_is_tried_at_each_of_its_folders() {
        let owners = Owners::parse("/tests/power/ @power\n/lib/*.py @lib\n");
        assert_eq!(owners.of("/home/ci/builds/7/pump/tests/power/on.robot"), Some("@power"));
        assert_eq!(owners.of("C:\\ci\\pump\\lib\\x.py"), Some("@lib"));
        assert_eq!(owners.of("/home/ci/lib/deep/x.py"), None);
        assert_eq!(owners.of("vendor/tests/power/on.robot"), None, "a path of the repository begins at its root");
    }

    #[test]
    fn sections_have_owners_for_rules_without() {
        let owners = Owners::parse("[Pumps][2] @pumps\npumps/\npumps/lab/ @lab\n^[Optional]\nvalves/\n");
        assert_eq!(owners.of("pumps/a.py"), Some("@pumps"));
        assert_eq!(owners.of("pumps/lab/a.py"), Some("@lab"));
        assert_eq!((owners.of("valves/a.py"), owners.left_out), (None, 0));
    }

    #[test]
    fn no_pattern_is_slow_and_no_file_too_long() {
        let path = format!("/{}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/".repeat(38));
        for (pattern, left_out) in [("**/a*a*a*a*a*b/", 0), ("**/a*/**/a*/**/b", 0), ("**/a*/**/a*/**/a*/**/b", 1)] {
            let owners = Owners::parse(&format!("{pattern} @x\n"));
            assert_eq!((owners.of(&path), owners.left_out), (None, left_out), "{pattern}");
        }
        let many = Owners::parse(&"a @x\n".repeat(RULES_MAX + 5));
        assert_eq!((many.len(), many.left_out), (RULES_MAX, 5));
        assert_eq!(Owners::parse(&"a/".repeat(5_000)).left_out, 1);
    }
}
