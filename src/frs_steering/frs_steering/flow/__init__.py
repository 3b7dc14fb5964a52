"""The mathematics of flow reversal steering: velocity fields, denoise, reverse, delegation.

Begin with `integrate`. No module here imports torch: a tensor brings its own operations, and a process that only
names a method does not wait for the library.
"""

from frs_steering.flow.field import CountedField, VelocityField, time_reversed
from frs_steering.flow.fixed_point import FixedPoint, Inversion, invert
from frs_steering.flow.integrate import denoise, reverse
from frs_steering.flow.integrators import EULER, INTEGRATORS, Integrator, integrator
from frs_steering.flow.noise import Parameterisation
from frs_steering.flow.steering import Steered, delegate, steer

__all__ = [
    "EULER",
    "INTEGRATORS",
    "CountedField",
    "FixedPoint",
    "Integrator",
    "Inversion",
    "Parameterisation",
    "Steered",
    "VelocityField",
    "delegate",
    "denoise",
    "integrator",
    "invert",
    "reverse",
    "steer",
    "time_reversed",
]
