"""Noise policies: their training, their file, and what they say."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from policy_examples import SPEC
from rollout_samples import WEIGHTS, D, F, H, decision, drove, messages
from safetensors.torch import load_file, save_file

from frs_steering.learn.errors import TrainingError
from frs_steering.learn.noise_curve import plot_curves
from frs_steering.learn.noise_data import NoiseData, gather
from frs_steering.learn.noise_policy import NoisePolicyError, load, save
from frs_steering.learn.rollouts import rollout
from frs_steering.learn.train_noise_policy import Recipe, Trained, config_for, drawn, split, train

QUICK = Recipe(steps=800, batch=64, rate=2e-3, patience=300)


def data(kind: str = "dsbc", count: int = 400, **more) -> NoiseData:
    return gather([rollout("e1", "egg", "succeeded", messages(count))], kind=kind, **more)


def trained(kind: str = "dsbc", loss: str = "nll", noise: str = "tiled", **more) -> Trained:
    pairs = data(kind, noise=noise, **more)
    return train(pairs, config_for(pairs, kind=kind, noise=noise, loss=loss, bound=5.0), QUICK)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("learnt") / "egg.safetensors"
    made = trained()
    save(made.network, made.trained_on, made.held_out, path)
    return path


@pytest.mark.parametrize("loss", ["nll", "mse"])
def test_it_learns_what_is_a_function_of_what_is_seen(loss: str):
    made = trained(loss=loss)
    seen = data(count=400).inputs
    steers, mean, spread = made.network(seen)
    right = (mean[:, 0, :3].sign() == seen[:, :3].sign()).float().mean()
    assert right > 0.9
    assert steers.sigmoid().mean() > 0.95, "somebody always steered"
    assert (mean[:, 0, 3:] == 0.0).all() and (spread[:, 0, 3:] == 1.0).all(), "nobody ever commanded those"
    assert spread[:, 0, :3].mean() < 0.7, "what is said follows from what is seen"


def test_it_learns_when_nobody_steered():
    rng = np.random.default_rng(5)
    told = [message for i in range(1, 301) for message in (decision(i, rng, steered=i % 3 != 0), drove(i))]
    for message in told[::2]:  # a decision, then its report
        message.gripper = float(message.source == message.SOURCE_BASE)
    pairs = gather([rollout("e1", "egg", "succeeded", told)], kind="dsbc")
    made = train(pairs, config_for(pairs, kind="dsbc", noise="full", loss="nll", bound=5.0), QUICK)
    steers, mean, _ = made.network(pairs.inputs)
    assert ((steers > 0.0) == pairs.expert).float().mean() > 0.95
    wished = mean[pairs.expert, :, :3].mean(1)
    assert wished.abs().mean() > 1.0, "a wish is not diluted by the chunks that nobody steered"


def test_where_it_does_not_steer_it_says_fresh_noise(file: Path):
    policy = load(file)
    with torch.no_grad():
        policy.network.layers[-1].bias[0] = -1e3
        policy.network.layers[-1].weight[0] = 0.0
    rng = np.random.default_rng(0)
    said = [policy.propose(rng.standard_normal(F).astype(np.float32), np.zeros(7), 0.5, seed) for seed in range(300)]
    np.testing.assert_allclose([np.mean(said), np.std(said)], [0.0, 1.0], atol=0.1)


def test_the_best_weights_on_what_was_held_out_are_kept(tmp_path: Path):
    made = trained()
    assert made.best.held_out == min(look.held_out for look in made.looks) == made.trained_on.held_out_loss
    assert made.trained_on.steps == made.best.step < made.looks[-1].step
    assert plot_curves(made, tmp_path / "losses.png").stat().st_size > 0


def test_a_training_that_has_hardly_begun_is_not_kept():
    pairs = data(count=60)
    generator = torch.Generator().manual_seed(0)
    pairs = dataclasses.replace(pairs, targets=torch.randn(pairs.targets.shape, generator=generator))
    config = config_for(pairs, kind="dsbc", noise="full", loss="mse", bound=5.0)
    made = train(pairs, config, Recipe(steps=800, least=400, patience=200))
    soonest = min(made.looks, key=lambda look: look.held_out)
    assert 0 < soonest.step < 400 <= made.best.step == made.trained_on.steps
    assert made.best.held_out == min(look.held_out for look in made.looks if look.step >= 400)
    assert made.looks[-1].step == made.best.step + 200


def test_where_nothing_can_be_learnt_nothing_comes_out():
    pairs = data(count=60)
    config = config_for(pairs, kind="dsbc", noise="full", loss="nll", bound=5.0)
    with pytest.raises(TrainingError, match="of 60 chunks nothing was learnt that holds for those held out"):
        train(pairs, config, Recipe(steps=100, rate=0.0))  # it never gets better than it begins


def test_the_same_seed_learns_the_same():
    one, two = (train(data(count=20), config_for(data(count=20), kind="dsbc", noise="full", loss="nll", bound=5.0),
                      Recipe(steps=100, batch=16)) for _ in range(2))  # fmt: skip
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, two.network.state_dict()[name]), name


def test_it_looks_at_nothing_but_what_tells_of_the_task():
    pairs = dataclasses.replace(data(noise="tiled"), parts=(1, 1, 1, 1, 7, 1))
    made = train(pairs, config_for(pairs, kind="dsbc", noise="tiled", loss="nll", bound=5.0), Recipe(steps=50))
    looked_at = made.network.config.looks_at
    assert {0, 1, 2, F + 7} <= set(looked_at), "three features, and the gripper"
    others = [at for at in range(F + 8) if at not in looked_at]
    assert len(others) >= 7, "no joint tells anything"
    changed = pairs.inputs.clone()
    changed[:, others] += 1.0
    for before, after in zip(made.network(pairs.inputs), made.network(changed), strict=True):
        assert torch.equal(before, after)


def test_chunks_come_out_in_their_units():
    made = trained("bc", "mse")
    pairs = data("bc")
    _, mean, _ = made.network(pairs.inputs)
    said = mean * made.network.output_spread + made.network.output_mean
    assert (said[:, :, :3].mean(1).sign() == pairs.inputs[:, :3].sign()).float().mean() > 0.9


def rounds(sources: list[str]) -> NoiseData:
    """Pairs of which each was steered as the list says."""
    one = rollout("e1", "egg", "succeeded", messages(len(sources)))
    steps = [dataclasses.replace(step, source=source) for step, source in zip(one.steps, sources, strict=True)]
    return gather([dataclasses.replace(one, steps=tuple(steps))], kind="dsbc")


def test_corrections_and_the_noise_policys_own_chunks_are_drawn_half_and_half():
    pairs = rounds(["human"] * 6 + ["vlm", "scripted", "base", "base"] + ["noise policy"] * 90)
    kept = torch.arange(1, 100)
    batch = drawn(kept, pairs, 128)
    alone = round(128 * 2 / 99)  # the policy's own chunks keep their share
    assert int(((batch == 8) | (batch == 9)).sum()) == alone
    assert int(pairs.expert[batch].sum()) == int(pairs.own[batch].sum()) == (128 - alone) // 2
    assert int(batch.min()) >= 1


@pytest.mark.parametrize("sources", [["base", "human"], ["base", "noise policy"], ["base"], ["human"]])
def test_without_corrections_of_a_noise_policy_all_chunks_are_equally_likely(sources: list[str]):
    pairs = rounds(sources * 4)
    counts = torch.bincount(drawn(torch.arange(len(pairs)), pairs, 8000), minlength=len(pairs))
    assert counts.sum() == 8000 and (counts / 8000 * len(pairs)).allclose(torch.ones(len(pairs)), atol=0.25)


def test_whole_demonstrations_are_held_out():
    given = [rollout(f"e{number}", "egg", "succeeded", messages(20, number)) for number in range(10)]
    pairs = gather(given, kind="dsbc", demonstrations="euler:steps=10")
    held_out, kept = split(pairs, 0.15)
    assert sorted(torch.cat([held_out, kept]).tolist()) == list(range(200))
    apart = set(pairs.episode[held_out].tolist())
    assert len(apart) == 2 and not apart & set(pairs.episode[kept].tolist())
    assert len(split(gather(given[:1], kind="dsbc", demonstrations="euler:steps=10"), 0.15)[0]) == 3


def test_whole_rollouts_are_held_out_where_there_are_several():
    given = [rollout(f"e{number}", "egg", "succeeded", messages(20, number)) for number in range(10)]
    pairs = gather(given, kind="dsbc")
    held_out, kept = split(pairs, 0.15)
    assert len(held_out) == 40 and not set(pairs.episode[held_out].tolist()) & set(pairs.episode[kept].tolist())
    assert len(split(gather(given[:4], kind="dsbc"), 0.15)[0]) == 20
    assert len(split(gather(given[:3], kind="dsbc"), 0.15)[0]) == 9, "of three, one would be a third of all there is"


def test_too_few_chunks_are_refused():
    pairs = data(count=5)
    with pytest.raises(TrainingError, match="5 chunks are too few; at least 10"):
        train(pairs, config_for(pairs, kind="dsbc", noise="full", loss="nll", bound=5.0), QUICK)


def test_a_feature_that_never_changes_is_harmless():
    pairs = data()
    pairs.inputs[:, 0] = 1e6
    made = train(pairs, config_for(pairs, kind="dsbc", noise="full", loss="mse", bound=5.0), Recipe(steps=50, batch=16))
    assert all(np.isfinite(look.held_out) for look in made.looks)


def test_a_file_says_what_it_was_trained_on(file: Path):
    policy = load(file)
    assert policy.kind == "dsbc"
    assert policy.version == f"egg@{policy.sha256[:12]}"
    known = policy.trained_on
    assert (known.episodes, known.chunks, known.policy, known.weights_sha256) == (("e1",), 400, "made-up", WEIGHTS)
    assert policy.network.config.noise == "tiled"


def test_a_noise_is_drawn_by_its_seed_and_within_the_bound(file: Path):
    policy = load(file)
    seen = np.ones(F, np.float32), np.zeros(7), 0.5
    first, again, other = (policy.propose(*seen, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (1, D) and np.abs(first - other).max() > 0.01
    far = policy.propose(np.full(F, 1e30, np.float32), np.zeros(7), 0.5, seed=1)
    assert np.isfinite(far).all() and np.abs(far).max() <= 5.0


def test_what_it_cannot_see_is_refused(file: Path):
    policy = load(file)
    with pytest.raises(NoisePolicyError, match=rf"given 11 numbers, 0 of them not finite; it takes {F + 8}"):
        policy.propose(np.zeros(3, np.float32), np.zeros(7), 0.0, seed=0)
    with pytest.raises(NoisePolicyError, match="1 of them not finite"):
        policy.propose(np.zeros(F, np.float32), np.zeros(7), float("nan"), seed=0)


def test_another_policy_is_refused(file: Path):
    policy = load(file)
    policy.check_fits(dataclasses.replace(SPEC, weights_sha256=WEIGHTS))
    with pytest.raises(NoisePolicyError, match="of weights abababababab; the policy is 'embedded' of weights 00ff"):
        policy.check_fits(SPEC)
    with pytest.raises(NoisePolicyError, match=f"chunks of {H} x {D}; 'embedded' has 8 x {D}"):
        policy.check_fits(dataclasses.replace(SPEC, weights_sha256=WEIGHTS, horizon=8))


def header(file: Path, **changed: str) -> dict[str, str]:
    """The header of a noise policy's file, with changes."""
    found = load(file)
    known = {"config": found.network.config, "trained_on": found.trained_on}
    texts = {name: json.dumps(dataclasses.asdict(value)) for name, value in known.items()}
    return {"format": "frs-noise-policy-4", **texts, **changed}


def refused(path: Path, message: str) -> None:
    with pytest.raises(NoisePolicyError, match=message):
        load(path)


def test_it_carries_what_was_held_out_and_how_well_it_met_it(file: Path):
    found = load(file)
    assert found.held_out.inputs.shape == (32, F + 8) and found.held_out.targets.shape == (32, 1, D)
    made = trained()  # the same again
    assert float(found.held_out.losses.mean()) == pytest.approx(made.best.held_out, abs=0.2), "32 of the 60 held out"
    torch.testing.assert_close(found.held_out.losses, made.held_out.losses)


@pytest.mark.parametrize("layer", [0, 3, 6, 9])
def test_shuffled_weights_are_refused(file: Path, tmp_path: Path, layer: int):
    tensors, path = load_file(file), tmp_path / "shuffled.safetensors"
    name = f"layers.{layer}.weight"
    order = torch.randperm(tensors[name].numel(), generator=torch.Generator().manual_seed(layer))
    tensors[name] = tensors[name].flatten()[order].view_as(tensors[name])
    save_file(tensors, path, header(file))
    refused(path, "on the 32 recorded observations in it the loss is .*; its training ended with .*not those that were")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("layers.9.weight", lambda weight: weight * 1.1),
        ("layers.9.bias", lambda bias: bias + 0.1),
        ("layers.0.weight", lambda weight: weight * 1e6),
        ("layers.9.weight", torch.zeros_like),
        ("output_spread", lambda spread: spread * 100.0),
        ("input_mean", lambda mean: mean.roll(1)),
        ("held_out.targets", lambda targets: targets.flip(0)),
        ("held_out.losses", lambda losses: losses * float("nan")),
    ],
)
def test_altered_weights_and_altered_observations_are_refused(file: Path, tmp_path: Path, name: str, change):
    tensors, path = load_file(file), tmp_path / "altered.safetensors"
    tensors[name] = change(tensors[name]).contiguous()
    save_file(tensors, path, header(file))
    refused(path, "altered.safetensors must not be used: on the 32 recorded observations in it")


@pytest.mark.parametrize("part", ["inputs", "targets", "losses"])
def test_observations_of_other_shapes_are_refused(file: Path, tmp_path: Path, part: str):
    tensors, path = load_file(file), tmp_path / "odd.safetensors"
    tensors[f"held_out.{part}"] = tensors[f"held_out.{part}"][:0]
    save_file(tensors, path, header(file))
    refused(path, "its recorded observations have shapes .*, which are not its network's")


def test_files_without_recorded_observations_are_refused(file: Path, tmp_path: Path):
    tensors, path = load_file(file), tmp_path / "old.safetensors"
    weights = {name: value for name, value in tensors.items() if not name.startswith("held_out.")}
    save_file(weights, path, header(file))
    refused(path, "does not fit its network: .*inputs")
    save_file(weights, path, header(file, format="frs-noise-policy-1"))
    refused(path, "of an older format; train it anew: frs train dsbc")


def test_a_file_says_by_which_sampler_its_noises_make_chunks(file: Path, tmp_path: Path):
    pairs = gather([rollout("e1", "egg", "succeeded", messages(20, method="frs:steps=5"))], kind="dsbc")
    made = train(pairs, config_for(pairs, kind="dsbc", noise="full", loss="nll", bound=5.0), Recipe(steps=50, batch=16))
    path = tmp_path / "five.safetensors"
    save(made.network, made.trained_on, made.held_out, path)
    assert str(load(path).denoising) == "noise:steps=5"
    known = json.loads(header(path)["trained_on"])

    def altered(**changes: object) -> Path:
        told = {name: value for name, value in (known | changes).items() if value is not None}
        save_file(load_file(path), tmp_path / "altered.safetensors", header(path, trained_on=json.dumps(told)))
        return tmp_path / "altered.safetensors"

    refused(altered(sampler=None), "does not fit its network: 'sampler'")
    refused(altered(sampler={"integrator": "magic", "steps": 5}), "integrator is 'magic'")


def test_bad_files_are_named(file: Path, tmp_path: Path):
    tensors, path = load_file(file), tmp_path / "odd.safetensors"
    config = dataclasses.asdict(load(file).network.config)
    refused(tmp_path / "none", "none does not exist; make one with: frs train dsbc")
    path.write_bytes(b"")
    refused(path, "can't be read as safetensors")
    path.write_bytes(file.read_bytes()[:-100])
    refused(path, "can't be read as safetensors")
    save_file(tensors, path)
    refused(path, "holds None; a noise policy is 'frs-noise-policy-4'")
    save_file(tensors, path, header(file, config=json.dumps(config | {"width": 64})))
    refused(path, "does not fit its network")
    save_file(tensors, path, header(file, config=json.dumps(config | {"noise": "dct3"})))
    refused(path, "contradicts itself")
    tensors["layers.0.weight"][0, 0] = float("nan")
    save_file(tensors, path, header(file))
    refused(path, "weights that are not finite")
