"""The table of faults is written into its page, and into no other."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "bench" / "faults.py"
TIMES = [
    {
        "fault": "hangs",
        "follows": "holds",
        "since": "the fault",
        "within": 0.5,
        "watched": True,
        "times": {"standing": None, "moving": 0.371},
    },
    {"fault": "NaN", "follows": "refused", "since": None, "within": None, "watched": True, "times": {"moving": None}},
]
PAGE = "before\n<!-- table of faults: make faults -->\ntable of yesterday\n<!-- end of the table -->\nafter\n"


def run(directory: Path, page: str) -> subprocess.CompletedProcess[str]:
    (directory / "times.json").write_text(json.dumps(TIMES))
    (directory / "page.md").write_text(page)
    command = [sys.executable, str(SCRIPT), str(directory / "times.json"), str(directory / "page.md")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_replaces_the_one_before(tmp_path: Path) -> None:
    assert run(tmp_path, PAGE).returncode == 0
    page = (tmp_path / "page.md").read_text()
    assert "| hangs | holds | stays at rest | 0.37 s after the fault (at most 0.5 s) |" in page
    assert "| NaN | refused | not run | goes on |" in page
    assert "table of yesterday" not in page
    assert page.startswith("before\n")
    assert page.endswith("<!-- end of the table -->\nafter\n")


def test_a_page_without_its_marks_is_left_alone(tmp_path: Path) -> None:
    done = run(tmp_path, "nothing here\n")
    assert done.returncode != 0
    assert "the page must have the lines" in done.stderr
    assert (tmp_path / "page.md").read_text() == "nothing here\n"
