"""A session and its track in, `pairs.h5` out: each view with the hand, and the same without it."""
