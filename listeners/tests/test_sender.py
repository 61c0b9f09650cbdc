"""What the sender does when the server is not well, and what it finds out by itself."""
import json
import socket
import subprocess
import sys
import threading

import pytest

import holter_facts
import holter_sender
from conftest import final_verdicts, tally
from holter_facts import HolterConfig
from holter_spool import HolterSpool
from stub import Stub

SUITE = "*** Test Cases ***\n" + "".join("Test %d\n    No Operation\n" % number for number in range(30))


@pytest.fixture
def mute():
    """Accepts connections and never says a word."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(64)
    yield "http://127.0.0.1:%d" % server.getsockname()[1]
    server.close()


@pytest.fixture
def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def config(tmp_path, url, **given):
    settings = dict(url=url, setup="bench-1", spool_dir=str(tmp_path / "spool"), **given)
    return HolterConfig(settings, environ={})


def put(sender, *names):
    for name in names:
        sender.put_fields({"type": "log", "level": "info", "message": name})


def messages(stub):
    return [event["message"] for event in stub.of("log")]


def spooled(tmp_path):
    return [json.loads(line) for path in sorted((tmp_path / "spool").rglob("*.ndjson"))
            for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_mute_server_costs_a_second_at_most(bench, mute):
    path = bench.write("suite.robot", SUITE)
    plain = min(bench.robot(path, listener=None).seconds for _ in range(2))
    told = bench.robot(path, HOLTER_URL=mute)
    assert told.code == 0 and told.err == "" and told.seconds < plain + 1.5
    assert len(spooled(bench.folder)) >= 64


@pytest.mark.parametrize("status", [503, 429, 500, 401, 403, 404])
def test_a_refusing_server_loses_nothing(bench, stub, status):
    stub.retry_after = "30"
    stub.always(status)
    result = bench.robot(bench.write("suite.robot", SUITE), HOLTER_URL=stub.url)
    assert result.code == 0 and result.err == ""
    # A plan, a start, an end; a start, a phase and an end of the suite; two for each test.
    assert len(spooled(bench.folder)) == 66
    assert len(stub.requests) <= 2
    stub.always(None)
    again = bench.robot(bench.write("one.robot", "*** Test Cases ***\nOne\n    No Operation\n"), HOLTER_URL=stub.url)
    assert again.code == 0
    assert tally(final_verdicts(stub)) == {"passed": 31}
    assert len(stub.events) == 66 + 8 and not bench.spooled()


@pytest.mark.parametrize("status", [422, 400])
def test_what_is_refused_for_good_is_dropped(tmp_path, stub, status):
    stub.always(status)
    sender = holter_sender.HolterSender(config(tmp_path, stub.url))
    put(sender, "a", "b")
    stub.wait_for(lambda stub: stub.requests)
    sender.close()
    assert spooled(tmp_path) == []


def test_a_server_that_comes_up_gets_what_was_spooled(tmp_path, free_port):
    sender = holter_sender.HolterSender(config(tmp_path, "http://127.0.0.1:%d" % free_port))
    put(sender, "early")
    wait_until(lambda: list((tmp_path / "spool").rglob("*.live")))
    stub = Stub(port=free_port)
    try:
        put(sender, "late")
        stub.wait_for(lambda stub: sorted(messages(stub)) == ["early", "late"])
        sender.close()
        assert not list((tmp_path / "spool").rglob("*.*"))
    finally:
        stub.stop()


def test_a_server_that_dies_in_the_middle(tmp_path, stub):
    stub.behave = lambda number: "die" if number == 0 else None
    sender = holter_sender.HolterSender(config(tmp_path, stub.url))
    put(sender, "a")
    stub.wait_for(lambda stub: messages(stub) == ["a"])
    sender.close()
    assert messages(stub) == ["a"]


def test_a_slow_server_gets_everything(tmp_path, stub):
    stub.always("slow")
    sender = holter_sender.HolterSender(config(tmp_path, stub.url))
    put(sender, *map(str, range(100)))
    sender.close()
    assert messages(stub) == list(map(str, range(100)))


def test_huge_batches_are_split(tmp_path, stub):
    sender = holter_sender.HolterSender(config(tmp_path, stub.url, exit_wait="20"))
    put(sender, *("x" * 900000 for _ in range(25)))
    sender.close()
    assert len(stub.of("log")) == 25
    assert max(request["size"] for request in stub.requests) <= 8 * 1024 * 1024


def test_a_full_queue_goes_to_the_spool(tmp_path, mute, monkeypatch):
    monkeypatch.setattr(holter_sender, "HOLTER_QUEUE_LIMIT", 50)
    sender = holter_sender.HolterSender(config(tmp_path, mute, exit_wait="0"))
    for number in range(200):
        sender.put(lambda item: {"type": "log", "level": "info", "message": item[2]}, str(number))
    assert len(sender.queue) < 50
    sender.close()
    assert sorted(int(event["message"]) for event in spooled(tmp_path)) == list(range(200))


def test_a_full_spool_gives_up_its_oldest_files(tmp_path):
    settings = config(tmp_path, "http://127.0.0.1:9", spool_limit="4000")
    for name in "abcdef":
        spool = HolterSpool(settings, lambda text: None)
        spool.write([json.dumps({"message": name * 900}).encode()])
        spool.rotate()
    assert [event["message"][0] for event in spooled(tmp_path)] == ["c", "d", "e", "f"]


def test_a_file_is_claimed_once(tmp_path, stub):
    settings = config(tmp_path, stub.url)
    spool = HolterSpool(settings, lambda text: None)
    spool.write([b'{"id":"1"}'])
    other = HolterSpool(settings, lambda text: None)
    assert not other.claim(), "a live file belongs to its process"
    spool.rotate()
    assert other.claim() and not spool.claim()
    assert other.claimed.read()[0] == [b'{"id":"1"}']
    other.release()
    assert spool.claim()


def test_a_dead_process_leaves_its_file_to_others(tmp_path, stub):
    settings = config(tmp_path, stub.url)
    code = ("import os, holter_facts, holter_spool\n"
            "s = holter_spool.HolterSpool(holter_facts.HolterConfig(%r, environ={}), print)\n"
            "s.write([b'{\"id\":\"1\",\"type\":\"log\",\"message\":\"last words\"}'])\n"
            "s._live.write(b'{\"id\":\"2')\nos._exit(9)\n" % dict(url=stub.url, setup="bench-1",
                                                                  spool_dir=str(tmp_path / "spool")))
    subprocess.run([sys.executable, "-c", code], cwd=holter_sender.__file__.rpartition("/")[0])
    sender = holter_sender.HolterSender(settings)
    stub.wait_for(lambda stub: messages(stub) == ["last words"])
    sender.close()
    assert not list((tmp_path / "spool").rglob("*.*"))


def test_batches_are_packed_on_the_way_to_another_machine(tmp_path):
    # Only the usual names of this machine count as near.
    stub = Stub(host="127.0.0.2")
    try:
        sender = holter_sender.HolterSender(config(tmp_path, stub.url))
        put(sender, *(["a long line of text"] * 100))
        sender.close()
        assert len(stub.of("log")) == 100
        assert any(request["headers"].get("Content-Encoding") == "gzip" for request in stub.requests)
    finally:
        stub.stop()


def test_an_open_run_gives_signs_of_life(tmp_path, stub, monkeypatch):
    monkeypatch.setattr(holter_sender, "_HEARTBEAT_EVERY", 0.05)
    sender = holter_sender.HolterSender(config(tmp_path, stub.url))
    sender.run_is_open(True)
    stub.wait_for(lambda stub: len(stub.of("setup.heartbeat")) >= 2)
    assert all("run" not in event for event in stub.of("setup.heartbeat"))
    sender.run_is_open(False)
    sender.close()


def test_a_process_that_just_ends_aborts_its_run(bench, stub):
    code = ("import holter_facts as f, holter_sender as h\ns = h.HolterSender(f.HolterConfig())\n"
            "s.run_is_open(True, at_exit={'type': 'run.finished', 'aborted': True})\nraise SystemExit(7)\n")
    result = bench.run("-c", code, HOLTER_URL=stub.url)
    assert result.code == 7 and result.err == "" and stub.of("run.finished")[0]["aborted"] is True


def test_no_url_no_word(bench):
    result = bench.robot(bench.write("suite.robot", SUITE))
    assert result.code == 0 and result.err == "" and not bench.spool.exists()


@pytest.mark.parametrize("url", ["nonsense://x", "http://", "http://127.0.0.1:99999", "http://[", "127.0.0.1:1"])
def test_a_wrong_url_changes_nothing(bench, url):
    result = bench.robot(bench.write("suite.robot", SUITE), HOLTER_URL=url)
    assert result.code == 0 and result.err == ""


def test_git_is_read_from_its_files(tmp_path):
    git = tmp_path / ".git"
    (git / "refs/heads/topic").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/topic/one\n")
    (git / "packed-refs").write_text("# pack\n%s refs/heads/topic/one\n" % ("b" * 40))
    assert holter_facts._git_head(str(tmp_path)) == ("b" * 40, "topic/one")
    (git / "refs/heads/topic/one").write_text("a" * 40 + "\n")
    assert holter_facts._git_head(str(tmp_path)) == ("a" * 40, "topic/one")
    (git / "HEAD").write_text("c" * 40 + "\n")
    assert holter_facts._git_head(str(tmp_path)) == ("c" * 40, None)


@pytest.mark.parametrize("environ, expected", [
    ({"GITHUB_ACTIONS": "true", "GITHUB_SHA": "s", "GITHUB_REF_NAME": "main", "GITHUB_EVENT_NAME": "push",
      "GITHUB_SERVER_URL": "https://h", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "5", "GITHUB_ACTOR": "u"},
     {"commit": "s", "branch": "main", "url": "https://h/o/r/actions/runs/5", "user": "u", "trigger": "push"}),
    ({"JENKINS_URL": "j", "GIT_COMMIT": "s", "GIT_BRANCH": "origin/main", "BUILD_URL": "b"},
     {"commit": "s", "branch": "main", "url": "b", "user": None, "trigger": "jenkins"}),
    ({"TF_BUILD": "True", "BUILD_SOURCEVERSION": "s", "BUILD_SOURCEBRANCH": "refs/heads/x", "BUILD_REASON": "Manual"},
     {"commit": "s", "branch": "x", "url": None, "user": None, "trigger": "Manual"}),
    ({}, {}),
])
def test_ci_systems(environ, expected):
    assert holter_facts._ci_facts(environ) == expected


def wait_until(condition):
    done = threading.Event()
    for _ in range(400):
        if condition():
            return
        done.wait(0.025)
    raise AssertionError("never came")
