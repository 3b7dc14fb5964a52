"""Scripted experts: from the true state to the next Cartesian action.

They keep no memory, so they recover by themselves from whatever happens. The oracle reasoner uses the same plans,
reduced to what a person at a keyboard could say.
"""

from frs_sim.expert.imagine import imagine
from frs_sim.expert.motion import STRAIGHT, Phase, Plan, Style, act
from frs_sim.expert.plan import next_goal, plan

__all__ = ["STRAIGHT", "Phase", "Plan", "Style", "act", "imagine", "next_goal", "plan"]
