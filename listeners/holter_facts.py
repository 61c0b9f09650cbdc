"""What the listeners know before anything runs: their settings, and the facts that CI systems and git offer.

The server hands out each listener as one file with this text pasted into it, so top-level names must not clash
with those of the listeners or of the other modules, and what stands between marker lines is left out there.
"""
import os
import sys
import time

_SPOOL_LIMIT = 64 * 1024 * 1024
_TEXT_LIMIT = 64 * 1024
_SCRIPT_LIMIT = 256 * 1024
_SCRIPTS_LIMIT = 4 * 1024 * 1024

# One row a CI system: the variable that gives it away, then where it keeps each fact.
# `{A}/{B}` is filled in from variables; the first entry whose variables are all set wins.
_CI_SYSTEMS = (
    ("GITHUB_ACTIONS", "github", "{GITHUB_SHA}", "{GITHUB_HEAD_REF} {GITHUB_REF_NAME}",
     "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}", "{GITHUB_ACTOR}", "{GITHUB_EVENT_NAME}"),
    ("GITLAB_CI", "gitlab", "{CI_COMMIT_SHA}", "{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME} {CI_COMMIT_REF_NAME}",
     "{CI_JOB_URL}", "{GITLAB_USER_LOGIN}", "{CI_PIPELINE_SOURCE}"),
    ("TF_BUILD", "azure", "{BUILD_SOURCEVERSION}", "{SYSTEM_PULLREQUEST_SOURCEBRANCH} {BUILD_SOURCEBRANCH}",
     "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
     "{BUILD_REQUESTEDFOR}", "{BUILD_REASON}"),
    ("BITBUCKET_BUILD_NUMBER", "bitbucket", "{BITBUCKET_COMMIT}", "{BITBUCKET_BRANCH}",
     "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}", "", ""),
    ("CIRCLECI", "circleci", "{CIRCLE_SHA1}", "{CIRCLE_BRANCH}", "{CIRCLE_BUILD_URL}", "{CIRCLE_USERNAME}", ""),
    ("BUILDKITE", "buildkite", "{BUILDKITE_COMMIT}", "{BUILDKITE_BRANCH}", "{BUILDKITE_BUILD_URL}",
     "{BUILDKITE_BUILD_CREATOR}", "{BUILDKITE_SOURCE}"),
    ("TRAVIS", "travis", "{TRAVIS_PULL_REQUEST_SHA} {TRAVIS_COMMIT}", "{TRAVIS_PULL_REQUEST_BRANCH} {TRAVIS_BRANCH}",
     "{TRAVIS_JOB_WEB_URL}", "", "{TRAVIS_EVENT_TYPE}"),
    ("APPVEYOR", "appveyor", "{APPVEYOR_REPO_COMMIT}", "{APPVEYOR_REPO_BRANCH}",
     "{APPVEYOR_URL}/project/{APPVEYOR_ACCOUNT_NAME}/{APPVEYOR_PROJECT_SLUG}/builds/{APPVEYOR_BUILD_ID}",
     "{APPVEYOR_REPO_COMMIT_AUTHOR}", ""),
    ("TEAMCITY_VERSION", "teamcity", "{BUILD_VCS_NUMBER}", "", "{BUILD_URL}", "", ""),
    ("CI_SYSTEM_NAME", "woodpecker", "{CI_COMMIT_SHA}", "{CI_COMMIT_SOURCE_BRANCH} {CI_COMMIT_BRANCH}",
     "{CI_PIPELINE_URL}", "{CI_COMMIT_AUTHOR}", "{CI_PIPELINE_EVENT}"),
    ("DRONE", "drone", "{DRONE_COMMIT_SHA}", "{DRONE_SOURCE_BRANCH} {DRONE_BRANCH}", "{DRONE_BUILD_LINK}",
     "{DRONE_COMMIT_AUTHOR}", "{DRONE_BUILD_EVENT}"),
    # Last, because other systems are at times started from within a Jenkins job.
    ("JENKINS_URL", "jenkins", "{GIT_COMMIT}", "{CHANGE_BRANCH} {BRANCH_NAME} {GIT_BRANCH}", "{BUILD_URL}",
     "{BUILD_USER_ID}", ""),
)


def _fill(templates, environ):
    """The first of the space-separated templates whose variables are all set, filled in."""
    for template in templates.split(" "):
        try:
            value = template.format_map({key: text for key, text in environ.items() if text})
        except (KeyError, ValueError):
            continue
        if value:
            return value
    return None


def _ci_facts(environ):
    """Commit, branch, job address, person and trigger as the CI system tells them."""
    for flag, system, commit, branch, url, user, trigger in _CI_SYSTEMS:
        if environ.get(flag):
            facts = {"commit": _fill(commit, environ), "branch": _fill(branch, environ), "url": _fill(url, environ),
                     "user": _fill(user, environ), "trigger": _fill(trigger, environ) or system}
            for prefix in ("refs/heads/", "origin/"):
                if facts["branch"] and facts["branch"].startswith(prefix):
                    facts["branch"] = facts["branch"][len(prefix):]
            return facts
    return {}


def _read_line(*parts):
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""


def _git_root(start):
    folder = os.path.abspath(start)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _git_head(root):
    """Commit and branch read from the files in `.git`: starting `git` would cost the run more than all the rest."""
    folder = os.path.join(root, ".git")
    if os.path.isfile(folder):
        # A worktree or a submodule: the file points at the real folder.
        folder = os.path.join(root, _read_line(folder).partition("gitdir:")[2].strip())
    head = _read_line(folder, "HEAD")
    if not head.startswith("ref:"):
        return head or None, None
    ref = head[4:].strip()
    branch = ref[len("refs/heads/"):] if ref.startswith("refs/heads/") else ref
    common = os.path.join(folder, _read_line(folder, "commondir") or ".")
    for place in (folder, common):
        commit = _read_line(place, *ref.split("/"))
        if commit:
            return commit, branch
    try:
        with open(os.path.join(common, "packed-refs"), encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.rstrip().endswith(" " + ref):
                    return line.split(" ", 1)[0], branch
    except OSError:
        pass
    return None, branch


def _cache_folder(environ):
    if os.name == "nt":
        base = environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "holter", "spool")


def _host_name(environ):
    name = os.uname().nodename if hasattr(os, "uname") else environ.get("COMPUTERNAME")
    return name or "unknown"


def holter_number(text, kind, default):
    """The text as a number, or the default where it is none."""
    try:
        return kind(text)
    except (TypeError, ValueError):
        return default


class HolterConfig:
    """The settings: what was given to the listener wins over the environment. Without a URL it is not enabled."""

    def __init__(self, given=None, environ=None):
        environ = os.environ if environ is None else environ
        given = given or {}

        def pick(key):
            return given.get(key) or environ.get("HOLTER_" + key.upper()) or None

        self.url = self._clean_url(pick("url"))
        self.enabled = bool(self.url)
        self.debug = str(pick("debug") or "").lower() in ("1", "true", "yes", "on")
        if not self.enabled:
            return
        self.token = "".join(c for c in pick("token") or "" if 32 < ord(c) < 127)
        self.setup = (pick("setup") or _host_name(environ))[:200]
        self.project = pick("project")
        self.run_is_given = bool(pick("run"))
        self.run = (pick("run") or "%s-%s-%s" % (
            self.setup[:150], time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), os.urandom(4).hex()))[:200]
        self.commit = pick("commit")
        self.branch = pick("branch")
        self.spool_dir = pick("spool_dir") or _cache_folder(environ)
        self.spool_limit = holter_number(pick("spool_limit"), int, _SPOOL_LIMIT)
        self.exit_wait = min(max(holter_number(pick("exit_wait"), float, 1.0), 0.0), 60.0)
        self.shard = holter_number(pick("shard"), int, None)
        self.shards = holter_number(pick("shards"), int, None)
        self.folder = os.getcwd()
        self._environ = dict(environ)
        self._root = False
        self._relative = {}

    @staticmethod
    def _clean_url(url):
        if not url:
            return None
        url = url.strip().rstrip("/")
        return url if "://" in url else "http://" + url

    def shard_or_own(self):
        """The shard's number; where a run key is shared, one of this process's own tells the shards apart."""
        if self.shard is None and self.run_is_given:
            self.shard = 1 + int.from_bytes(os.urandom(4), "big") % 0x7FFFFFFE
        return self.shard

    def relative(self, path):
        """A source path as the repository knows it: the same on every machine, and without anyone's home folder."""
        known = self._relative.get(path)
        if known is None:
            known = self._relative[path] = self._make_relative(path)
        return known

    def _make_relative(self, path):
        path = os.path.join(self.folder, str(path))
        if self._root is False:
            self._root = _git_root(self.folder) or _git_root(os.path.dirname(path)) or self.folder
        if path.startswith(self._root + os.sep):
            path = path[len(self._root) + 1:]
        return path.replace(os.sep, "/")

    def run_started(self, item):
        """The event that opens the run. Reads files, so it is built on the sender's thread."""
        _, _, name, framework, total_tests, source = item
        facts = {key: text for key, text in _ci_facts(self._environ).items() if text}
        root = _git_root(self.folder) or (source and _git_root(os.path.dirname(str(source))))
        commit, branch = _git_head(root) if root else (None, None)
        for key, text in (("commit", commit), ("branch", branch)):
            if text:
                facts.setdefault(key, text)
        facts.update((key, text) for key, text in (("commit", self.commit), ("branch", self.branch)) if text)
        if "user" not in facts:
            facts["user"] = next((self._environ[k] for k in ("LOGNAME", "USER", "USERNAME") if self._environ.get(k)), None)
        event = {"type": "run.started", "name": name, "framework": framework, "total_tests": total_tests}
        event.update(facts)
        event.update(shard=self.shard, shards=self.shards)
        return {key: value for key, value in event.items() if value is not None}


class HolterScripts:
    """Reads the text of test files for a plan, within a limit a file and one a plan, so that the plan fits a batch."""

    def __init__(self):
        self._left = _SCRIPTS_LIMIT

    def read(self, path):
        try:
            with open(str(path), "rb") as file:
                text = file.read(min(_SCRIPT_LIMIT, self._left))
        except (OSError, ValueError):
            return None
        self._left -= len(text)
        return text.decode("utf-8", "replace") or None


def holter_clip(text, limit=_TEXT_LIMIT):
    """The text, cut to what the server keeps."""
    if not isinstance(text, str):
        text = str(text)
    if len(text) * 4 > limit:
        text = text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
    return text
