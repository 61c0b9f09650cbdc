"""Fixtures: a stub server, and a way to run `robot` and `pytest` as anyone would."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stub import Stub

LISTENERS = Path(__file__).resolve().parent.parent


class Finished:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds


def hear_interrupts():
    """A shell that runs us in the background ignores interrupts for all its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Bench:
    """A folder to run tests in, with an environment free of whatever CI system runs these."""

    def __init__(self, folder):
        self.folder = folder
        self.spool = folder / "spool"
        kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG", "LC_ALL", "VIRTUAL_ENV")
        self.environ = {key: os.environ[key] for key in kept if key in os.environ}
        # pabot looks for `robot` on the path.
        self.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), self.environ.get("PATH", "")])
        self.environ.update(HOME=str(folder), HOLTER_SPOOL_DIR=str(self.spool), HOLTER_SETUP="bench-1",
                            PYTHONPATH=str(LISTENERS), PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return path

    def start(self, *command, **environ):
        environ = {key: value for key, value in dict(self.environ, **environ).items() if value is not None}
        return subprocess.Popen([sys.executable, *map(str, command)], cwd=str(self.folder), env=environ,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=None if os.name == "nt" else hear_interrupts)

    def run(self, *command, **environ):
        start = time.monotonic()
        process = self.start(*command, **environ)
        out, err = process.communicate(timeout=60)
        return Finished(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"),
                        time.monotonic() - start)

    def robot(self, *args, listener=LISTENERS / "holter_robot.py", **environ):
        heard = ["--listener", str(listener)] if listener else []
        return self.run("-m", "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE", *heard, *args, **environ)

    def pytest(self, *args, plugin="holter_pytest", **environ):
        heard = ["-p", plugin] if plugin else []
        return self.run("-m", "pytest", "-p", "no:cacheprovider", *heard, *args, **environ)

    def spooled(self):
        return sorted(self.spool.rglob("*.ndjson"))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def stub():
    stub = Stub()
    yield stub
    stub.stop()


def final_verdicts(stub):
    """The last verdict of each test, the way a server sees it."""
    verdicts = {}
    for event in stub.of("test.finished"):
        key = (tuple(event["suite"]), event["test"], event.get("parameters"))
        if event["attempt"] >= verdicts.get(key, (0, ""))[0]:
            verdicts[key] = (event["attempt"], event["verdict"])
    return {key: verdict for key, (_, verdict) in verdicts.items()}


def tally(verdicts):
    counts = {}
    for verdict in verdicts.values():
        counts[verdict] = counts.get(verdict, 0) + 1
    return counts
