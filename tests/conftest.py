"""Tests assert correctness, never time: examples may take as long as they do on a busy machine."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
