"""The mathematics of flow reversal steering: velocity fields, denoise, reverse, delegation."""

from frs_steering.flow.field import VelocityField, time_reversed
from frs_steering.flow.integrate import denoise, reverse
from frs_steering.flow.steering import Steered, delegate, steer

__all__ = ["Steered", "VelocityField", "delegate", "denoise", "reverse", "steer", "time_reversed"]
