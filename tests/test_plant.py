"""plant.py, the authors' script: it finds what the tests let through, and touches nothing."""

import plant
import pytest

pytestmark = pytest.mark.author

TOY = '''"""A toy."""


def area(width: int, height=2):
    """Width times height, 3 at most."""
    if width > 9:
        raise ValueError(f"width={width + 1}: less was expected")
    return width * height


def forever(count):
    while count > 0:
        count -= 1
    return count
'''
TESTS = """from lib import toy


def test_area():
    assert toy.area(3, 4) == 12 and toy.forever(3) == 0
"""


@pytest.fixture
def root(tmp_path):
    for place, text in {"lib/toy.py": TOY, "tests/test_toy.py": TESTS}.items():
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text(text)
    return tmp_path


def run(root, capsys, *options):
    plant.main(["lib/toy.py", "--root", str(root), "--count", "99", *options])
    return capsys.readouterr().out.splitlines()


def test_it_tells_what_survives_and_what_does_not(root, capsys):
    *lines, summary = run(root, capsys, "--jobs", "2")
    assert "lib/toy.py:4: constant: 2 -> 3   | def area(width: int, height=2):" in lines
    assert "lib/toy.py:6: comparison: > -> >=   | if width > 9:" in lines
    assert not [line for line in lines if "toy.py:8:" in line or "toy.py:13:" in line]
    count = len(plant.mutants(TOY))
    survive = len(lines)
    assert summary.startswith(f"{count} planted: ") and summary.endswith(f"{survive} survive")
    assert ", 0 never ended" not in summary  # count += 1
    assert (root / "lib/toy.py").read_text() == TOY and not (root / "lib/__pycache__").exists()


def test_what_is_said_is_left_alone():
    found = plant.mutants(TOY)
    assert not {mutant.line(TOY) for mutant in found} & {1, 2, 3, 5, 7}
    assert {mutant.kind for mutant in found} == {
        "operator", "comparison", "constant", "adding", "branch",
    }  # fmt: skip


@pytest.mark.parametrize(
    "before, after",
    [
        ("a + b", "a - b"), ("x[1:]", "x[:]"), ("f(-x)", "f((x))"), ("not a", "(a)"),
        ("f(a, b)", "f(b, a)"), ("f(a, b)", "f(a)"), ("f(a, k=1)", "f(a)"),
        ("a.d += 1", "a.d[...] = 1"),
        ("x.sum(axis=-1)", "x.sum(axis=-2)"), ("a < b", "a >= b"), ("a is not b", "a is b"),
        ("a and b", "a or b"), ("b if a else c", "b if False else c"), ("f(True)", "f(False)"),
        ("ä + f(1)", "ä + f(2)"), ("f()", "pass"), ("x -= 2", "x = 2"),
    ],
)  # fmt: skip
def test_it_knows_the_usual_mistakes(before, after):
    assert after in [mutant.of(before) for mutant in plant.mutants(before)]


def test_one_seed_plants_the_same_mistakes():
    def planted(seed, *files):
        return [*plant.chosen(plant.options([*files, "--count", "30", "--seed", str(seed)]))]

    assert planted(1, "lib/optim.py") == planted(1, "lib/optim.py") != planted(2, "lib/optim.py")
    places = [place for place, *_ in planted(1, "lib/optim.py", "lib/parallel.py")]
    assert places == 15 * ["lib/optim.py"] + 15 * ["lib/parallel.py"]


def test_tests_that_fail_by_themselves_prove_nothing(root, capsys):
    (root / "tests/test_toy.py").write_text("def test_toy():\n    assert False\n")
    with pytest.raises(SystemExit, match="fail without a mistake"):
        run(root, capsys)


def test_every_file_of_the_mathematics_has_tests():
    files = {path.stem for path in (plant.ROOT / "lib").glob("*.py")} - {"__init__"}
    assert files == set(plant.TESTS)
    for name in {name for names in plant.TESTS.values() for name in names.split()}:
        assert (plant.ROOT / f"tests/test_{name}.py").is_file(), name
