"""Training: the embedded policy on demonstrations, and noise policies on recorded rollouts."""
