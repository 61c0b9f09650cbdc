import pytest


@pytest.mark.parametrize("number", range(8))
def test_opens(number):
    assert number >= 0


@pytest.mark.parametrize("number", range(4))
def test_holds(number):
    assert number % 2 == 0, "the pressure fell"


@pytest.mark.skip(reason="not built in")
def test_vents():
    pass


class TestPump:
    @pytest.mark.parametrize("number", range(7))
    def test_runs(self, number):
        print("running", number)
