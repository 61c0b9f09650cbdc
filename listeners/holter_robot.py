"""Robot Framework listener that tells a Holter server live what runs: `robot --listener holter_robot.py`.

Robot Framework 4 to 7, Python 3.8 and later, nothing else. Settings come from the environment or follow the name:
`holter_robot.py:url=http://localhost:8080:setup=bench-1`. Without a URL it does nothing.

The hooks run on Robot's thread between the keywords, so they only note what happened. Everything that
can wait (reading tags and times, making events, sending) is done on the sender's thread.
"""
import os
import sys
from json.encoder import encode_basestring as _quote
from time import time as _time

# holter_sender: begin
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    from holter_facts import HolterConfig, HolterScripts, holter_clip
    from holter_sender import HOLTER_QUEUE_LIMIT, HolterSender
finally:
    del sys.path[0]
# holter_sender: end

_OPTIONS = ("url", "token", "setup", "project", "run", "commit", "branch", "spool_dir", "exit_wait", "debug",
            "shard", "shards")
_VERDICTS = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}


def _options(pieces):
    """Robot splits the text after the name at each colon (or semicolon); a piece without a key of ours is joined again."""
    options, key = {}, None
    for piece in pieces:
        head, equals, value = piece.partition("=")
        if equals and head.strip().lower() in _OPTIONS:
            key = head.strip().lower()
            options[key] = value
        elif key:
            options[key] += ":" + piece
    return options


def _has(data, which):
    known = getattr(data, "has_" + which, None)
    # Before Robot Framework 5 there is always a keyword object, which is false without a name.
    return bool(getattr(data, which, None)) if known is None else known


def _text(value):
    return value if isinstance(value, str) else str(value)


class _Names:
    """Tells tests of one name in one suite apart: `#2` for a second one, a new attempt for the same one run again."""

    def __init__(self):
        self._lines = {}
        self._repeats = {}

    def identify(self, name, line):
        if name not in self._lines:
            self._lines[name] = line
            return None, 1
        repeats = self._repeats.setdefault(name, [[self._lines[name], 1]])
        for number, entry in enumerate(repeats, 1):
            if line and entry[0] == line:
                entry[1] += 1
                return "#%d" % number if number > 1 else None, entry[1]
        repeats.append([line, 1])
        return "#%d" % len(repeats), 1


class _Frame:
    """A suite that runs."""

    def __init__(self, data, path):
        self.path = path
        self.source = data.source
        # The beginnings of the JSON text of its tests' events, and their source; made on the sender's thread.
        self.started = self.finished = self.source_json = None
        self.names = _Names()
        self.left = len(data.tests) + len(data.suites)
        self.is_in_tests = False
        self.has_teardown = _has(data, "teardown")
        self.verdict = "skipped"
        # What was said about each test, in the order of the result's tests and suites.
        self.told = []
        self.suites = []

    def add(self, verdict):
        if verdict == "failed" or self.verdict == "skipped":
            self.verdict = verdict


# Makers of events from what the hooks noted; these run on the sender's thread.

def _planned(item):
    _, _, config, tree = item
    scripts = HolterScripts()

    def shape(suite):
        name, source, tests, suites = suite
        shaped = {"name": name, "tests": tests}
        if source:
            shaped["source"] = config.relative(source)
            is_folder = os.path.isdir(source)
            shaped["script"] = scripts.read(os.path.join(source, "__init__.robot") if is_folder else source)
        if suites:
            shaped["suites"] = [shape(child) for child in suites]
        return {key: value for key, value in shaped.items() if value is not None}

    return {"type": "run.planned", "plan": {"suites": [shape(tree)]}}


def _suite_started(item):
    _, _, config, path, total, source = item
    event = {"type": "suite.started", "suite": path, "total_tests": total}
    if source:
        event["source"] = config.relative(source)
    return event


def _suite_finished(item):
    _, _, path, verdict, message = item
    event = {"type": "suite.finished", "suite": path, "verdict": verdict}
    if message:
        event["message"] = holter_clip(message)
    return event


def _phase(item):
    return {"type": "suite.phase", "suite": item[2], "phase": item[3]}


def _identity(frame, told):
    """A test's name and attempt as JSON text, to follow the beginning that its suite gives."""
    if frame.finished is None:
        suite = '"suite":[%s],"test":' % ",".join(map(_quote, frame.path))
        frame.started = '"type":"test.started",' + suite
        frame.finished = '"type":"test.finished",' + suite
    name, parameters, attempt = told[:3]
    if parameters is None:
        text = f'{_quote(name)},"attempt":{attempt}'
    else:
        text = f'{_quote(name)},"parameters":{_quote(parameters)},"attempt":{attempt}'
    told[5] = text
    return text


def _test_started(item):
    _, _, config, frame, told, data = item
    if frame.source_json is None:
        frame.source_json = frame.source and ',"source":' + _quote(config.relative(frame.source)) or ""
    # First, because it also makes what the suite gives.
    identity = _identity(frame, told)
    line, tags = data.lineno, data.tags
    text = f'{frame.started}{identity}{frame.source_json}'
    if line:
        text = f'{text},"line":{line}'
    if tags:
        tags = [str(tag) for tag in tags]
        text += ',"tags":[%s]' % ",".join(map(_quote, tags))
        owner = next((tag[6:].strip() for tag in tags if tag[:6].lower() == "owner:"), None)
        if owner:
            text += ',"owner":' + _quote(owner)
    return text


def _test_finished(item):
    _, _, frame, told, status, message, result = item
    try:
        elapsed = result.elapsed_time.total_seconds() * 1000 + 0.5
    except AttributeError:
        # Before Robot Framework 7.
        elapsed = result.elapsedtime
    identity = told[5] or _identity(frame, told)
    text = (f'{frame.finished}{identity},"verdict":"{_VERDICTS.get(status, "unknown")}"'
            f',"duration_ms":{int(elapsed) if elapsed > 0 else 0}')
    return text + ',"message":' + _quote(holter_clip(message)) if message else text


def _log(item):
    _, _, path, test, level, message = item
    event = {"type": "log", "level": level.lower(), "message": holter_clip(message)}
    if path:
        event["suite"] = path
    if test:
        event["test"] = test
    return event


class holter_robot:
    """The listener. Robot Framework looks for a class with the name of the file."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, *pieces):
        # Both are None while there is nobody to tell.
        self._put = self._queue = None
        self._frame = None
        self._stack = []
        self._test_name = None
        self._is_stopped = False
        self._sender = None
        self._config = None
        self._pieces = pieces

    def start_suite(self, data, result):
        try:
            if self._frame is None and not self._stack:
                self._open(data)
            if self._put is None:
                return
            parent = self._frame
            path = parent.path + [_text(data.name)] if parent else [_text(data.name)]
            self._stack.append(parent)
            self._frame = frame = _Frame(data, path)
            if parent:
                parent.suites.append(frame)
                self._enter_tests(parent)
            self._put(_suite_started, self._config, path, data.test_count, data.source)
            if _has(data, "setup"):
                self._put(_phase, path, "setup")
        except Exception as error:
            self._give_up(error)

    def start_test(self, data, result):
        queue = self._queue
        if queue is None:
            return
        try:
            frame = self._frame
            if not frame.is_in_tests:
                self._enter_tests(frame)
            self._test_name = name = data.name
            parameters, attempt = frame.names.identify(name, data.lineno)
            told = [name, parameters, attempt, None, None, None]
            frame.told.append(told)
            queue.append((_time(), _test_started, self._config, frame, told, data))
            if len(queue) >= HOLTER_QUEUE_LIMIT:
                self._sender.overflow()
        except Exception as error:
            self._give_up(error)

    def end_test(self, data, result):
        queue = self._queue
        if queue is None:
            return
        try:
            frame = self._frame
            told = frame.told[-1]
            told[3] = status = result.status
            told[4] = message = result.message
            self._test_name = None
            queue.append((_time(), _test_finished, frame, told, status, message, result))
            frame.add(_VERDICTS.get(status, "unknown"))
            frame.left -= 1
            if not frame.left and frame.has_teardown:
                self._put(_phase, frame.path, "teardown")
        except Exception as error:
            self._give_up(error)

    def end_suite(self, data, result):
        if self._put is None:
            return
        try:
            frame = self._frame
            message = result.message
            if message:
                # A broken setup or teardown; otherwise the tests say it all, and asking Robot would count them again.
                frame.verdict = _VERDICTS.get(result.status, "unknown")
                if frame.has_teardown:
                    self._tell_again(frame, result)
            self._put(_suite_finished, frame.path, frame.verdict, message)
            self._frame = parent = self._stack.pop()
            if parent:
                parent.add(frame.verdict)
                parent.left -= 1
                if not parent.left and parent.has_teardown:
                    self._put(_phase, parent.path, "teardown")
            else:
                # Robot forgets its signals before it closes its listeners.
                self._is_stopped = self._was_stopped()
        except Exception as error:
            self._give_up(error)

    def log_message(self, message):
        if self._put is None or message.level not in ("WARN", "ERROR"):
            return
        try:
            self._put(_log, self._frame and self._frame.path, self._test_name, message.level, message.message)
        except Exception as error:
            self._give_up(error)

    def close(self):
        try:
            if self._sender is None:
                return
            if self._put is not None:
                self._sender.put_fields(self._run_finished(self._is_stopped))
                self._sender.run_is_open(False)
            self._put = self._queue = None
            self._sender.close()
        except Exception as error:
            self._give_up(error)

    def _open(self, data):
        self._config = config = HolterConfig(_options(self._pieces))
        if not config.enabled:
            return
        from robot.running.context import EXECUTION_CONTEXTS
        from robot.version import VERSION
        context = EXECUTION_CONTEXTS.current
        index = self._pabot_index(context)
        if config.shard is None and index is not None:
            config.shard = index + 1
        config.shard_or_own()
        self._sender = sender = HolterSender(config)
        source = data.source and str(data.source)
        sender.put(_planned, config, self._tree(data))
        if context is not None and context.dry_run:
            return
        self._put, self._queue = sender.put, sender.queue
        sender.put(config.run_started, _text(data.name), "robot " + VERSION, data.test_count, source)
        sender.run_is_open(True, at_exit=self._run_finished(True))

    @staticmethod
    def _pabot_index(context):
        try:
            return int(context.variables["${PABOTQUEUEINDEX}"])
        except Exception:
            return None

    def _run_finished(self, is_aborted):
        event = {"type": "run.finished"}
        if is_aborted:
            event["aborted"] = True
        if self._config.shard is not None:
            event["shard"] = self._config.shard
        return event

    def _tree(self, data):
        names, tests = _Names(), []
        for test in data.tests:
            name = test.name
            parameters, attempt = names.identify(name, test.lineno)
            if attempt == 1:
                tests.append({"name": name, "parameters": parameters} if parameters else {"name": name})
        return (_text(data.name), data.source and str(data.source), tests, [self._tree(suite) for suite in data.suites])

    def _enter_tests(self, frame):
        if not frame.is_in_tests:
            frame.is_in_tests = True
            self._put(_phase, frame.path, "tests")

    def _tell_again(self, frame, result):
        """A suite's teardown changes what its tests came to, after they have ended; the last word counts."""
        tests = list(result.tests)
        if len(tests) == len(frame.told):
            for told, test in zip(frame.told, tests):
                if test.status != told[3] or test.message != told[4]:
                    told[3], told[4] = test.status, test.message
                    self._put(_test_finished, frame, told, test.status, test.message, test)
        for child, child_result in zip(frame.suites, result.suites):
            self._tell_again(child, child_result)

    @staticmethod
    def _was_stopped():
        try:
            from robot.running.signalhandler import STOP_SIGNAL_MONITOR
            return getattr(STOP_SIGNAL_MONITOR, "_signal_count", 0) > 0
        except Exception:
            return False

    def _give_up(self, error):
        """A mistake of ours must not become an error in somebody's log."""
        self._put = self._queue = None
        if self._sender is not None:
            self._sender.debug("listener: %r" % (error,))
