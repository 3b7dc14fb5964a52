"""The embedded policy: its file, its inputs, its normalisation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from frs_steering.policies import Observation, PolicyError, load_policy
from frs_steering.policies.embedded import EmbeddedPolicy, Network, NetworkConfig, load, save


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    return Network(NetworkConfig(keypoints=4, features=16, hidden=32, blocks=1, vocabulary=("a", "b")))


def observation(instruction: str) -> Observation:
    images = {camera: np.full((224, 224, 3), 90, np.uint8) for camera in ("exterior", "wrist")}
    return Observation(images, np.zeros(7), 0.5, (0.0, 0.0), instruction)


def test_a_file_gives_back_what_was_saved(network: Network, tmp_path: Path) -> None:
    save(network, tmp_path / "w.safetensors")
    policy = load(tmp_path / "w.safetensors")
    assert policy.network.config == network.config
    before = EmbeddedPolicy(network, "").encode(policy.prepare(observation("a"))).features
    torch.testing.assert_close(policy.encode(policy.prepare(observation("a"))).features, before)
    assert len(policy.spec.weights_sha256) == 64


def test_an_instruction_that_was_not_trained_is_unknown(network: Network) -> None:
    policy = EmbeddedPolicy(network, "")
    numbers = [int(policy.prepare(observation(text)).instruction) for text in ("a", "b", "sing", "")]
    assert numbers == [1, 2, 0, 0]


def test_bad_files_are_named(network: Network, tmp_path: Path) -> None:
    missing, garbage, foreign = (tmp_path / name for name in ("missing", "garbage", "foreign"))
    garbage.write_bytes(b"not weights")
    save(network, foreign)
    data = foreign.read_bytes()
    foreign.write_bytes(data.replace(b'"embedded"', b'"somebody"'))
    truncated = tmp_path / "truncated"
    truncated.write_bytes(data[: len(data) // 2])
    for path, words in (
        (missing, "does not exist"),
        (garbage, "can't be read"),
        (foreign, "is for policy 'somebody'"),
        (truncated, "can't be read"),
    ):
        with pytest.raises(PolicyError, match=words) as error:
            load_policy("embedded", path)
        assert str(path) in str(error.value)
    with pytest.raises(PolicyError, match="no policy is called 'pi9'; there are: embedded"):
        load_policy("pi9")


@given(st.integers(0, 2**31))
def test_normalisation_is_undone(seed: int) -> None:
    chunk = torch.rand((3, 16, 7), generator=torch.Generator().manual_seed(seed))
    policy = EmbeddedPolicy(Network(NetworkConfig(keypoints=1, features=2, hidden=2, blocks=0)), "")
    torch.testing.assert_close(policy.denormalise(policy.normalise(chunk)), chunk)


def test_the_weights_that_come_with_the_package_load_and_fit_the_repository() -> None:
    policy = load()
    assert policy.spec.horizon == 16 and policy.spec.dim == 7
    path = Path(__file__).parents[1] / "frs_steering" / "policies" / "embedded" / "weights.safetensors"
    assert path.stat().st_size < 20e6
