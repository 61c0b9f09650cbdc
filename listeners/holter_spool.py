"""Events as lines of text, and the lines that wait on disk for a server that is away.

Fates, one for each bound:
- The spool is full: its oldest files are deleted until the new events fit.
- An event is larger than the server takes at once: it is dropped.
- The process is killed in the middle of a line: that line is left out, those before it are sent.

The server hands out each listener as one file with this text pasted into it, see holter_facts.py.
"""
import json
import os
import time

try:
    import fcntl as _fcntl
except ImportError:
    _fcntl = None

# holter_import: begin
from holter_facts import holter_number
# holter_import: end

_MAX_EVENTS = 10000
# A little under the server's 8 MiB, so that a rounding in between cannot tip a batch over.
_MAX_BYTES = 8 * 1024 * 1024 - 65536


class HolterEncoder:
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
        # UUIDs that only count up in their last part: as unique as random ones, and much cheaper. The count is
        # decimal and starts with all its twelve digits, so that no padding is needed.
        h = os.urandom(8).hex()
        self._head = '{"id":"%s-%s-4%s-a%s-' % (h[:8], h[8:12], h[12:15], os.urandom(2).hex()[:3])
        self._count = 10 ** 11 + int.from_bytes(os.urandom(8), "big") % (8 * 10 ** 11)
        self._of_setup = 'Z",' + encode(base)[1:-1] + ","
        self._of_run = self._of_setup + '"run":' + encode(config.run) + ","
        self._second = (0, "")

    def lines(self, items, debug):
        lines = []
        add = lines.append
        head, of_run, of_setup = self._head, self._of_run, self._of_setup
        # The second before the current one, so that the microseconds since then have a fixed number of digits.
        base, moment = self._second
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
            since = item[0] - base
            if not 1 <= since < 2:
                base = int(item[0]) - 1
                since = item[0] - base
                moment = '","at":"%s.' % _seconds(base + 1)
            count += 1
            # The fields begin with the type; a setup's events belong to no run.
            add(f'{head}{count}{moment}{str(int(since * 1000000))[1:]}'
                f'{of_run if fields[8:14] != "setup." else of_setup}{fields}}}')
        self._second, self._count = (base, moment), count
        if not lines:
            return []
        text = "\n".join(lines)
        # Looking for one character is many times faster, and mostly there is none.
        if "\\" in text and "\\u0000" in text:
            # Stores built on C strings refuse NUL; the picture of one keeps the message readable.
            text = self._without_nul(text)
        # Half a surrogate pair is not UTF-8 and would make the server refuse the whole batch.
        lines = text.encode("utf-8", "replace").split(b"\n")
        if max(map(len, lines)) > _MAX_BYTES:
            debug("an event is too large and is dropped")
            lines = [line for line in lines if len(line) <= _MAX_BYTES]
        return lines

    @staticmethod
    def _without_nul(text):
        # A backslash before it may itself be escaped, then it is text that only looks like a NUL.
        return "\\\\".join(part.replace("\\u0000", "\u2400") for part in text.split("\\\\"))


def _seconds(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def holter_now():
    at = time.time()
    return "%s.%06dZ" % (_seconds(at), at % 1 * 1000000)


def holter_batches(lines):
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


class HolterSpool:
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
        offset = holter_number(rest.split(".")[0], int, 0)
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
