"""How the nodes are, in words: pure functions from what a node knows to what `/diagnostics` says of it."""
