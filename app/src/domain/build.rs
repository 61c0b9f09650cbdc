//! Builds: what is run of a pushed commit where its repository does not say.

use super::batch::quoted;
use super::job::{Checkout, Step, words};
use thiserror::Error;

words! {
    /// How a build stands.
    BuildStatus {
        /// Somebody has to approve it first.
        Held = "held",
        /// No worker has it yet.
        Pending = "pending",
        /// A worker has it.
        Running = "running",
        /// Everything it ran was well.
        Success = "success",
        /// Tests, or a step that judges, failed.
        Failed = "failed",
        /// It could not be run as it should.
        Errored = "errored",
        /// It took longer than it may.
        TimedOut = "timed_out",
        /// Somebody, or a newer commit, stopped it.
        Cancelled = "cancelled",
    }
}

/// Why a text is not where a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must begin with https://, ssh:// or file://, or be USER@HOST:PATH, without white space and quotes")]
pub struct NoRemote;

/// Whether a text may be handed to git as the place of a repository: no option,
/// no helper, nothing that a shell could take for more than a word.
pub fn check_remote(url: &str) -> Result<(), NoRemote> {
    let is_plain = url.len() <= 500 && url.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/@+%=?&#[]".contains(c));
    let has_scheme = ["https://", "http://", "ssh://", "file:///"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('-')));
    let is_short = url.split_once(':').is_some_and(|(host, path)| {
        let at =
            host.split_once('@').filter(|(user, host)| !user.is_empty() && !user.starts_with('-') && !host.is_empty());
        at.is_some_and(|(_, host)| !host.starts_with('-')) && !path.is_empty() && !path.starts_with([':', '-'])
    });
    if is_plain && (has_scheme || !url.contains("://") && is_short) { Ok(()) } else { Err(NoRemote) }
}

/// Whether a repository is reached by SSH, where a key stands for a password.
pub fn is_ssh(url: &str) -> bool {
    url.starts_with("ssh://") || !url.contains("://")
}

/// Whether somebody who pushed does not want a build.
pub fn is_skipped(message: &str) -> bool {
    let message = message.to_lowercase();
    ["[skip ci]", "[ci skip]", "[no ci]"].iter().any(|mark| message.contains(mark))
}

/// Tells git what a repository is cloned with: from its environment, so that it
/// stands in no file and in no list of processes.
const HELPER: &str = "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' \"$HOLTER_GIT_USER\" \
                      \"$HOLTER_GIT_PASSWORD\"; }; f";

/// Lets git use a key, from its environment too, and trust the hosts alone that the
/// operator knows. Both are gone when the step ends.
const KEY: &str = "if test -n \"$HOLTER_GIT_KEY\"; then\n\
                   trap 'rm -f \"$TMPDIR/.git-key\" \"$TMPDIR/.git-hosts\"' EXIT\n\
                   (umask 077; printf '%s\\n' \"$HOLTER_GIT_KEY\" >\"$TMPDIR/.git-key\"\n\
                   printf '%s\\n' \"$HOLTER_GIT_HOSTS\" >\"$TMPDIR/.git-hosts\") || exit 1\n\
                   export GIT_SSH_COMMAND=\"ssh -F none -i $TMPDIR/.git-key -o IdentitiesOnly=yes -o BatchMode=yes \
                   -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=none -o UserKnownHostsFile=$TMPDIR/.git-hosts\"\n\
                   fi\n";

/// The server of a repository, to which alone its credentials are told.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{}", host.rsplit('@').next().unwrap_or(host))
}

/// The step that brings a commit into the folder: this one alone, as shallow as
/// the server allows.
///
/// Where none is named it is the head of the branch. Everything was checked; all
/// the same nothing of it can be an option.
pub fn checkout(checkout: &Checkout) -> Step {
    let (url, reference) = (quoted(&checkout.url), quoted(&checkout.reference));
    let commit = if checkout.commit.is_empty() { "FETCH_HEAD".into() } else { quoted(&checkout.commit) };
    let wanted = if checkout.commit.is_empty() { &reference } else { &commit };
    let helper = format!("{} {}", quoted(&format!("credential.{}.helper", origin(&checkout.url))), quoted(HELPER));
    let script = format!(
        "{KEY}export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_GLOBAL=\"$TMPDIR/.gitconfig\"\n\
         git config --global safe.directory '*' && git config --global advice.detachedHead false || exit 1\n\
         if test -n \"$HOLTER_GIT_PASSWORD\"; then git config --global {helper} || exit 1; fi\n\
         git init --quiet . && git remote add origin -- {url} || exit 1\n\
         git fetch --quiet --depth 1 --no-tags origin -- {wanted} 2>/dev/null \\\n\
         || git fetch --quiet --no-tags origin -- {reference} || exit 1\n\
         git checkout --quiet --detach {commit} && git log -1 --format='%h %an: %s'"
    );
    Step { name: "checkout".into(), script, ..Step::default() }
}

/// The step between two variants of a matrix: the folder is as this commit was
/// checked out, so nothing of one can help the next, or be taken for its report.
///
/// git's own means leave submodules alone, go by a head that steps may have moved,
/// and give up at folders that may not be written, as Go makes them. What the
/// worker brought of caches is there already, and stays; so does what the operator
/// shows to jobs below `/tmp`, which cannot be deleted.
pub fn between(commit: &str) -> Step {
    let commit = quoted(commit);
    let script = format!(
        "chmod -R u+rwX . \"$TMPDIR\" 2>/dev/null\n\
         find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf -- {{}} + \\\n\
         || exit 1\n\
         find \"$TMPDIR\" -mindepth 1 -maxdepth 1 ! -name '.cache-*' -exec rm -rf -- {{}} + 2>/dev/null\n\
         git checkout --quiet --force --detach {commit} && git reset --quiet --hard"
    );
    Step { name: "clean".into(), script, ..Step::default() }
}

/// The steps of a repository that says none, by the paths of its files; none
/// where nothing is known to be run.
pub fn detect(paths: &[String], has_network: bool) -> Vec<Step> {
    let has = |name: &str| paths.iter().any(|path| path == name);
    let step = |name: &str, script: String| Step { name: name.into(), script, ..Step::default() };
    let mut steps = Vec::new();
    if has("Cargo.toml") {
        steps.push(step("build", "cargo build --all-targets".into()));
        steps.push(Step { keeps: "cargo.txt".into(), ..step("test", "cargo test".into()) });
    }
    if has("go.mod") {
        steps.push(step("vet", "go vet ./...".into()));
        steps.push(Step { keeps: "go.json".into(), ..step("test", "go test -json ./...".into()) });
    }
    if has("package.json") {
        if has_network {
            let install = if has("package-lock.json") { "npm ci" } else { "npm install" };
            steps.push(step("install", install.into()));
        }
        steps.push(step("test", "npm test".into()));
    }
    let is_python = |path: &String| path.ends_with(".py");
    if paths.iter().any(is_python) {
        python(paths, has_network, &mut steps);
    }
    steps
}

fn python(paths: &[String], has_network: bool, steps: &mut Vec<Step>) {
    let step = |name: &str, script: String| Step { name: name.into(), script, ..Step::default() };
    let requirements: Vec<_> =
        paths.iter().filter(|path| path.starts_with("requirements") && path.ends_with(".txt")).collect();
    let is_package = paths.iter().any(|path| path == "pyproject.toml");
    let mut python = "\"$PYTHON\"";
    if has_network && (is_package || !requirements.is_empty()) {
        let listed: String = requirements.iter().map(|file| format!(" --requirement {}", quoted(file))).collect();
        // Many have the file for the settings of their tools alone.
        let own =
            if is_package { "\nif grep -q '^\\[project\\]' pyproject.toml; then $pip --editable .; fi" } else { "" };
        let script = format!(
            "pip=\"$TMPDIR/venv/bin/pip install --quiet --disable-pip-version-check\"\n\
             \"$PYTHON\" -m venv \"$TMPDIR/venv\" && $pip pytest flake8{listed} || exit 1{own}"
        );
        steps.push(step("install", script));
        python = "\"$TMPDIR/venv/bin/python\"";
    }
    // What cannot be right in any style: syntax, and names that nothing defines.
    let lint = format!(
        "if {python} -c 'import flake8' 2>/dev/null; then {python} -m flake8 --select E9,F63,F82,F7 --show-source .; \
         else {python} -m compileall -q .; fi"
    );
    steps.push(step("lint", lint));
    let has_tests = paths.iter().any(|path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        name.ends_with(".py") && (name.starts_with("test") || name.ends_with("_test.py"))
    });
    if has_tests {
        let test = format!("{python} -m pytest -p holter_pytest -p no:cacheprovider -ra --color=yes");
        steps.push(step("test", test));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_place_is_handed_to_git() {
        for fine in
            ["https://forge.example/acme/pump.git", "git@forge.example:acme/pump.git", "file:///srv/git/pump.git"]
        {
            assert_eq!(check_remote(fine), Ok(()), "{fine}");
        }
        for odd in [
            "--upload-pack=touch /tmp/x",
            "-oProxyCommand=x@host:path",
            "ext::sh -c touch% /tmp/x",
            "https://forge.example/a.git; rm -rf /",
            "https://forge.example/$(id)",
            "https://-oProxyCommand/x",
            "ssh://-oProxyCommand=x/y",
            "git@-host:path",
            "/etc",
            "file://",
            "a'b@c:d",
        ] {
            assert_eq!(check_remote(odd), Err(NoRemote), "{odd}");
        }
    }

    #[test]
    fn steps_follow_from_the_files_that_are_there() {
        let names = |paths: &[&str], has_network| {
            let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
            detect(&paths, has_network).into_iter().map(|step| step.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["app.py", "tests/test_app.py"], false), ["lint", "test"]);
        assert_eq!(names(&["app.py", "requirements-dev.txt"], true), ["install", "lint"]);
        assert_eq!(names(&["app.py", "pyproject.toml"], true), ["install", "lint"]);
        assert_eq!(names(&["app.py", "pyproject.toml"], false), ["lint"]);
        assert_eq!(names(&["Cargo.toml", "src/lib.rs"], false), ["build", "test"]);
        assert_eq!(names(&["package.json", "package-lock.json"], true), ["install", "test"]);
        assert_eq!(names(&["README.md"], true), Vec::<String>::new());
    }

    #[test]
    fn who_wants_no_build_says_so() {
        assert!(is_skipped("Words only [skip ci]") && is_skipped("x [CI Skip]") && !is_skipped("skip ci"));
    }
}
