"""Starting the stack, with and without launch."""
