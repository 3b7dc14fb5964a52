"""The journal: one MCAP file an episode, its writer, its reader, its checks and the video made from it."""
