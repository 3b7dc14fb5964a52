"""ROS parameters as frozen dataclasses: declared once, validated once, errors name the parameter."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

if TYPE_CHECKING:
    from rclpy.node import Node

T = TypeVar("T")


ROS_OWN = ("use_sim_time", "start_type_description_service")
"""Parameters of every node, beside those of QoS."""


class ParameterError(ValueError):
    """A parameter is unknown, out of range or of the wrong kind; the message names it and what would be right."""


def param(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a field of a parameter dataclass.

    Args:
        default: value where no YAML file or override gives one; its type is the parameter's type
            (bool, int, float, str, or a list of one of these).
        description: one line with the unit, shown by `ros2 param describe`.
        low: smallest allowed number.
        high: largest allowed number.
        choices: allowed strings; empty for any.
    """
    metadata = {"description": description, "low": low, "high": high, "choices": choices}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def declare(node: Node, cls: type[T]) -> T:
    """Declare every field of the dataclass `cls` on `node` (read-only), and return the checked values.

    Raises:
        ParameterError: a value is out of its range, not among its choices, or of another type; or one was given that
            the node does not have: a mistyped limit would not hold.
    """
    known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for name in node._parameter_overrides:  # rclpy has no public way to what was given
        if name not in (*known, *ROS_OWN) and not name.startswith("qos_overrides."):
            raise ParameterError(
                f"node {node.get_name()!r} has no parameter {name!r}; it has {', '.join(sorted(known)) or 'none'}"
            )
    defaults = cls()
    values = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        default = getattr(defaults, field.name)
        given = node._parameter_overrides.get(field.name)
        # Before it is declared: rclpy would refuse a number out of its range with words that lack the meaning.
        values[field.name] = (
            default if given is None else _checked(node.get_name(), field.name, given.value, default, field.metadata)
        )
        descriptor = ParameterDescriptor(
            description=field.metadata["description"],
            additional_constraints=", ".join(field.metadata["choices"]),
            read_only=True,
            dynamic_typing=True,  # so that a wrong type gets our message instead of a traceback
            **_ranges(default, field.metadata["low"], field.metadata["high"]),
        )
        try:
            node.declare_parameter(field.name, default, descriptor)
        except Exception as error:
            raise ParameterError(f"parameter {field.name!r} of node {node.get_name()!r}: {error}") from error
    return cls(**values)


def _ranges(default: Any, low: float | None, high: float | None) -> dict[str, Any]:
    # Announced for tools; _checked is what holds them.
    if low is None or high is None or isinstance(default, (bool, str, list)):
        return {}
    if isinstance(default, int):
        return {"integer_range": [IntegerRange(from_value=int(low), to_value=int(high), step=1)]}
    return {"floating_point_range": [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]}


def _checked(node: str, name: str, value: Any, default: Any, metadata: Any) -> Any:
    where = f"parameter {name!r} of node {node!r}"
    kind = type(default)
    if kind is float and type(value) is int:
        value = float(value)
    if kind is list and hasattr(value, "__iter__") and not isinstance(value, str):
        value = list(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ParameterError(f"{where} is {value!r}; it must be of type {kind.__name__}: {metadata['description']}")
    low, high = metadata["low"], metadata["high"]
    for number in value if isinstance(value, list) else [value]:
        outside = (low is not None and not number >= low) or (high is not None and not number <= high)
        if outside:
            raise ParameterError(f"{where} is {value!r}; it must lie in [{low}, {high}]: {metadata['description']}")
    if metadata["choices"] and value not in metadata["choices"]:
        raise ParameterError(f"{where} is {value!r}; it must be one of {', '.join(metadata['choices'])}")
    return value
