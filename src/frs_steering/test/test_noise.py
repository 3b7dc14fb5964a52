"""Parameterisations of noise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_steering.flow import Parameterisation

H, D = 16, 7
NAMES = ["full", "tiled", "dct1", "dct4", "dct16"]


def draw(rows: int, seed: int, batch: int = 3) -> torch.Tensor:
    return torch.randn((batch, rows, D), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15)
def test_they_are_idempotent_orthogonal_projections(name: str, seed: int) -> None:
    to = Parameterisation(name)
    x, y = draw(H, seed), draw(H, seed + 1)
    once = to.project(x)
    torch.testing.assert_close(to.project(once), once, atol=1e-5, rtol=1e-5)
    assert float(once.norm()) <= float(x.norm()) * (1 + 1e-5)
    torch.testing.assert_close((once * y).sum(), (x * to.project(y)).sum(), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15)
def test_coordinates_are_kept_and_have_the_length_of_noise(name: str, seed: int) -> None:
    to = Parameterisation(name)
    k = to.rows(H)
    coordinates = draw(k, seed)
    noise = to.expand(coordinates, H)
    assert noise.shape == (3, H, D)
    torch.testing.assert_close(to.compress(noise), coordinates, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(noise.square().sum() / (H * D), coordinates.square().sum() / (k * D))


def test_what_they_are() -> None:
    x = draw(H, 0)
    torch.testing.assert_close(Parameterisation("tiled").compress(x), x.mean(1, keepdim=True))
    torch.testing.assert_close(Parameterisation("tiled").expand(x[:, :1], H), x[:, :1].expand(-1, H, -1))
    torch.testing.assert_close(Parameterisation("dct16").project(x), x, atol=1e-5, rtol=1e-5)
    assert torch.equal(Parameterisation("full").project(x), x)
    ramp = torch.linspace(-1, 1, H)[None, :, None].expand(1, H, D)
    assert float((Parameterisation("dct4").project(ramp) - ramp).abs().max()) < 0.1  # low frequencies keep what is slow
    low = Parameterisation("dct4").project(x.bfloat16())
    assert low.dtype == torch.bfloat16


def test_what_does_not_exist_is_named() -> None:
    for name in ("dct0", "dct", "half", "dct-1"):
        with pytest.raises(ValueError, match=f"noise is '{name}'; it must be full, tiled, or dct<k>"):
            Parameterisation(name)
    with pytest.raises(ValueError, match="a chunk of 16 rows has no more than dct16"):
        Parameterisation("dct17").rows(H)
