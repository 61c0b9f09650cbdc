"""Sample to watch: `pytest -p holter_pytest test_sample.py`.

Expected: 20 planned, 15 passed (one of them unexpectedly), 1 failed, 1 errored, 3 skipped (two of them failed as
expected). pytest says: 1 failed, 14 passed, 1 skipped, 2 xfailed, 1 xpassed, 1 error; its exit code is 1.
Pace: `PACE=0.3 pytest …` (seconds a test, default 0.05).
"""
import os
import time

import pytest

PACE = float(os.environ.get("PACE", "0.05"))


@pytest.fixture(autouse=True)
def pace():
    time.sleep(PACE)


@pytest.fixture
def broken_bench():
    raise RuntimeError("the bench does not answer")


class TestConvert:
    @pytest.mark.parametrize("celsius, kelvin", [(-273.15, 0), (0, 273.15), (20, 293.15), (100, 373.15), (1000, 1273.15)])
    def test_kelvin(self, celsius, kelvin):
        assert celsius + 273.15 == pytest.approx(kelvin)

    @pytest.mark.parametrize("text", ["plain", "two words", "a::b[c]/d", "brackets [ ]", ""])
    def test_round_trip(self, text):
        assert text.encode().decode() == text


@pytest.mark.parametrize("size", [1, 10, 100])
def test_sorts(size):
    assert sorted(range(size, 0, -1)) == list(range(1, size + 1))


def test_adds():
    assert 1 + 1 == 2


def test_fails():
    assert 0.1 + 0.2 == 0.3


def test_cannot_start(broken_bench):
    pass


@pytest.mark.skip(reason="needs a bench with a climate chamber")
def test_skipped():
    pass


@pytest.mark.xfail(reason="known: rounds half up")
def test_known_failure():
    assert round(2.5) == 3


@pytest.mark.xfail(reason="known: no such unit")
def test_known_error():
    raise LookupError("furlong")


@pytest.mark.xfail(reason="believed broken")
def test_unexpectedly_passes():
    pass
