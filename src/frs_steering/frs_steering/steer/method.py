"""How a chunk is made from a reference: a source by name, and its settings. Parsed from text and written as text."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from frs_steering.flow import INTEGRATORS, Parameterisation
from frs_steering.steer.sources import SOURCES, Source


class MethodError(ValueError):
    """A method that does not exist or makes no sense; the message names it, the value, and what would be right."""


@dataclass(frozen=True)
class Method:
    """How a chunk is made.

    A source takes only some of the settings; the others must be left at their defaults. `str` gives the text that
    `parse_method` takes.

    Attributes:
        source: name in SOURCES.
        steps: K, steps of the sampler and, where there is one, of the reversal; 10 in the paper.
        integrator: name in `flow.INTEGRATORS`, of reversal and denoising alike.
        iterations: M a step, of the fixed point.
        delegate: whether what is not commanded is left to the policy: for frs fresh noise, where "no" is an ablation;
            for partial the policy's own sample, where "no" is as in the paper.
        ahead: rows beyond those that are driven for which a wish is meant as well; the rest of the chunk, which the
            next one replaces, is delegated. As many as the chunk has: all are commanded, as in the paper.
        max_length: RMS of a reference's recovered noise over what is commanded beyond which it is shortened; fresh
            noise has about 1. inf: nothing is shortened, as in the paper.
        sigma: size of the noise that is then added to it (the paper: 1 to 2 still helped).
        strength: share (0, 1] of the way to noise that partial noising goes; 1 is the base policy.
        candidates: samples among which rank chooses.
        noise: name of a `flow.Parameterisation`.

    Raises:
        MethodError: the source is unknown, a setting is not one of its, or a value is out of its range.
    """

    source: str = "frs"
    steps: int = 10
    integrator: str = "euler"
    iterations: int = 5
    delegate: bool = True
    ahead: int = 0
    max_length: float = 1.2
    sigma: float = 0.0
    strength: float = 0.5
    candidates: int = 8
    noise: str = "full"

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise MethodError(f"method is {self.source!r}; it must be one of {', '.join(SOURCES)}")
        for name in self._changed():
            if name not in self._source.settings:
                raise MethodError(f"method {self.source!r} has no setting {name!r}; it has {_listed(self._source)}")
        self._check("steps", 1, 1000)
        self._check("iterations", 1, 100)
        self._check("ahead", 0, 1000)
        self._check("max_length", 0.1, math.inf)
        self._check("sigma", 0.0, 10.0)
        self._check("strength", 0.0, 1.0)
        self._check("candidates", 1, 1000)
        if self.strength == 0.0:
            raise MethodError("strength is 0.0; it must be above 0: without noise the reference is executed ('direct')")
        if self.integrator not in INTEGRATORS:
            raise MethodError(f"integrator is {self.integrator!r}; it must be one of {', '.join(INTEGRATORS)}")
        if "iterations" in self._changed() and self.integrator != "fixed_point":
            raise MethodError(
                f"iterations is {self.iterations} but integrator is {self.integrator!r}; only 'fixed_point' has them"
            )
        try:
            Parameterisation(self.noise)
        except ValueError as error:
            raise MethodError(str(error)) from None

    def __str__(self) -> str:
        given = ",".join(f"{name}={_written(getattr(self, name))}" for name in self._changed())
        return f"{self.source}:{given}" if given else self.source

    @property
    def needs_reference(self) -> bool:
        """Whether it follows guidance; the others act by themselves or on a noise from outside."""
        return self._source.needs_reference

    @property
    def needs_noise(self) -> bool:
        """Whether it is given its noise from outside."""
        return self._source.needs_noise

    @property
    def noise_makes_chunk(self) -> bool:
        """Whether a chunk is its noise denoised; the others mix the reference in, and their noise says too little."""
        return self._source.noise_makes_chunk

    def commanded(self, mask: np.ndarray, horizon: int, execute_rows: int) -> np.ndarray:
        """The latents that a wish commands; the others are delegated.

        A wish is for the time until the next one. Rows beyond that are delegated like the dimensions that nobody wished
        anything of: a reference that commands them too asks the policy for a longer way than will be driven. Noise with
        fewer coordinates than rows has no rows that could be told apart.

        Args:
            mask: (D,) or (B, 1, D) bool, the commanded dimensions.
            horizon: H.
            execute_rows: rows of a chunk that are driven before the next one takes over.

        Returns:
            (H, D) or (B, H, D) bool.
        """
        rows = execute_rows + self.ahead if self.delegate and self.noise == "full" else horizon
        return (np.arange(horizon) < rows)[:, None] & (mask if self.delegate else np.ones_like(mask))

    def alone(self) -> Method:
        """The base policy with as many steps: what acts where nobody wishes anything or a chunk is not trusted."""
        return Method("base", steps=self.steps, noise="full" if self.needs_reference else self.noise)

    @property
    def _source(self) -> Source:
        return SOURCES[self.source]

    def _changed(self) -> list[str]:
        fields = dataclasses.fields(self)[1:]
        return [field.name for field in fields if getattr(self, field.name) != field.default]

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:  # and so not NaN
            raise MethodError(f"{name} is {value}; it must lie in [{low}, {high}]")


def parse_method(text: str) -> Method:
    """Read `source` or `source:setting=value,...`, such as "frs:steps=20,delegate=no".

    Raises:
        MethodError: it can't be read, or as `Method`.
    """
    source, colon, rest = text.strip().partition(":")
    if source not in SOURCES:
        raise MethodError(f"method is {source!r}; it must be one of {', '.join(SOURCES)}")
    if colon and not rest:
        raise MethodError(f"method {text!r} ends in ':'; settings must follow, or nothing")
    values: dict[str, object] = {}
    for part in rest.split(",") if rest else []:
        name, equals, value = (word.strip() for word in part.partition("="))
        if name not in SOURCES[source].settings:
            raise MethodError(f"method {source!r} has no setting {name!r}; it has {_listed(SOURCES[source])}")
        if not equals or name in values:
            raise MethodError(f"method {text!r} must give each setting once, as {name}=VALUE")
        values[name] = _read(name, value)
    return Method(source, **values)  # type: ignore[arg-type] # _read has seen to the kinds


def _read(name: str, text: str) -> object:
    default = getattr(Method, name)  # the dataclass keeps its defaults as attributes
    if isinstance(default, bool):
        if text not in ("yes", "no"):
            raise MethodError(f"{name} is {text!r}; it must be yes or no")
        return text == "yes"
    if isinstance(default, str):
        return text
    kind = type(default)
    try:
        return kind(text)
    except ValueError:
        raise MethodError(f"{name} is {text!r}; it must be {'a whole number' if kind is int else 'a number'}") from None


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, float) else str(value)


def _listed(source: Source) -> str:
    return ", ".join(source.settings) or "none"
