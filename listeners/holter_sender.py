"""What the Robot Framework and the pytest listener share: settings, a queue, one thread, a spool.

The framework's thread only appends a small tuple to a queue. A daemon thread turns tuples into
events, sends them in batches, and writes to disk what the server did not take. Nothing here may
slow, fail or change a test run, so every entry point swallows its errors and every wait is bounded.

Fates, one for each bound:
- The queue is full (the thread is stuck): the caller writes the queue to the spool itself.
- The spool is full: its oldest files are deleted until the new events fit.
- The server refuses an event for good: it is dropped. It refuses the token: everything is spooled.
- The process is killed: what was queued within the last moments is lost, the spool is not.

The server hands out each listener as one file with this text pasted into it, so top-level names
must not clash with those of the listeners.
"""
import atexit
import collections
import json
import os
import sys
import threading
import time

try:
    import fcntl as _fcntl
except ImportError:
    _fcntl = None

HOLTER_VERSION = "1.0.0"

_MAX_EVENTS = 10000
# A little under the server's 8 MiB, so that a rounding in between cannot tip a batch over.
_MAX_BYTES = 8 * 1024 * 1024 - 65536
HOLTER_QUEUE_LIMIT = 20000
_SPOOL_LIMIT = 64 * 1024 * 1024
_TEXT_LIMIT = 64 * 1024
_SCRIPT_LIMIT = 256 * 1024
_SCRIPTS_LIMIT = 4 * 1024 * 1024
_HEARTBEAT_EVERY = 15.0
_ANSWER_WITHIN = 10.0
_RETRY_AT_MOST = 30.0
# Short enough for a live screen, long enough that the thread does not fight for the interpreter lock.
_TICK = 0.05
_BUSY_TICK = 0.25
# The rest of the wait at the end is left for writing the spool.
_NETWORK_SHARE = 0.8

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


def _number(text, kind, default):
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
        self.spool_limit = _number(pick("spool_limit"), int, _SPOOL_LIMIT)
        self.exit_wait = min(max(_number(pick("exit_wait"), float, 1.0), 0.0), 60.0)
        self.shard = _number(pick("shard"), int, None)
        self.shards = _number(pick("shards"), int, None)
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


class _Encoder:
    """Turns queued tuples into NDJSON lines.

    Works on text: thousands of dictionaries at once would set off the garbage collector, which then walks
    all that the test framework holds.
    """

    def __init__(self, config):
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
        self._encode = encode
        base = {"setup": config.setup}
        if config.project:
            base["project"] = config.project
        # UUIDs that only count up in their last part: as unique as random ones, and much cheaper.
        h = os.urandom(8).hex()
        self._id = "%s-%s-4%s-a%s-" % (h[:8], h[8:12], h[12:15], os.urandom(2).hex()[:3])
        self._count = int.from_bytes(os.urandom(5), "big")
        self._of_setup = encode(base)[1:-1] + ","
        self._of_run = self._of_setup + '"run":' + encode(config.run) + ","
        self._second = (0, "")

    def lines(self, items, debug):
        lines = []
        add = lines.append
        of_run = self._of_run
        second, moment = self._second
        count = self._count
        for item in items:
            try:
                fields = item[1](item)
                if fields.__class__ is not str:
                    if fields is None:
                        continue
                    fields = self._encode(fields)[1:-1]
            except Exception as error:
                debug("event not built: %r" % (error,))
                continue
            at = item[0]
            if not 0 <= at - second < 1:
                second = int(at)
                moment = '","at":"%s.' % _seconds(second)
            count += 1
            # The fields begin with the type; a setup's events belong to no run.
            add('{"id":"%s%012x%s%06dZ",%s%s}' % (
                self._id, count, moment, (at - second) * 1000000,
                of_run if fields[8:14] != "setup." else self._of_setup, fields))
        self._second, self._count = (second, moment), count
        if not lines:
            return []
        text = "\n".join(lines)
        if "\\u0000" in text:
            # Stores built on C strings refuse NUL; the picture of one keeps the message readable.
            text = self._without_nul(text)
        # Half a surrogate pair is not UTF-8 and would make the server refuse the whole batch.
        return text.encode("utf-8", "replace").split(b"\n")

    @staticmethod
    def _without_nul(text):
        # A backslash before it may itself be escaped, then it is text that only looks like a NUL.
        return "\\\\".join(part.replace("\\u0000", "\u2400") for part in text.split("\\\\"))


def _seconds(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def _now():
    at = time.time()
    return "%s.%06dZ" % (_seconds(at), at % 1 * 1000000)


class _Spool:
    """Events on disk, for later. One file a process; any process may claim a file that nobody holds.

    `STAMP-PID-CHANCE.live` is being written, `….OFFSET.ndjson` waits, `….OFFSET.claim` is being sent from OFFSET on.
    A claim is a rename, which only one process can win; the lock tells a living owner from a dead one.
    """

    def __init__(self, config, debug):
        self._place = (config.spool_dir, config.url, config.setup)
        self._limit = config.spool_limit
        self._segment = max(config.spool_limit // 8, 1)
        self._debug = debug
        self._folder = None
        self._live = self._path = None
        self._size = 0
        self.claimed = None

    @property
    def folder(self):
        if self._folder is None:
            import hashlib
            root, url, setup = self._place
            key = hashlib.sha256(("%s\n%s" % (url, setup)).encode("utf-8", "replace")).hexdigest()[:16]
            self._folder = os.path.join(root, key)
        return self._folder

    def write(self, lines):
        lines = [line for line in lines if b'"type":"setup.heartbeat"' not in line]
        if not lines:
            return
        data = b"\n".join(lines) + b"\n"
        try:
            if self._live is None:
                self._open(len(data))
            self._live.write(data)
            self._size += len(data)
            if self._size >= self._segment:
                self.rotate()
        except OSError as error:
            self._debug("%d events lost, spool: %s" % (len(lines), error))

    def _open(self, coming):
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self._make_room(max(coming, self._segment))
        name = "%017d-%d-%s.live" % (time.time() * 1000000, os.getpid(), os.urandom(4).hex())
        self._path = os.path.join(self.folder, name)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._live = os.fdopen(handle, "ab", buffering=0)
        self._lock(self._live)
        self._size = 0

    def _make_room(self, coming):
        sizes = {}
        for name in self._names(".ndjson", ".live", ".claim"):
            try:
                sizes[name] = os.path.getsize(os.path.join(self.folder, name))
            except OSError:
                continue
        total = sum(sizes.values())
        for name in sorted(sizes):
            if total + coming <= self._limit:
                return
            if name.endswith(".ndjson"):
                self._debug("spool is full, deleting %s" % name)
                self._quietly(os.unlink, os.path.join(self.folder, name))
                total -= sizes[name]

    def _names(self, *endings):
        try:
            return sorted(name for name in os.listdir(self.folder) if name.endswith(endings))
        except OSError:
            return []

    def rotate(self):
        """Ends the live file, so that it can be claimed."""
        live, self._live = self._live, None
        if live is None:
            return
        self._hand_back(live, self._path, self._path[:-len(".live")] + ".0.ndjson")

    def _hand_back(self, handle, path, new_path):
        # Where locks exist the rename comes first, so that nobody sees an unlocked file under the old name;
        # elsewhere an open file cannot be renamed.
        if _fcntl is None:
            handle.close()
        self._quietly(os.rename, path, new_path)
        handle.close()

    def claim(self):
        """Claims the oldest file that nobody holds, if there is one."""
        for name in self._names(".ndjson", ".live", ".claim"):
            path = os.path.join(self.folder, name)
            if self._live is not None and path == self._path:
                continue
            try:
                claimed = self._try_claim(path, name)
            except OSError:
                continue
            if claimed:
                self.claimed = claimed
                return True
        return False

    def _try_claim(self, path, name):
        base, _, rest = name.partition(".")
        offset = _number(rest.split(".")[0], int, 0)
        target = os.path.join(self.folder, "%s.%d.claim" % (base, offset))
        if _fcntl is None:
            if not name.endswith(".ndjson") and time.time() - os.path.getmtime(path) < 3600:
                return None
            os.rename(path, target)
            return _Claim(open(target, "rb"), target, offset)
        handle = open(path, "rb")
        try:
            if not self._lock(handle):
                handle.close()
                return None
            # Whoever held the lock may have renamed the file since it was opened: then this rename fails.
            os.rename(path, target)
        except OSError:
            handle.close()
            raise
        return _Claim(handle, target, offset)

    @staticmethod
    def _lock(handle):
        if _fcntl is None:
            return True
        try:
            _fcntl.flock(handle, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
            return True
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            # A file system without locks: the rename alone decides.
            return True

    def release(self):
        """Gives the claimed file up: deletes it when all of it is sent, else marks how far it is sent."""
        claim, self.claimed = self.claimed, None
        if claim is None:
            return
        if claim.is_sent:
            claim.handle.close()
            self._quietly(os.unlink, claim.path)
        else:
            base = claim.path[:-len(".claim")].rpartition(".")[0]
            self._hand_back(claim.handle, claim.path, "%s.%d.ndjson" % (base, claim.offset))

    def _quietly(self, action, *args):
        try:
            action(*args)
        except OSError as error:
            self._debug("spool: %s" % error)

    def forget(self):
        """After a fork the files belong to the parent: the copies are closed, nothing is renamed."""
        for handle in (self._live, self.claimed and self.claimed.handle):
            if handle:
                handle.close()
        self._live = self.claimed = None


class _Claim:
    """A spool file that this process sends."""

    def __init__(self, handle, path, offset):
        self.handle, self.path, self.offset = handle, path, offset
        self.is_sent = False

    def read(self):
        """The next lines, and where they end. A last line without its end was cut off by a crash and is left out."""
        self.handle.seek(self.offset)
        lines, end = [], self.offset
        size = 0
        for line in self.handle:
            if not line.endswith(b"\n") or len(lines) >= 2000 or (lines and size + len(line) > 2 * 1024 * 1024):
                break
            end += len(line)
            size += len(line)
            lines.append(line[:-1])
        return lines, end


class _Server:
    """The connection to the server, kept open from batch to batch."""

    def __init__(self, config):
        from urllib.parse import quote, urlsplit
        parts = urlsplit(config.url)
        self._is_tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        if parts.scheme not in ("http", "https") or not self._host:
            raise ValueError("HOLTER_URL is not an http address")
        self._port_or_usual = self._port or (443 if self._is_tls else 80)
        host = "[%s]" % self._host if ":" in self._host else self._host
        lines = ["POST %s/api/v1/events HTTP/1.1" % quote(parts.path.rstrip("/"), safe="/%"),
                 "Host: %s" % (host if self._port is None else "%s:%d" % (host, self._port)),
                 "User-Agent: holter-listener/" + HOLTER_VERSION, "Content-Type: application/x-ndjson"]
        if config.token:
            lines.append("Authorization: Bearer " + config.token)
        self._head = "\r\n".join(lines) + "\r\n"
        # On one machine packing costs more than it saves.
        self.packs = self._host not in ("127.0.0.1", "localhost", "::1")
        self._socket = None

    def _connect(self, within):
        import socket
        host = self._host
        # As bytes an ASCII name skips the codec for international names, whose tables take milliseconds to load.
        sock = socket.create_connection((host.encode("ascii") if host.isascii() else host, self._port_or_usual), within)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_tls:
            import ssl
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        self._socket = sock
        self._within = within

    def post(self, body, sent_at, within):
        """Status, Retry-After and body of the answer."""
        packing = ""
        if self.packs and len(body) >= 4096:
            import gzip
            body = gzip.compress(body, 1)
            packing = "Content-Encoding: gzip\r\n"
        head = "%s%sHolter-Sent-At: %s\r\nContent-Length: %d\r\n\r\n" % (self._head, packing, sent_at, len(body))
        request = head.encode("ascii", "replace") + body
        for is_kept in (self._socket is not None, False):
            try:
                return self._exchange(request, within)
            except Exception as error:
                self.close()
                # A server may close a connection that was idle; only a fresh one tells whether it is there.
                if not is_kept or "timed out" in str(error):
                    raise

    def _exchange(self, request, within):
        import http.client
        if self._socket is None:
            self._connect(within)
        sock = self._socket
        if within != self._within:
            sock.settimeout(within)
            self._within = within
        # Written in one piece: each call that may wait gives the interpreter lock away and has to win it back.
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock, method="POST")
        try:
            answer.begin()
            text = answer.read()
            if answer.will_close or not answer.isclosed():
                self.close()
            return answer.status, answer.getheader("Retry-After"), text
        finally:
            answer.close()

    def close(self):
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()


_SENT, _DROP, _SPLIT, _AWAY, _STOP = "sent", "drop", "split", "away", "stop"


def _verdict(status):
    """What an answer means for the batch it answers."""
    if 200 <= status < 300:
        return _SENT
    if status in (400, 413):
        # One broken or huge event must not take the others with it.
        return _SPLIT
    if status in (408, 425, 429) or status >= 500:
        return _AWAY
    if status < 400 or status in (401, 403, 404, 405, 407):
        # A wrong address or token: sending on is useless, but nothing is lost until somebody puts it right.
        return _STOP
    return _DROP


def _given(item):
    return item[2]


class HolterSender:
    """The queue and the thread that empties it."""

    def __init__(self, config):
        self.config = config
        self.queue = collections.deque()
        self._encoder = _Encoder(config)
        self._spool = _Spool(config, self.debug)
        self._server = None
        # Guards everything from the queue to the spool: whoever holds it decides what becomes of the events.
        self._lock = threading.Lock()
        self._owed = []
        self._wake = threading.Event()
        self._done = threading.Event()
        self._is_closed = self._is_abandoned = self._is_forked = self._is_stopped = False
        self._was_slow = False
        self._has_backlog = True
        self._deadline = None
        self._retry_at = 0.0
        self._failures = 0
        self._beat_at = None
        self._at_exit = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        atexit.register(self._exit)
        try:
            threading.Thread(target=self._work, name="holter", daemon=True).start()
        except RuntimeError as error:
            self.debug("no thread: %s" % error)
            self._done.set()

    def debug(self, text):
        if self.config.debug:
            try:
                sys.__stderr__.write("holter: %s\n" % text)
                sys.__stderr__.flush()
            except Exception:
                pass

    def put(self, build, *args):
        """Queues an event. `build(item)` makes its fields later, on the sender's thread, from the tuple
        (time, build, *args): a dictionary, or the same as JSON text without the braces."""
        self.queue.append((time.time(), build) + args)
        if len(self.queue) >= HOLTER_QUEUE_LIMIT:
            self.overflow()

    def put_fields(self, fields, at=None):
        self.queue.append((time.time() if at is None else at, _given, fields))

    def run_is_open(self, is_open, at_exit=None):
        """While a run is open the setup gives a sign of life; `at_exit` is what to say if the process just ends."""
        self._beat_at = time.monotonic() + _HEARTBEAT_EVERY if is_open else None
        self._at_exit = at_exit if is_open else None

    def overflow(self):
        if self._is_forked or self._is_closed:
            self.queue.clear()
            return
        # The thread holds the lock only while it turns events into text, never while it waits for the server.
        if self._lock.acquire(timeout=0.5):
            try:
                self._spool.write(self._encode_queue())
                self._has_backlog = True
            except Exception as error:
                self.debug("overflow: %r" % (error,))
            finally:
                self._lock.release()

    def _encode_queue(self, at_most=HOLTER_QUEUE_LIMIT):
        items = []
        try:
            while len(items) < at_most:
                items.append(self.queue.popleft())
        except IndexError:
            pass
        if not items:
            return []
        lines = self._encoder.lines(items, self.debug)
        if max(map(len, lines), default=0) > _MAX_BYTES:
            self.debug("an event is too large and is dropped")
            lines = [line for line in lines if len(line) <= _MAX_BYTES]
        return lines

    # The thread.

    def _work(self):
        try:
            self._server = _Server(self.config)
        except Exception as error:
            self.debug("%s" % error)
            self._is_stopped = True
        while not self._is_closed:
            busy = self._try(self._step)
            if self._is_closed:
                break
            away = self._is_stopped or self._failures
            self._wake.wait(0.25 if away else _BUSY_TICK if busy else _TICK)
        if not self._is_stopped:
            self._try(self._last_steps)
        self._done.set()

    def _try(self, step):
        try:
            return step()
        except Exception as error:
            self.debug("thread: %r" % (error,))
            self._wake.wait(_TICK)

    def _step(self):
        """Sends what is queued, then a piece of what is spooled. Tells whether there was much to do."""
        with self._lock:
            if self._is_abandoned:
                return False
            self._owed += self._encode_queue(2000)
            may_send = not self._is_stopped and time.monotonic() >= self._retry_at
            if self._beat_at is not None and may_send and time.monotonic() >= self._beat_at:
                self._beat_at = time.monotonic() + _HEARTBEAT_EVERY
                self._owed += self._encoder.lines([(time.time(), _given, {"type": "setup.heartbeat"})], self.debug)
            lines = self._owed
        if lines:
            rest = self._deliver(lines) if may_send else lines
            with self._lock:
                if self._is_abandoned:
                    return False
                self._owed = []
                if rest:
                    self._spool.write(rest)
                    self._has_backlog = True
            if rest:
                return False
        if self._has_backlog and may_send and not self._failures:
            self._send_backlog()
        elif self._failures and may_send and not lines:
            self._send_backlog()
        return len(lines) > 100

    def _last_steps(self):
        # A server that was slow or asked for patience will not be better within the second that is left.
        if self._failures and (self._was_slow or not self._within()):
            return
        self._retry_at = 0.0
        while self._within() and not self._is_abandoned:
            self._step()
            if self._failures or self._is_stopped or not (self.queue or self._has_backlog):
                return

    def _within(self):
        """How long an answer may take; 0 when there is no time left."""
        if self._deadline is None:
            return _ANSWER_WITHIN
        return min(max(self._deadline - time.monotonic(), 0.0), _ANSWER_WITHIN)

    def _deliver(self, lines, is_backlog=False):
        """Sends lines and gives back those that are still owed."""
        parts = _batches(lines)
        while parts:
            part = parts.pop(0)
            verdict = self._post(part)
            if verdict is _STOP and is_backlog:
                verdict = _AWAY
            if verdict is _SPLIT and len(part) > 1:
                half = len(part) // 2
                parts[:0] = [part[:half], part[half:]]
            elif verdict is _AWAY or verdict is _STOP:
                self._is_stopped = self._is_stopped or verdict is _STOP
                return part + [line for other in parts for line in other]
        return []

    def _post(self, lines):
        within = self._within()
        if not within:
            return _AWAY
        try:
            status, retry_after, text = self._server.post(
                b"\n".join(lines) + b"\n", _now(), within)
        except Exception as error:
            self.debug("server is away: %r" % (error,))
            self._was_slow = "timed out" in str(error)
            self._back_off(None)
            return _AWAY
        if status == 415 and self._server.packs:
            self._server.packs = False
            return self._post(lines)
        verdict = _verdict(status)
        if verdict is _AWAY:
            self._was_slow = retry_after is not None
            self._back_off(retry_after)
        else:
            self._failures, self._was_slow = 0, False
        if verdict is not _SENT or b'"rejected":[]' not in text:
            self.debug("%d events, answer %d: %s" % (len(lines), status, text[:500].decode("utf-8", "replace")))
        return verdict

    def _back_off(self, retry_after):
        self._failures += 1
        pause = min(0.5 * 2 ** min(self._failures - 1, 10), _RETRY_AT_MOST)
        if retry_after:
            pause = _number(retry_after, float, None)
            if pause is None:
                from email.utils import parsedate_to_datetime
                try:
                    pause = parsedate_to_datetime(retry_after).timestamp() - time.time()
                except (TypeError, ValueError):
                    pause = _RETRY_AT_MOST
            pause = min(max(pause, 0.1), 3600.0)
        self._retry_at = time.monotonic() + pause

    def _send_backlog(self):
        """Sends one piece of the spool, so that live events never wait behind much of it."""
        with self._lock:
            if self._is_abandoned:
                return
            claim = self._spool.claimed
            if claim is None:
                self._spool.rotate()
                self._has_backlog = self._spool.claim()
                claim = self._spool.claimed
            if claim is None:
                self._failures = 0
                return
            lines, end = claim.read()
        rest = self._deliver(lines, is_backlog=True) if lines else []
        with self._lock:
            if self._is_abandoned:
                return
            if not rest:
                claim.offset = end
            claim.is_sent = not lines
            if rest or not lines:
                self._spool.release()
            if rest and not self._failures:
                # Refused for good, but only this file: the run that goes on is not touched.
                self._has_backlog = False

    # The end.

    def close(self):
        """Waits a moment for the thread, then spools what is left. Never raises, never waits longer than set."""
        if self._is_closed or self._is_forked:
            return
        wait = self.config.exit_wait
        self._deadline = time.monotonic() + wait * _NETWORK_SHARE
        self._is_closed = True
        self._wake.set()
        is_locked = False
        try:
            self._done.wait(max(self._deadline - time.monotonic(), 0.0))
            is_locked = self._lock.acquire(timeout=wait * (1 - _NETWORK_SHARE) + 0.01)
        except KeyboardInterrupt:
            # Somebody is in a hurry: no more waiting, but nothing is lost and the exit code stays the run's.
            pass
        try:
            self._is_abandoned = True
            self._spool.write(self._owed + (self._encode_queue(sys.maxsize) if self.queue else []))
            self._spool.rotate()
            self._spool.release()
        except Exception as error:
            self.debug("close: %r" % (error,))
        finally:
            if is_locked:
                self._lock.release()
            atexit.unregister(self._exit)

    def _exit(self):
        if self._at_exit is not None and not self._is_forked and not self._is_closed:
            self.put_fields(self._at_exit)
        self.close()

    def _forked(self):
        """In the child of a fork: the run is the parent's, and so are the thread, the connection and the files."""
        self._is_forked = self._is_closed = True
        self.queue.clear()
        try:
            self._spool.forget()
            if self._server is not None:
                self._server.close()
        except Exception:
            pass


def _batches(lines):
    """The lines in pieces that the server takes."""
    if len(lines) <= _MAX_EVENTS and sum(map(len, lines)) + len(lines) <= _MAX_BYTES:
        return [lines] if lines else []
    parts, size = [[]], 0
    for line in lines:
        if len(parts[-1]) >= _MAX_EVENTS or (parts[-1] and size + len(line) + 1 > _MAX_BYTES):
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line) + 1
    return parts
