"""What libraries in C print is lost only while it shall be."""

import os

import pytest

from scene.muted import standard_error_muted


def fails():
    with standard_error_muted():
        os.write(2, b"lost")
        raise ValueError("kept")


def test_standard_error_is_heard_again_whatever_is_raised(capfd):
    with pytest.raises(ValueError, match="kept"):
        fails()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
