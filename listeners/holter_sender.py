"""What the Robot Framework and the pytest listener share: a queue, one thread, a connection, an end.

The framework's thread only appends a small tuple to a queue. A daemon thread turns tuples into
events, sends them in batches, and writes to disk what the server did not take. Nothing here may
slow, fail or change a test run, so every entry point swallows its errors and every wait is bounded.

Fates, one for each bound:
- The queue is full (the thread is stuck): the caller writes the queue to the spool itself.
- The server refuses an event for good: it is dropped. It refuses the token: everything is spooled.
- The process is killed: what was queued within the last moments is lost, the spool is not.

The server hands out each listener as one file with this text pasted into it, see holter_facts.py.
"""
import atexit
import collections
import os
import sys
import threading
import time

# holter_import: begin
from holter_facts import holter_number
from holter_spool import HolterEncoder, HolterSpool, holter_batches, holter_now
from holter_wire import HOLTER_AWAY, HOLTER_SENT, HOLTER_SPLIT, HOLTER_STOP, HolterServer, holter_verdict
# holter_import: end

HOLTER_QUEUE_LIMIT = 20000
_HEARTBEAT_EVERY = 15.0
_ANSWER_WITHIN = 10.0
_RETRY_AT_MOST = 30.0
# Short enough for a live screen, long enough that the thread does not fight for the interpreter lock.
_TICK = 0.05
# From so many events a tick on nobody can follow each one, and every batch has its price: wake up less often.
_BUSY_FROM = 20
_BUSY_TICK = 0.25
# The rest of the wait at the end is left for writing the spool.
_NETWORK_SHARE = 0.8


def _given(item):
    return item[2]


class HolterSender:
    """The queue and the thread that empties it."""

    def __init__(self, config):
        self.config = config
        self.queue = collections.deque()
        self._encoder = HolterEncoder(config)
        self._spool = HolterSpool(config, self.debug)
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
        return self._encoder.lines(items, self.debug) if items else []

    # The thread.

    def _work(self):
        try:
            self._server = HolterServer(self.config)
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
        return len(lines) > _BUSY_FROM

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
        parts = holter_batches(lines)
        while parts:
            part = parts.pop(0)
            verdict = self._post(part)
            if verdict is HOLTER_STOP and is_backlog:
                verdict = HOLTER_AWAY
            if verdict is HOLTER_SPLIT and len(part) > 1:
                half = len(part) // 2
                parts[:0] = [part[:half], part[half:]]
            elif verdict is HOLTER_AWAY or verdict is HOLTER_STOP:
                self._is_stopped = self._is_stopped or verdict is HOLTER_STOP
                return part + [line for other in parts for line in other]
        return []

    def _post(self, lines):
        within = self._within()
        if not within:
            return HOLTER_AWAY
        try:
            status, retry_after, text = self._server.post(
                b"\n".join(lines) + b"\n", holter_now(), within)
        except Exception as error:
            self.debug("server is away: %r" % (error,))
            self._was_slow = "timed out" in str(error)
            self._back_off(None)
            return HOLTER_AWAY
        if status == 415 and self._server.packs:
            self._server.packs = False
            return self._post(lines)
        verdict = holter_verdict(status)
        if verdict is HOLTER_AWAY:
            self._was_slow = retry_after is not None
            self._back_off(retry_after)
        else:
            self._failures, self._was_slow = 0, False
        if verdict is HOLTER_STOP:
            self.debug("the server does not take what is sent; it is kept in %s until that is put right"
                       % self.config.spool_dir)
        if verdict is not HOLTER_SENT or b'"rejected":[]' not in text:
            self.debug("%d events, answer %d: %s" % (len(lines), status, text[:500].decode("utf-8", "replace")))
        return verdict

    def _back_off(self, retry_after):
        self._failures += 1
        pause = min(0.5 * 2 ** min(self._failures - 1, 10), _RETRY_AT_MOST)
        if retry_after:
            pause = holter_number(retry_after, float, None)
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
