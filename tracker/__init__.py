"""`session.h5` in, `session.track.h5` out: hand and object in every frame, or a word that they are not known."""
