"""A clip painted frame by frame, each held to the last one where optical flow says what moved where."""
