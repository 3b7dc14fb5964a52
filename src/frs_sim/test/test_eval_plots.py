"""The plots: which there are, and that they can be read."""

from pathlib import Path

import cv2
import pytest
from eval_rows import measured, rows, unbegun

from frs_sim.eval_plots import plot
from frs_sim.rows import Row

ONE = rows("bread", "base", "+-")
TWO = [*ONE, *rows("bread", "frs", "++")]
MEASURED = [*ONE, *(measured(r, (0.1, 0.97)) for r in rows("bread", "frs", "++"))]
SWEEP = [
    *rows("bread", "base", "+-"), *rows("cups", "base", "--"),
    *(r for method in ("frs:steps=2", "frs", "frs:integrator=midpoint") for task in ("bread", "cups")
      for r in rows(task, method, "+-")),
    *(r for task in ("bread", "cups") for r in rows(task, "frs", "--", reasoner="noisy:0.2")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "names"),
    [(ONE, ["success"]), (TWO, ["success", "cost"]), (MEASURED, ["success", "cost", "in_distribution"]),
     ([*ONE, unbegun("bread", "base", 9), unbegun("bread", "frs", 9)], ["success"]), ([unbegun("bread", "base")], []),
     (SWEEP, ["success", "cost", "by_steps", "by_integrator", "by_wrong"])],
)  # fmt: skip
def test_there_is_a_plot_for_whatever_was_swept(tmp_path: Path, given: list[Row], names: list[str]) -> None:
    files = plot(given, tmp_path)
    assert [path.name for path in files] == [f"{name}.png" for name in names]
    for path in files:
        height, width, _ = cv2.imread(str(path)).shape
        assert height >= 400
        assert width >= 700


def test_plots_of_earlier_rows_go(tmp_path: Path) -> None:
    plot([*SWEEP, *MEASURED], tmp_path)
    files = plot(ONE, tmp_path)
    assert list(tmp_path.iterdir()) == files
