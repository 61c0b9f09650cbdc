"""The Robot Framework listener, run by the real robot."""
import ast
import os
import signal

import pytest

from conftest import LISTENERS, final_verdicts, tally

MIXED = """
*** Settings ***
Suite Setup       No Operation
*** Test Cases ***
Passes
    [Tags]    smoke    owner:power
    Log    take care    WARN
Fails
    Fail    3.31 V is below 3.42 V
Passes
    No Operation
Skipped
    Skip    no charger
"""


def planned(suite, path=()):
    path = path + (suite["name"],)
    for test in suite["tests"]:
        yield path, test["name"], test.get("parameters")
    for child in suite.get("suites", ()):
        yield from planned(child, path)


def test_tells_all_of_a_small_suite(bench, stub):
    path = bench.write("mixed.robot", MIXED)
    result = bench.robot(path, HOLTER_URL=stub.url, HOLTER_TOKEN="secret", HOLTER_PROJECT="pump", HOLTER_COMMIT="abc")
    assert result.code == 1
    assert all(request["headers"]["Authorization"] == "Bearer secret" for request in stub.requests)
    assert all(request["headers"]["Holter-Sent-At"].endswith("Z") for request in stub.requests)
    assert all(request["path"] == "/api/v1/events" for request in stub.requests)
    kinds = [event["type"] for event in stub.events]
    assert kinds == ["run.planned", "run.started", "suite.started", "suite.phase", "suite.phase",
                     "test.started", "log", "test.finished", "test.started", "test.finished",
                     "test.started", "test.finished", "test.started", "test.finished", "suite.finished", "run.finished"]
    assert {event["run"] for event in stub.events} == {stub.events[0]["run"]}
    assert {(event["setup"], event["project"]) for event in stub.events} == {("bench-1", "pump")}
    plan = stub.of("run.planned")[0]["plan"]["suites"][0]
    assert plan["source"] == "mixed.robot" and plan["script"] == MIXED
    assert list(planned(plan)) == list(final_verdicts(stub))
    started = stub.of("run.started")[0]
    assert (started["name"], started["total_tests"], started["commit"]) == ("Mixed", 4, "abc")
    assert started["framework"].startswith("robot ")
    first = stub.of("test.started")[0]
    assert (first["tags"], first["owner"], first["source"], first["line"]) == (
        ["owner:power", "smoke"], "power", "mixed.robot", 5)
    assert list(final_verdicts(stub).values()) == ["passed", "failed", "passed", "skipped"]
    assert stub.of("test.finished", test="Fails")[0]["message"] == "3.31 V is below 3.42 V"
    assert stub.of("test.started", parameters="#2")[0]["test"] == "Passes"
    assert stub.of("log")[0] == dict(stub.of("log")[0], level="warn", message="take care", test="Passes")
    assert not bench.spooled()


def test_output_and_exit_code_are_the_same(bench, stub):
    path = bench.write("mixed.robot", MIXED)
    without, told = bench.robot(path, listener=None), bench.robot(path, HOLTER_URL=stub.url)
    silent = bench.robot(path)
    assert (without.code, without.out, without.err) == (told.code, told.out, told.err)
    assert (without.code, without.out, without.err) == (silent.code, silent.out, silent.err)


def test_sample_of_sixty_tests(bench, stub):
    result = bench.robot("--variable", "PACE:0", LISTENERS / "examples" / "bench", HOLTER_URL=stub.url)
    assert result.code == 4
    verdicts = final_verdicts(stub)
    assert tally(verdicts) == {"passed": 53, "failed": 4, "skipped": 3}
    plan = stub.of("run.planned")[0]["plan"]["suites"][0]
    assert sorted(planned(plan), key=str) == sorted(verdicts, key=str) and len(verdicts) == 60
    assert len(stub.of("suite.started")) == len(stub.of("suite.finished")) == 8
    assert stub.of("suite.started", suite=["Bench", "Radio"])[0]["total_tests"] == 25
    assert len(stub.of("test.started")) == len(stub.of("test.finished")) == 60
    phases = [event["phase"] for event in stub.of("suite.phase", suite=["Bench"])]
    assert phases == ["setup", "tests", "teardown"]


@pytest.mark.parametrize("separator", [":", ";"])
def test_arguments_override_the_environment(bench, stub, separator):
    path = bench.write("mixed.robot", MIXED)
    options = separator.join(["", "url=" + stub.url, "setup=rig-7", "run=night 12", "branch=feature/a=b", "debug=0"])
    bench.robot(path, listener=str(LISTENERS / "holter_robot.py") + options, HOLTER_URL="http://127.0.0.1:9")
    assert {(event["setup"], event["run"]) for event in stub.events} == {("rig-7", "night 12")}
    assert stub.of("run.started")[0]["branch"] == "feature/a=b"


def test_suite_setup_failure(bench, stub):
    path = bench.write("broken.robot", "*** Settings ***\nSuite Setup    Fail    no power\n"
                                       "*** Test Cases ***\nA\n    No Operation\nB\n    No Operation\n")
    assert bench.robot(path, HOLTER_URL=stub.url).code == 2
    assert tally(final_verdicts(stub)) == {"failed": 2}
    assert "no power" in stub.of("test.finished")[0]["message"]
    assert stub.of("suite.finished")[0]["verdict"] == "failed"


def test_suite_teardown_failure_has_the_last_word(bench, stub):
    bench.write("outer/__init__.robot", "*** Settings ***\nSuite Teardown    Fail    still hot\n")
    bench.write("outer/inner.robot", "*** Test Cases ***\nA\n    No Operation\nB\n    Fail    bad\n")
    assert bench.robot("outer", HOLTER_URL=stub.url).code == 2
    verdicts = [(event["test"], event["attempt"], event["verdict"]) for event in stub.of("test.finished")]
    assert verdicts == [("A", 1, "passed"), ("B", 1, "failed"), ("A", 1, "failed"), ("B", 1, "failed")]
    assert "still hot" in stub.of("test.finished")[2]["message"]


def test_dry_run_sends_the_plan_only(bench, stub):
    path = bench.write("mixed.robot", MIXED)
    bench.robot("--dryrun", path, HOLTER_URL=stub.url)
    assert [event["type"] for event in stub.events] == ["run.planned"]


def test_odd_texts(bench, stub):
    path = bench.write("odd.robot", """
*** Test Cases ***
Grüße 你好 🫀
    Evaluate    'ok'
Huge
    ${text} =    Evaluate    'ä' * 300000
    Log    ${text}    ERROR
Nul
    ${text} =    Evaluate    'a' + chr(0) + chr(92) + 'u0000' + chr(0xd800) + 'z'
    Fail    ${text}
""")
    assert bench.robot("--console", "none", path, HOLTER_URL=stub.url).code == 1
    assert stub.of("test.finished", test="Grüße 你好 🫀")[0]["verdict"] == "passed"
    assert len(stub.of("log", test="Huge")[0]["message"].encode("utf-8")) == 65536
    assert stub.of("test.finished", test="Nul")[0]["message"] == "a\u2400\\u0000?z"


def test_pabot_shards_share_a_run(bench, stub):
    for name in "abc":
        bench.write("shards/%s.robot" % name, "*** Test Cases ***\nOne\n    No Operation\nTwo\n    Fail    no\n")
    result = bench.run("-m", "pabot.pabot", "--processes", "2", "--outputdir", bench.folder / "out",
                       "--listener", LISTENERS / "holter_robot.py", "shards", HOLTER_URL=stub.url, HOLTER_RUN="nightly")
    assert result.code == 3
    assert {event["run"] for event in stub.events} == {"nightly"}
    shards = [event["shard"] for event in stub.of("run.started")]
    assert sorted(shards) == [1, 2, 3] and sorted(event["shard"] for event in stub.of("run.finished")) == [1, 2, 3]
    assert tally(final_verdicts(stub)) == {"passed": 3, "failed": 3}


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
def test_interrupted_run_is_aborted(bench, stub):
    path = bench.write("long.robot", "*** Test Cases ***\nA\n    Sleep    30\nB\n    No Operation\n")
    process = bench.start("-m", "robot", "--output", "NONE", "--log", "NONE", "--report", "NONE",
                          "--listener", LISTENERS / "holter_robot.py", path, HOLTER_URL=stub.url)
    stub.wait_for(lambda stub: stub.of("test.started", test="A"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (2, 253)
    assert stub.of("run.finished")[0]["aborted"] is True


def test_single_file_in_an_empty_folder(bench, stub):
    listener = bench.write("empty/holter_robot.py", assembled("holter_robot.py"))
    path = bench.write("mixed.robot", MIXED)
    result = bench.robot(path, listener=listener, HOLTER_URL=stub.url, PYTHONPATH=None)
    assert result.code == 1 and tally(final_verdicts(stub)) == {"passed": 2, "failed": 1, "skipped": 1}


def test_modules_fit_into_one_file():
    for name in ("holter_robot.py", "holter_pytest.py"):
        text = assembled(name)
        imported, defined = set(), []
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined.append(node.name)
            elif isinstance(node, ast.Assign):
                defined += [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        assert not {module for module in imported if module.startswith("holter")}
        assert len(defined) > 40 and sorted(set(defined)) == sorted(defined), "two things have one name"


def without(text, mark, put_there=""):
    """The text, with something else in place of all that stands between marker lines."""
    kept, is_kept = [], True
    for line in text.splitlines(keepends=True):
        if line == "# %s: begin\n" % mark:
            assert is_kept
            is_kept = False
        elif line == "# %s: end\n" % mark:
            assert not is_kept
            is_kept = True
            kept.append(put_there)
        elif is_kept:
            kept.append(line)
    assert is_kept
    return "".join(kept)


def assembled(name):
    """The file as the server hands it out."""
    shared = "".join(without((LISTENERS / part).read_text(encoding="utf-8"), "holter_import")
                     for part in ("holter_facts.py", "holter_spool.py", "holter_wire.py", "holter_sender.py"))
    text = (LISTENERS / name).read_text(encoding="utf-8")
    whole = without(text, "holter_sender", shared)
    assert shared in whole
    return whole
