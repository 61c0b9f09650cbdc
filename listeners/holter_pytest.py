"""pytest plugin that tells a Holter server live what runs: `pytest -p holter_pytest`, or just `pytest` once installed.

Settings come from the environment or from the `--holter-…` options. Without a URL it does nothing.
Under pytest-xdist only the controller speaks; all it needs is in the node ids and the reports that reach it.
"""
import os
import re

import pytest

# holter_sender: begin
from holter_facts import HolterConfig, HolterScripts, holter_clip
from holter_sender import HolterSender
# holter_sender: end

_OPTIONS = ("url", "token", "setup", "project", "run")
_TIMED_OUT = re.compile(r"Timeout[ (]*>?=?\s*[\d.]+\s*s?\)?(?: from pytest-timeout)?")
_PLAIN_MARKS = frozenset(("parametrize", "usefixtures", "filterwarnings", "skip", "skipif", "xfail", "tryfirst", "trylast"))


def pytest_addoption(parser):
    group = parser.getgroup("holter")
    for name in _OPTIONS:
        group.addoption("--holter-" + name, default=None, metavar=name.upper(), help="overrides HOLTER_" + name.upper())


def pytest_configure(config):
    # A worker of pytest-xdist has no voice of its own.
    if hasattr(config, "workerinput"):
        return
    try:
        given = {name: config.getoption("holter_" + name, None) for name in _OPTIONS}
        settings = HolterConfig(given)
        if settings.enabled:
            config.pluginmanager.register(_Reporter(config, settings), "holter_reporter")
    except Exception:
        return


def _quietly(hook):
    """A mistake of ours must not become an error in somebody's test run."""
    def guarded(self, *args):
        if not self.is_off:
            try:
                hook(self, *args)
            except Exception as error:
                self.is_off = True
                self.sender.debug("plugin: %r" % (error,))
    return guarded


def _split(nodeid):
    """File, classes, function and parameters of a node id. Parameters may hold anything, so they are cut off first."""
    path, colons, rest = nodeid.partition("::")
    if not colons:
        folder, _, name = path.rpartition("/")
        return folder, [], name, None
    rest, bracket, parameters = rest.partition("[")
    *classes, name = rest.split("::")
    return path, classes, name, parameters[:-1] if parameters.endswith("]") else parameters if bracket else None


class _Test:
    """What is known of a test: where it belongs and how its current attempt goes."""

    def __init__(self, suite, name, parameters, file):
        self.suite, self.name, self.parameters, self.file = suite, name, parameters, file
        self.attempt = 0
        self.is_open = self.is_finished = False
        self.tags, self.owner = [], None

    def begin(self):
        self.attempt += 1
        self.is_open = True
        self.verdict, self.reports, self.note, self.seconds = None, [], None, 0.0

    def identity(self, kind):
        event = {"type": kind, "suite": list(self.suite), "test": self.name, "attempt": self.attempt}
        if self.parameters is not None:
            event["parameters"] = self.parameters
        return event


# Makers of events; these run on the sender's thread.

def _planned(item):
    _, _, config, root, files = item
    scripts = HolterScripts()
    tree = {"name": root, "tests": [], "suites": []}
    nodes = {(root,): tree}
    for suite, name, parameters, file, depth in files:
        for end in range(2, len(suite) + 1):
            if suite[:end] not in nodes:
                node = nodes[suite[:end]] = {"name": suite[end - 1], "tests": [], "suites": []}
                nodes[suite[:end - 1]]["suites"].append(node)
                if end == depth:
                    node["source"] = config.relative(file)
                    node["script"] = scripts.read(file) or ""
        test = {"name": name}
        if parameters is not None:
            test["parameters"] = parameters
        nodes[suite]["tests"].append(test)
    return {"type": "run.planned", "plan": {"suites": [tree]}}


def _test_started(item):
    _, _, config, event, file, line = item
    if file:
        event["source"] = config.relative(file)
    if line is not None:
        event["line"] = line + 1
    return event


def _test_finished(item):
    _, _, event, reports, note = item
    messages, traces = [], []
    for report in reports:
        text = getattr(report, "longreprtext", None) or str(report.longrepr or "")
        crash = getattr(report.longrepr, "reprcrash", None)
        messages.append(crash.message if crash is not None else text)
        if crash is not None:
            traces.append(text)
    if note:
        messages.append(note)
    if event["verdict"] == "failed" and any(_TIMED_OUT.match(text.replace("Failed: ", "", 1)) for text in messages):
        event["verdict"] = "timed_out"
    if any(messages):
        event["message"] = holter_clip("\n".join(text for text in messages if text))
    if traces:
        event["trace"] = holter_clip("\n".join(traces))
    return event


def _log(item):
    _, _, suite, report = item
    text = getattr(report, "longreprtext", None) or str(report.longrepr or "")
    return {"type": "log", "level": "error", "suite": suite, "message": holter_clip(text)}


class _Reporter:
    """The plugin proper, there only while somebody listens."""

    def __init__(self, config, settings):
        self.config, self.settings = config, settings
        self.is_off = False
        self.is_run_open = False
        folder = getattr(config, "rootpath", None) or config.rootdir
        self.folder = settings.folder = str(folder)
        self.root = os.path.basename(self.folder) or "root"
        self.drops_group = getattr(config.option, "dist", "no") == "loadgroup"
        settings.shard_or_own()
        self.sender = HolterSender(settings)
        self.tests, self.left, self.failed, self.open_suites = {}, {}, set(), []
        self.planned = None

    def test(self, nodeid):
        test = self.tests.get(nodeid)
        if test is None:
            plain = nodeid.rpartition("@")[0] or nodeid if self.drops_group else nodeid
            path, classes, name, parameters = _split(plain)
            parts = [part for part in path.split("/") if part and part != "."]
            suite = tuple([self.root] + parts + classes)
            test = _Test(suite, name, parameters, os.path.join(self.folder, path) if path else None)
            test.depth = len(parts) + 1
            self.tests[nodeid] = test
        return test

    # The plan.

    @_quietly
    def _collection_finish(self, session):
        # The controller of pytest-xdist collects nothing itself.
        if not self.config.pluginmanager.hasplugin("dsession"):
            for item in session.items:
                test = self.test(item.nodeid)
                test.tags = sorted({mark.name for mark in item.iter_markers()} - _PLAIN_MARKS)
                owner = item.get_closest_marker("owner")
                test.owner = str(owner.args[0]) if owner and owner.args else None
            self._plan([item.nodeid for item in session.items])

    @_quietly
    def _worker_collected(self, ids):
        if self.planned is None:
            self._plan(ids)

    def _plan(self, ids):
        self.planned = len(set(ids))
        tests = [self.test(nodeid) for nodeid in dict.fromkeys(ids)]
        for test in tests:
            for end in range(1, len(test.suite) + 1):
                self.left[test.suite[:end]] = self.left.get(test.suite[:end], 0) + 1
        self.total = dict(self.left)
        self.sender.put(_planned, self.settings, self.root,
                        [(test.suite, test.name, test.parameters, test.file, test.depth) for test in tests])
        if not self.config.option.collectonly:
            self._open_run()

    def _open_run(self):
        if not self.is_run_open:
            self.is_run_open = True
            self.sender.put(self.settings.run_started, self.root, "pytest " + pytest.__version__, self.planned, None)
            self.sender.run_is_open(True, at_exit=self._run_finished(True))

    def _run_finished(self, is_aborted):
        event = {"type": "run.finished"}
        if is_aborted:
            event["aborted"] = True
        if self.settings.shard is not None:
            event["shard"] = self.settings.shard
        return event

    # The tests.

    @_quietly
    def _start(self, nodeid, location):
        test = self.test(nodeid)
        if not test.is_open:
            self._begin(test, location)

    def _begin(self, test, location):
        test.begin()
        for end in range(1, len(test.suite) + 1):
            suite = test.suite[:end]
            if suite not in self.open_suites and self.left.get(suite, 1):
                self.open_suites.append(suite)
                fields = {"type": "suite.started", "suite": list(suite), "total_tests": self.total.get(suite)}
                self.sender.put_fields({key: value for key, value in fields.items() if value is not None})
        event = test.identity("test.started")
        if test.tags:
            event["tags"] = test.tags
        if test.owner:
            event["owner"] = test.owner
        self.sender.put(_test_started, self.settings, event, test.file, location[1])

    @_quietly
    def _report(self, report):
        test = self.test(report.nodeid)
        if not test.is_open:
            # Older pytest-rerunfailures announces only the first attempt; what is left of an ended one is ignored.
            if report.when == "teardown" and test.attempt:
                return
            self._begin(test, report.location)
        test.seconds += getattr(report, "duration", 0.0) or 0.0
        self._judge(test, report)
        if report.outcome == "rerun":
            self._finish(test, is_last=False)
        elif report.when not in ("setup", "call") and not hasattr(report, "context"):
            self._finish(test, is_last=True)

    @staticmethod
    def _judge(test, report):
        if report.outcome in ("failed", "rerun"):
            test.reports.append(report)
            if test.verdict != "failed":
                test.verdict = "failed" if report.when == "call" else "errored"
        elif report.outcome == "skipped":
            if hasattr(report, "context"):
                return
            test.verdict = test.verdict or "skipped"
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr or "")
            if hasattr(report, "wasxfail"):
                reason = ("failed as expected: %s" % report.wasxfail).rstrip(": ")
            test.note = reason[9:] if reason.startswith("Skipped: ") else reason
        elif report.when == "call" and not hasattr(report, "context"):
            test.verdict = test.verdict or "passed"
            if getattr(report, "wasxfail", None) is not None:
                test.note = ("unexpectedly passed: %s" % report.wasxfail).rstrip(": ")

    def _finish(self, test, is_last):
        test.is_open = False
        event = test.identity("test.finished")
        event["verdict"] = test.verdict or "unknown"
        event["duration_ms"] = int(test.seconds * 1000 + 0.5)
        self.sender.put(_test_finished, event, test.reports, test.note)
        if not is_last or test.is_finished:
            return
        test.is_finished = True
        for end in range(len(test.suite), 0, -1):
            suite = test.suite[:end]
            if test.verdict in ("failed", "errored"):
                self.failed.add(suite)
            self.left[suite] = self.left.get(suite, 1) - 1
            if self.left[suite] == 0:
                self._close_suite(suite)

    def _close_suite(self, suite):
        if suite in self.open_suites:
            self.open_suites.remove(suite)
            verdict = "failed" if suite in self.failed else "passed"
            self.sender.put_fields({"type": "suite.finished", "suite": list(suite), "verdict": verdict})

    @_quietly
    def _collect_report(self, report):
        if report.failed:
            self._open_run()
            parts = [part for part in report.nodeid.partition("::")[0].split("/") if part]
            self.sender.put(_log, [self.root] + parts, report)

    # The end.

    @_quietly
    def _session_finish(self, exitstatus):
        if self.config.option.collectonly:
            return
        self._open_run()
        for suite in sorted(self.open_suites, key=len, reverse=True):
            self._close_suite(suite)
        finished = sum(test.is_finished for test in self.tests.values())
        # 2 and 3: interrupted, broken inside. Fewer finished than planned: `-x`, `--maxfail` or a plugin called a halt.
        is_aborted = int(exitstatus) in (2, 3) or finished < (self.planned or 0)
        self.sender.put_fields(self._run_finished(is_aborted))
        self.sender.run_is_open(False)

    def pytest_collection_finish(self, session):
        self._collection_finish(session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        self._worker_collected(ids)

    def pytest_collectreport(self, report):
        self._collect_report(report)

    def pytest_runtest_logstart(self, nodeid, location):
        self._start(nodeid, location)

    def pytest_runtest_logreport(self, report):
        self._report(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        self._session_finish(exitstatus)

    def pytest_unconfigure(self, config):
        self.sender.close()
