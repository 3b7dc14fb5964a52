"""Which training a checkpoint is of, and the losses until there."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from frs_steering.learn.checkpoint import cut, identity, resume, write
from frs_steering.learn.demonstrations import Sights
from frs_steering.learn.errors import TrainingError


@dataclass(frozen=True)
class Settings:
    seed: int = 0


SIGHTS = Sights(torch.zeros((4, 2, 8, 8, 3), dtype=torch.uint8), torch.zeros((4, 7)), torch.zeros((4, 3)),
                torch.zeros((4, 2, 3)))  # fmt: skip


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Sights)])
def test_other_data_make_another_training(field: str) -> None:
    other = dataclasses.replace(SIGHTS, **{field: getattr(SIGHTS, field) + 1})
    first = identity(Settings(), SIGHTS, SIGHTS, None)
    assert identity(Settings(), SIGHTS, SIGHTS, None) == first
    assert identity(Settings(), other, SIGHTS, None)["demonstrations"] != first["demonstrations"]
    assert identity(Settings(), SIGHTS, other, None)["sights"] != first["sights"]


def test_other_settings_and_first_weights_make_another_training(tmp_path: Path) -> None:
    start = tmp_path / "start.pt"
    start.write_bytes(b"weights")
    found = [identity(Settings(seed), SIGHTS, SIGHTS, path) for seed, path in ((0, None), (1, None), (0, start))]
    assert [(one["seed"], one["first weights"] == "none") for one in found] == [
        ("0", True), ("1", True), ("0", False)
    ]  # fmt: skip


def test_what_was_written_is_given_back_to_its_own_training_alone(tmp_path: Path) -> None:
    checkpoint, network = tmp_path / "checkpoint.pt", torch.nn.Linear(2, 2)
    assert resume(checkpoint, {"network": network}, {"seed": "0"}, "cpu") == 0
    write(checkpoint, {"network": network}, 7, {"seed": "0"})
    other = torch.nn.Linear(2, 2)
    assert resume(checkpoint, {"network": other}, {"seed": "0"}, "cpu") == 7
    assert torch.equal(other.weight, network.weight)
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another training \(seed 0, not 1\); take another"):
        resume(checkpoint, {"network": other}, {"seed": "1"}, "cpu")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt is of another network .*size mismatch"):
        resume(checkpoint, {"network": torch.nn.Linear(3, 2)}, {"seed": "0"}, "cpu")


def test_a_checkpoint_that_does_not_say_whose_it_is_is_refused(tmp_path: Path) -> None:
    torch.save({"iteration": 7}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="an older version wrote it; take another directory, or delete it"):
        resume(tmp_path / "checkpoint.pt", {}, {}, "cpu")


def test_losses_that_come_again_are_dropped(tmp_path: Path) -> None:
    log = tmp_path / "losses.jsonl"
    assert cut(log, 0) == 0.0
    assert log.read_text() == ""
    lines = [f'{{"iteration": {i}, "flow": 0.5, "seconds": {i / 10}}}\n' for i in (100, 200, 300)]
    log.write_text("".join(lines) + '{"iteration": 4')
    assert cut(log, 200) == 20.0
    assert log.read_text() == "".join(lines[:2])
