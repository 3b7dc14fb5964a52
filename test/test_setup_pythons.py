"""Which Python the set-up takes, and what it says of one that does not suit."""

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from frs_setup.pythons import problem

TOOLS = Path(__file__).resolve().parents[1] / "tools"
SUITS = '#!/bin/sh\ncase "$*" in *--check-python) exit 0 ;; *) echo "$0 $*" ;; esac\n'
TOO_OLD = '#!/bin/sh\ncase "$*" in *--check-python) exit 1 ;; "-c "*) exit 0 ;; *) echo "too old: $0"; exit 1 ;; esac\n'
SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2; exit 127\n"


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13, 0)])
def test_suits(version):
    assert problem(version) == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 9), (3, 10, 13), (3, 14), (4, 0)])
def test_does_not_suit(version):
    said = problem(version)
    assert said == f"Python {version[0]}.{version[1]} does not suit: frs runs on Python 3.11 to 3.13"


@pytest.mark.parametrize("name", ["setup.py", "frs_setup/__init__.py", "frs_setup/pythons.py"])
def test_an_old_python_can_read_it(name):
    ast.parse((TOOLS / name).read_text(), feature_version=(3, 7))


def choose(folder: Path, pythons: dict[str, str], chosen: str = "") -> subprocess.CompletedProcess[str]:
    """Run setup.sh in a tree and on a machine that has only these Pythons (name or path: script)."""
    path = folder / "bin"
    path.mkdir()
    for name, script in pythons.items():
        python = path / name
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(script)
        python.chmod(0o755)
    (path / "dirname").symlink_to(shutil.which("dirname") or "")
    (folder / "tools").mkdir()
    shutil.copy(TOOLS / "setup.sh", folder / "tools")
    command = ["/bin/sh", str(folder / "tools" / "setup.sh")]
    env = {"PATH": str(path), "PYTHON": chosen}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_newest_that_suits(tmp_path):
    done = choose(tmp_path, {"python3.13": SHIM, "python3.12": SUITS, "python3.11": SUITS, "python3": TOO_OLD})
    assert done.stdout.split()[0] == str(tmp_path / "bin" / "python3.12")


def test_existing_environment_first(tmp_path):
    done = choose(tmp_path, {"../.venv/bin/python": SUITS, "python3.13": SUITS})
    assert os.path.normpath(done.stdout.split()[0]) == str(tmp_path / ".venv" / "bin" / "python")


def test_named_by_the_user(tmp_path):
    done = choose(tmp_path, {"python3.12": SUITS, "python3.11": SUITS}, chosen="python3.11")
    assert done.stdout.split()[0] == str(tmp_path / "bin" / "python3.11")


def test_none_suits(tmp_path):
    done = choose(tmp_path, {"python3.13": SHIM, "python3": TOO_OLD})
    assert (done.returncode, done.stdout) == (1, f"too old: {tmp_path / 'bin' / 'python3'}\n")


def test_none_at_all(tmp_path):
    done = choose(tmp_path, {}, chosen="python9")
    assert done.returncode == 1
    assert done.stderr.startswith("set-up: no Python 3 found (looked for: python9)")
