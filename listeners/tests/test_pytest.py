"""The pytest plugin, run by the real pytest."""
import os
import signal

import pytest

from conftest import LISTENERS, final_verdicts, tally
from test_robot import assembled, planned

MIXED = '''
import time
import pytest

class TestK:
    @pytest.mark.parametrize("text", ["a", "b::c[x]/y"])
    def test_with(self, text):
        pass

@pytest.mark.owner("power")
@pytest.mark.smoke
def test_fails():
    assert 1 == 2

@pytest.fixture
def broken():
    raise RuntimeError("boom")

def test_errors(broken):
    pass

@pytest.fixture
def leaky():
    yield
    raise RuntimeError("leak")

def test_teardown_errors(leaky):
    pass

def test_skips():
    pytest.skip("later")

@pytest.mark.xfail(reason="known")
def test_xfail():
    assert 0

@pytest.mark.xfail(reason="known")
def test_xpass():
    pass

@pytest.mark.xfail(strict=True)
def test_xpass_strict():
    pass
'''

EXPECTED = {"test_with": "passed", "test_fails": "failed", "test_errors": "errored", "test_teardown_errors": "errored",
            "test_skips": "skipped", "test_xfail": "skipped", "test_xpass": "passed", "test_xpass_strict": "failed"}
RERUN = '''
import pytest
TRIES = []

@pytest.mark.flaky(reruns=2)
def test_second_time():
    TRIES.append(1)
    assert len(TRIES) > 1

@pytest.mark.flaky(reruns=1)
def test_never():
    assert 0
'''


def by_name(stub):
    return {key[1]: verdict for key, verdict in final_verdicts(stub).items()}


@pytest.mark.parametrize("workers", [None, 2])
def test_tells_all(bench, stub, workers):
    bench.write("proj/pytest.ini", "[pytest]\nmarkers =\n    owner: who\n    smoke: quick\n")
    bench.write("proj/sub/test_mixed.py", MIXED)
    more = ["-n", str(workers)] if workers else ["-p", "no:xdist"]
    result = bench.pytest("proj", *more, HOLTER_URL=stub.url)
    assert result.code == 1
    assert by_name(stub) == EXPECTED
    path = ["proj", "sub", "test_mixed.py"]
    plan = stub.of("run.planned")[0]["plan"]["suites"][0]
    assert sorted(planned(plan), key=str) == sorted(final_verdicts(stub), key=str)
    file = plan["suites"][0]["suites"][0]
    assert file["source"].endswith("sub/test_mixed.py") and file["script"] == MIXED
    assert len(stub.of("run.planned")) == len(stub.of("run.started")) == len(stub.of("run.finished")) == 1
    assert stub.of("run.started")[0]["total_tests"] == 9
    assert len(stub.of("test.started")) == len(stub.of("test.finished")) == 9
    assert sorted(e["parameters"] for e in stub.of("test.finished", test="test_with")) == ["a", "b::c[x]/y"]
    assert stub.of("test.started", test="test_with")[0]["suite"] == path + ["TestK"]
    assert len(stub.of("suite.started")) == len(stub.of("suite.finished")) == 4
    assert stub.of("suite.finished", suite=path)[0]["verdict"] == "failed"
    assert "unexpectedly" in stub.of("test.finished", test="test_xpass")[0]["message"]
    assert stub.of("test.finished", test="test_skips")[0]["message"] == "later"
    assert stub.of("test.finished", test="test_fails")[0]["message"] == "assert 1 == 2"
    if not workers:
        started = stub.of("test.started", test="test_fails")[0]
        assert started["owner"] == "power" and "smoke" in started["tags"]
    assert "aborted" not in stub.of("run.finished")[0]


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_reruns_are_attempts(bench, stub, more):
    bench.write("test_rerun.py", RERUN)
    assert bench.pytest("test_rerun.py", *more, HOLTER_URL=stub.url).code == 1
    attempts = sorted((e["test"], e["attempt"], e["verdict"]) for e in stub.of("test.finished"))
    assert attempts == [("test_never", 1, "failed"), ("test_never", 2, "failed"),
                        ("test_second_time", 1, "failed"), ("test_second_time", 2, "passed")]
    assert sorted((e["test"], e["attempt"]) for e in stub.of("test.started")) == [a[:2] for a in attempts]
    assert len(stub.of("suite.finished")) == 2


def test_timeout(bench, stub):
    bench.write("test_slow.py", "import time\ndef test_slow():\n    time.sleep(20)\n")
    assert bench.pytest("--timeout", "0.2", "test_slow.py", HOLTER_URL=stub.url).code == 1
    assert by_name(stub) == {"test_slow": "timed_out"}


def test_sample(bench, stub):
    result = bench.pytest(LISTENERS / "examples" / "test_sample.py", PACE="0", HOLTER_URL=stub.url)
    assert result.code == 1
    assert tally(final_verdicts(stub)) == {"passed": 15, "failed": 1, "errored": 1, "skipped": 3}


def test_output_and_exit_code_are_the_same(bench, stub):
    bench.write("test_mixed.py", MIXED)
    timeless = [line.split(" in ")[0] for line in bench.pytest("-q", plugin=None).out.splitlines()]
    told = bench.pytest("-q", HOLTER_URL=stub.url)
    assert [line.split(" in ")[0] for line in told.out.splitlines()] == timeless and told.err == "" and told.code == 1
    assert stub.of("run.finished")


def test_stopped_early_is_aborted(bench, stub):
    bench.write("test_two.py", "def test_a():\n    assert 0\ndef test_b():\n    pass\n")
    assert bench.pytest("-x", "--holter-url", stub.url, "--holter-setup", "rig", "--holter-run", "r1").code == 1
    assert stub.of("run.finished")[0]["aborted"] is True
    assert {(event["setup"], event["run"]) for event in stub.events} == {("rig", "r1")}
    assert len(stub.of("suite.started")) == len(stub.of("suite.finished"))


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
def test_interrupted_run_is_aborted(bench, stub):
    bench.write("test_long.py", "import time\ndef test_long():\n    time.sleep(30)\n")
    process = bench.start("-m", "pytest", "-p", "no:cacheprovider", "-p", "holter_pytest", HOLTER_URL=stub.url)
    stub.wait_for(lambda stub: stub.of("test.started"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 2 and stub.of("run.finished")[0]["aborted"] is True


def test_collect_only_and_broken_files(bench, stub):
    bench.write("good/test_good.py", "def test_a():\n    pass\n")
    bench.pytest("--collect-only", "good", HOLTER_URL=stub.url)
    assert [event["type"] for event in stub.events] == ["run.planned"]
    bench.write("bad/test_bad.py", "import nowhere_to_be_found\n")
    assert bench.pytest("bad", HOLTER_URL=stub.url, HOLTER_RUN="bad").code == 2
    assert "nowhere_to_be_found" in stub.of("log", run="bad")[0]["message"]
    assert stub.of("run.finished", run="bad")[0]["aborted"] is True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_child_keeps_quiet(bench, stub):
    bench.write("test_fork.py", """
import os
def test_forks():
    child = os.fork()
    if child == 0:
        raise SystemExit(0)
    os.waitpid(child, 0)
def test_more():
    pass
""")
    # The child runs on into pytest's own ending; only the parent may speak.
    bench.pytest("-s", HOLTER_URL=stub.url)
    assert len(stub.of("run.finished")) == 1 and "aborted" not in stub.of("run.finished")[0]
    assert by_name(stub) == {"test_forks": "passed", "test_more": "passed"}


def test_single_file_in_an_empty_folder(bench, stub):
    bench.write("empty/holter_pytest.py", assembled("holter_pytest.py"))
    bench.write("test_two.py", "def test_a():\n    pass\n")
    result = bench.pytest(HOLTER_URL=stub.url, PYTHONPATH=str(bench.folder / "empty"))
    assert result.code == 0 and by_name(stub) == {"test_a": "passed"}


def test_both_ways_of_loading_register_once(bench, stub):
    info = bench.folder / "installed" / "holter_listeners-1.0.0.dist-info"
    bench.write(str(info / "METADATA"), "Metadata-Version: 2.1\nName: holter-listeners\nVersion: 1.0.0\n")
    bench.write(str(info / "entry_points.txt"), "[pytest11]\nholter_pytest = holter_pytest\n")
    bench.write("test_two.py", "def test_a():\n    pass\n")
    path = os.pathsep.join([str(LISTENERS), str(info.parent)])
    for plugin in (None, "holter_pytest"):
        assert bench.pytest(plugin=plugin, HOLTER_URL=stub.url, PYTHONPATH=path, HOLTER_RUN=str(plugin)).code == 0
        assert len(stub.of("test.finished", run=str(plugin))) == 1
