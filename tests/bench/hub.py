"""A class on a hub: how long its students wait, and what memory and processor time they take.

    pip install jupyterhub==6.1.1               into the course's environment
    npm install -g configurable-http-proxy@5.3.0
    python tests/bench/hub.py                   20 students, the recurrent cell
    python tests/bench/hub.py --users 30 --arrive 10 notebooks/NN_gates.ipynb

This is no test: it takes some minutes and is run by hand. It starts a JupyterHub that only this
machine can reach, with a copy of the course for each student and servers that start as
binder/README.md says. All students come within --arrive seconds. Each logs in, opens the lesson,
runs all of it as JupyterLab does, and then turns the explorer's first slider (or field): once a
second while others still run theirs; then all at the same time, as fast as answers come; then one
student after another, while the rest are idle.

What a browser does is left out, and so are the scripts it fetches once; but the students' side
runs here too and takes part of the cores. PSS shares out what processes have in common, RSS counts
it for each. An error in a cell, a dead kernel, an HTTP error, a turn without a new picture: each
is a failure, is named, and makes the exit status 1.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import httpx  # comes with JupyterLab
import numpy as np
from hub_student import PATIENCE, Failure, Student

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [f"notebooks/{path.name}" for path in sorted(ROOT.glob("notebooks/*.ipynb"))]
SHORT = next(path for path in LESSONS if path.endswith("_the_recurrent_cell.ipynb"))
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
# Whoever starts this has variables of their own, which a hub's students have not.
MODELS = str(ROOT / "lib/trained/pretrained/models")  # weights, which all students share
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "COURSE_MODELS": MODELS}

# what: unit, its name in the table
TIMES = {
    "running": ("s", "from login to a running server"),
    "ready": ("s", "from there to the lesson with a kernel"),
    "run": ("s", "to run all cells"),
    "some": ("ms", "from turn to picture, while others run all"),
    "all": ("ms", "from turn to picture, all turn at once"),
    "one": ("ms", "from turn to picture, the others idle"),
}


class Lecture:
    """What the students do, and what it takes: times[what] is a list of seconds."""

    def __init__(self, url, folder, names, options):
        self.students = [Student(url, name) for name in names]
        self.folder, self.options, self.running = folder, options, set(self.students)
        self.times, self.peaks = defaultdict(list), defaultdict(float)

    async def hold(self):
        """All of it, in order."""
        watching = asyncio.create_task(self.watch())
        await self.together(self.arrive, range(len(self.students)))
        self.after_run = look(self.folder)
        await self.together(self.turn, itertools.repeat("all"))
        for student in self.students:
            await self.attempt(student, self.turn, "one")
        watching.cancel()

    async def together(self, work, values):
        pairs = zip(self.students, values, strict=False)
        await asyncio.gather(*(self.attempt(student, work, value) for student, value in pairs))

    async def attempt(self, student, work, value):
        """A failure ends the lecture for its student, and not for the others."""
        try:
            async with asyncio.timeout(PATIENCE):
                if not student.failure:
                    await work(student, value)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is named)
            said = str(error) if isinstance(error, Failure) else repr(error)
            student.failure = f"{student.name}: {said}"
        self.running.discard(student)

    async def arrive(self, student, number):
        await asyncio.sleep(self.options.arrive * number / self.options.users)
        await self.timed("running", student.log_in())
        await self.timed("ready", student.open(self.options.notebook))
        await self.timed("run", student.run_all())
        self.running.discard(student)
        while self.running:
            self.times["some"].append(await student.turn())
            await asyncio.sleep(1)

    async def timed(self, what, work):
        start = time.perf_counter()
        await work
        self.times[what].append(time.perf_counter() - start)

    async def turn(self, student, what):
        for _ in range(self.options.turns):
            self.times[what].append(await student.turn())

    async def watch(self):
        """Every other second a look at the memory; the largest sums stay."""
        while True:
            for name, taken in (await asyncio.to_thread(look, self.folder)).items():
                for kind, size in taken.items():
                    self.peaks[kind, name] = max(self.peaks[kind, name], size)
            await asyncio.sleep(2)

    def report(self):
        """Print the table; returns how many students failed."""
        print(f"\n{'':50}{'median':>9}{'95 %':>9}{'worst':>9}")
        for what, (unit, name) in TIMES.items():
            row(unit, name, np.array(self.times[what]) * (1000 if unit == "ms" else 1))
        names = [student.name for student in self.students]
        for kind in ("PSS", "RSS"):
            row("MB", f"of a student, largest {kind}", [self.peaks[kind, name] for name in names])
        seconds = [self.after_run[name]["seconds"] for name in names]
        row("s", "of processor time of a student, all cells run", seconds)
        row("MB", "of the hub and its proxy, largest PSS", [self.peaks["PSS", "hub"]])
        if sys.platform != "linux":
            print("Memory and processor time are read from /proc, which only Linux has.")
        failures = [student.failure for student in self.students if student.failure]
        print(f"failures: {len(failures)}", *failures, sep="\n")
        return len(failures)


def row(unit, name, values):
    if np.any(values):
        numbers = np.median(values), np.percentile(values, 95), np.max(values)
        print(f"{unit:4}{name:46}" + "".join(f"{number:9.1f}" for number in numbers))


def homes(folder):
    """{name of a home in this folder: its processes}; none where there is no /proc."""
    found = defaultdict(list)
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended
            home = re.search(rb"(?:^|\0)HOME=([^\0]*)", (process / "environ").read_bytes())
            if home and Path(os.fsdecode(home[1])).parent == folder:
                found[Path(os.fsdecode(home[1])).name].append(process)
    return found


def look(folder):
    """{name of a home: what its processes take together}: MB of PSS and of RSS, seconds."""
    found = defaultdict(lambda: defaultdict(float))
    for name, processes in homes(folder).items():
        for process in processes:
            with contextlib.suppress(OSError):
                text = (process / "smaps_rollup").read_text()
                for kind, size in re.findall(r"^(Pss|Rss): +(\d+) kB", text, re.MULTILINE):
                    found[name][kind.upper()] += int(size) / 1024
                ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:15]
                found[name]["seconds"] += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return found


@contextlib.contextmanager
def hub(folder, names):
    """A hub's address; whatever it started ends with the block."""
    process = None
    try:
        copy_course(folder, names)
        process, url = start(folder)
        while process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"{url}/hub/health", trust_env=False).raise_for_status()
                break
            time.sleep(0.2)
        else:
            sys.exit("The hub did not start:\n" + (folder / "hub/log").read_text())
        yield url
    finally:
        stop(process, folder)


def copy_course(folder, names):
    """One home for each student, after what an image of the course does once."""
    first, *others = (folder / name for name in names)
    made = "__pycache__", ".ipynb_checkpoints", "slides", "handouts", "models", "mine"
    left_out = shutil.ignore_patterns(*made)
    for part in ("lib", "notebooks", "binder"):
        shutil.copytree(ROOT / part, first / part, ignore=left_out)
    own = dict(cwd=first, env=ENVIRONMENT | {"HOME": str(first)}, capture_output=True)
    done = subprocess.run(["bash", "binder/postBuild"], check=False, **own)
    if done.returncode:
        sys.exit(f"binder/postBuild failed:\n{done.stderr.decode()}")
    for home in others:
        shutil.copytree(first, home)


def start(folder):
    """The hub's process and its address, both new."""
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(3)]
        for each in free:
            each.bind(("127.0.0.1", 0))
        url, inner, proxy = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in free)
    own = folder / "hub"
    own.mkdir()
    (own / "config.json").write_text(json.dumps(configuration(folder, url, inner, proxy)))
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.json"]
    options = dict(cwd=own, env=ENVIRONMENT | {"HOME": str(own)}, start_new_session=True)
    with (own / "log").open("w") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, **options), url


def configuration(folder, url, inner, proxy):
    home = f"{folder}/{{username}}"
    spawner = dict(home_dir_template=home, notebook_dir=home)
    # By itself a hub gives a server up after 30 seconds, too soon where many start on few cores.
    spawner |= dict(start_timeout=PATIENCE, http_timeout=PATIENCE)
    spawner["cmd"] = ["binder/start", "jupyterhub-singleuser"]
    spawner["args"] = ["--allow-root"] * (os.geteuid() == 0)
    kinds = dict(authenticator_class="dummy", spawner_class="simple")
    return {
        "JupyterHub": dict(bind_url=url, hub_bind_url=inner, **kinds),
        "Authenticator": {"allow_all": True},
        "ConfigurableHTTPProxy": {"api_url": proxy},
        "SimpleLocalProcessSpawner": spawner,
    }


def stop(process, folder):
    """The hub stops its servers and its proxy; what is left after that is killed."""
    for kind in (signal.SIGINT, signal.SIGTERM):  # a second one would leave servers behind
        signal.signal(kind, signal.SIG_IGN)
    if process:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(120)
        process.kill()
        process.wait()
    for left in itertools.chain(*homes(folder).values()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(left.name), signal.SIGKILL)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("notebook", nargs="?", default=SHORT)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--arrive", type=float, default=20, help="seconds in which all come")
    parser.add_argument("--turns", type=int, default=10, help="of each student's control")
    options = parser.parse_args()
    if options.notebook not in LESSONS:
        sys.exit(f"{options.notebook}: no such lesson; an example is {SHORT}")
    if options.users < 1 or options.turns < 1 or options.arrive < 0:
        sys.exit("--users and --turns have to be 1 or more, --arrive 0 or more")
    for program in ("jupyterhub", "configurable-http-proxy"):
        if not shutil.which(program, path=PATH):
            sys.exit(f"{program} is missing: the top of this file says how to install it")
    return options


def main():
    options = arguments()
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: sys.exit("Stopped."))
    load, names = os.getloadavg()[0], [f"student{i:03}" for i in range(1, options.users + 1)]
    print(f"{options.users} students within {options.arrive:g} s, {options.notebook}, ", end="")
    print(f"{os.cpu_count()} cores with a load of {load:.1f} before", flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        with hub(folder, names) as url:
            lecture = Lecture(url, folder, names, options)
            asyncio.run(lecture.hold())
            failed = lecture.report()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
