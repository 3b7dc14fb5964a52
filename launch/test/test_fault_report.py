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
        "unmeasured": "goes on",
        "times": {"standing": None, "moving": 0.371},
    },
    {
        "fault": "NaN",
        "follows": "refused",
        "since": None,
        "within": None,
        "watched": True,
        "unmeasured": "goes on",
        "times": {"moving": None},
    },
]
PAGE = "before\n<!-- table of faults: make faults -->\ntable of yesterday\n<!-- end of the table -->\nafter\n"


def run(directory: Path, page: str, *runs: list) -> subprocess.CompletedProcess[str]:
    page_file, files = directory / "page.md", [directory / f"{number}.json" for number in range(len(runs))]
    page_file.write_text(page)
    for file, rows in zip(files, runs, strict=True):
        file.write_text(json.dumps(rows))
    command = [sys.executable, str(SCRIPT), str(page_file), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_replaces_the_one_before(tmp_path: Path) -> None:
    assert run(tmp_path, PAGE, TIMES).returncode == 0
    page = (tmp_path / "page.md").read_text()
    assert "| hangs | holds | stays at rest | 0.37 s after the fault (at most 0.5 s) |" in page
    assert "| NaN | refused | not run | goes on |" in page
    assert "table of yesterday" not in page
    assert page.startswith("before\n")
    assert "n = 1 of each" in page
    assert page.endswith("<!-- end of the table -->\nafter\n")


def test_several_runs_give_the_span_of_their_times(tmp_path: Path) -> None:
    slower = [TIMES[0] | {"times": {"standing": None, "moving": 0.402}}]
    assert run(tmp_path, PAGE, TIMES, slower).returncode == 0
    page = (tmp_path / "page.md").read_text()
    assert "| hangs | holds | stays at rest | 0.37 .. 0.40 s after the fault (at most 0.5 s) |" in page
    assert "| NaN | refused | not run | not run |" in page, "the second run lacks it"
    assert "n = 2 of each" in page


def test_a_page_without_its_marks_is_left_alone(tmp_path: Path) -> None:
    done = run(tmp_path, "nothing here\n", TIMES)
    assert done.returncode != 0
    assert "the page must have the lines" in done.stderr
    assert (tmp_path / "page.md").read_text() == "nothing here\n"
