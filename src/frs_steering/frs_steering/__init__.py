"""Flow Reversal Steering on a robot arm: the method and the nodes that carry it."""
