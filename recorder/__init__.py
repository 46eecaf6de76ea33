"""A sensor, or somebody else's files, in; `session.h5` out."""
