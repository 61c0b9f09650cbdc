"""What the Robot Framework listener costs a run of 1,000 trivial tests: `python bench_overhead.py [--rounds N]`.

Runs without and with the listener take turns, so that whatever else the machine does meets both alike. The bars:
with a healthy server at most 2 % longer, with one that is down, refuses or never answers at most 1 s longer.
With `HOLTER_URL` set the healthy server is that one (`HOLTER_TOKEN` may be needed), otherwise a stub in a process of its own.
"""
import argparse
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LISTENER = os.path.join(os.path.dirname(HERE), "holter_robot.py")


def suite(folder, tests):
    path = os.path.join(folder, "thousand.robot")
    with open(path, "w") as file:
        file.write("*** Test Cases ***\n")
        for number in range(tests):
            file.write("Test Number %d\n    Log    Hello %d\n" % (number, number))
    return path


def run(path, folder, url, spool):
    """Wall and processor seconds of one run."""
    command = [sys.executable, "-m", "robot", "--outputdir", folder, "--console", "none"]
    if url:
        command += ["--listener", LISTENER]
    environ = {key: value for key, value in os.environ.items() if key != "HOLTER_URL"}
    # Byte code is kept between runs, as it is where tests run for real.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ.update(HOLTER_SPOOL_DIR=spool, PYTHONPYCACHEPREFIX=os.path.join(tempfile.gettempdir(), "holter-bench-cache"))
    if url:
        environ["HOLTER_URL"] = url
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command + [path], env=environ, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, url, rounds, tests):
    plain, heard = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = suite(folder, tests)
        for number in range(rounds):
            # The spool is fresh each time: resending is not what is measured.
            spool = os.path.join(folder, "spool%d" % number)
            for seconds, where in ((plain, None), (heard, url))[::1 if number % 2 else -1]:
                seconds.append(run(path, folder, where, spool))
    walls = [statistics.median(wall for wall, _ in seconds) for seconds in (plain, heard)]
    works = [statistics.median(work for _, work in seconds) for seconds in (plain, heard)]
    # Processor time is the figure to trust where other work shares the machine; it includes the sender's thread.
    more = statistics.median(b[1] - a[1] for a, b in zip(plain, heard))
    print("%-10s without %.3f s, with %.3f s: %+.3f s, ratio %.4f; processor without %.3f s, with %.3f s: "
          "paired %+.3f s, ratio %.4f; least %.3f s, %.3f s"
          % (name, *walls, walls[1] - walls[0], walls[1] / walls[0], *works, more, 1 + more / works[0],
             min(work for _, work in plain), min(work for _, work in heard)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--only", choices=("healthy", "down", "refusing", "mute"))
    options = parser.parse_args()
    stub = subprocess.Popen([sys.executable, os.path.join(HERE, "stub.py")], stdout=subprocess.PIPE, text=True)
    refusing = subprocess.Popen([sys.executable, os.path.join(HERE, "stub.py"), "503"], stdout=subprocess.PIPE, text=True)
    mute = socket.socket()
    mute.bind(("127.0.0.1", 0))
    mute.listen(128)
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    urls = {
        "healthy": os.environ.get("HOLTER_URL") or stub.stdout.readline().strip(),
        "down": "http://127.0.0.1:%d" % free.getsockname()[1],
        "refusing": refusing.stdout.readline().strip(),
        "mute": "http://127.0.0.1:%d" % mute.getsockname()[1],
    }
    try:
        for name, url in urls.items():
            if options.only in (None, name):
                compare(name, url, options.rounds, options.tests)
    finally:
        for process in (stub, refusing):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
