"""Prints what each run gains on the one before it, on the same test images: figure 2 in pairs, not bar beside bar.

An image that is hard is hard for all runs, so that the differences, image by image, are known better than the means.

Usage: python -m scripts.step_differences PATCHES OBJECT RUN RUN ...; of each read-out the change of mean Euler error,
degrees, below zero where the later run is better, in brackets 95% by bootstrap over the images
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

from scene.arrays import Floats
from scene.metrics import mean_euler_error_deg
from train.errors import bootstrap_interval
from train.evaluate import evaluate_patches
from train.linemod.patches import read_object_patches
from train.run_folder import RunFolder


def main(arguments: list[str]) -> None:
    """Prints a line for each read-out of each run but the first."""
    if len(arguments) < 4:
        sys.exit("usage: step_differences.py PATCHES OBJECT RUN RUN ...")
    patches, name, *runs = arguments
    test = read_object_patches(Path(patches), name).test
    errors = {}
    for run in runs:
        estimates = evaluate_patches(RunFolder(Path(run)).load_model(), test, name).estimates
        errors[run] = {one.read_out: mean_euler_error_deg(one.estimated, one.true) for one in estimates}
    for before, after in pairwise(runs):
        for read_out in [kind for kind in errors[after] if kind in errors[before]]:
            told = change(errors[before][read_out], errors[after][read_out])
            print(f"{Path(before).name} to {Path(after).name}, {read_out.replace('_', ' ')}: {told}")


def change(before: Floats, after: Floats) -> str:
    """(N,), (N,) errors on the same images -> the mean of their differences, with its interval."""
    low, high = bootstrap_interval(after - before)
    return f"{(after - before).mean():+.2f} ({low:+.2f} to {high:+.2f})"


if __name__ == "__main__":
    main(sys.argv[1:])
