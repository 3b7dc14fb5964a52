"""The embedded policy: network, weights, and what turns observations into its inputs."""

from frs_steering.policies.embedded.network import Network, NetworkConfig
from frs_steering.policies.embedded.policy import EmbeddedPolicy, load, save

__all__ = ["EmbeddedPolicy", "Network", "NetworkConfig", "load", "save"]
