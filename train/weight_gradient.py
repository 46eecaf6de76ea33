"""The gradient of a convolution's weights, where that of its maps is zero at many pixels, as it is before ReLU.

In: what the convolution saw, and the gradient of its maps. Out: that of its weights: of each map the sum, over pixels,
of the pixel's gradient times what the filter saw there. torch multiplies zeros, too; here pixels of zero gradient are
left out, which with half of them is sooner, and with none of them is not. Nothing is rounded otherwise.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TOGETHER = 8
"""pixels added at once, so that a sum is read and written once for all of them"""


def weight_gradient(of_maps: Tensor, inputs: Tensor) -> Tensor:
    """Of stride 1, unpadded.

    Args:
        of_maps: (B, O, H, W), soonest in channels-last order, as is the next.
        inputs: (B, C, H + rows of the filter - 1, W + columns of the filter - 1), of the same type.

    Returns:
        (O, C, rows, columns).
    """
    gradients, images = _by_pixel(of_maps), _by_pixel(inputs)
    rows, columns = (images.shape[axis] - gradients.shape[axis] + 1 for axis in (1, 2))
    count, channels = gradients.shape[3], images.shape[3]

    def of_part(part: slice) -> Tensor:
        # torch aligns memory to what processors load at once, NumPy does not
        sums = torch.zeros(count, columns * rows * channels, dtype=inputs.dtype)
        strip = torch.empty((images.shape[2] * rows + gradients.shape[1]) * channels, dtype=inputs.dtype)
        add_images(images[part], gradients[part], sums.numpy(), strip.numpy(), rows)
        return sums

    threads = torch.get_num_threads()
    ends = np.linspace(0, len(images), threads + 1).astype(int)
    parts = [slice(begin, end) for begin, end in pairwise(ends)]
    found = torch.stack(list(_pool(threads).map(of_part, parts))).sum(0)
    return found.view(count, columns, rows, channels).permute(0, 3, 2, 1)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "weight-gradient")


def _by_pixel(maps: Tensor) -> NDArray[Any]:
    """(B, C, H, W) -> (B, H, W, C), a copy only where the order is another."""
    return maps.detach().contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1).contiguous().numpy()


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_images(images: Any, gradients: Any, sums: Any, strip: Any, rows: Any) -> None:
    """Adds to `sums` what the images give.

    Args:
        images: (B, H, W, C).
        gradients: (B, H - rows + 1, w, O).
        sums: (O, columns * rows * C), of the filter column by column.
        strip: ((W * rows + H - rows + 1) * C,) to work in: what a row of the maps sees, column by column, so that what
            the filter sees at a pixel is one run of numbers. For the next row it begins a pixel later, and the new
            last row of each column takes the place of the first one of the next column, which is seen no more.
        rows: of the filter.
    """
    _, height, width, count = gradients.shape
    channels = images.shape[3]
    starts, values = np.empty(width + TOGETHER, np.uint64), np.empty(width + TOGETHER, sums.dtype)
    for image in range(len(images)):
        for y in range(height):
            seen = strip[y * channels :]
            for row in range(0 if y == 0 else rows - 1, rows):
                _put_row(images[image, y + row], seen[row * channels :], rows)
            for of_map in range(count):
                found = _find_pixels(gradients[image, y], of_map, rows * channels, starts, values)
                for first in range(0, found, TOGETHER):
                    _add_pixels(sums[of_map], seen, starts[first:], values[first:])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _put_row(line: Any, strip: Any, rows: Any) -> None:
    """(W, C) of an image, each pixel to the column of the strip that is its own."""
    width, channels = np.uint64(line.shape[0]), np.uint64(line.shape[1])
    step = np.uint64(rows) * channels
    for x in range(width):
        for channel in range(channels):
            strip[x * step + channel] = line[x, channel]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _find_pixels(gradients: Any, of_map: Any, step: Any, starts: Any, values: Any) -> Any:
    """Of a row (w, O) the pixels whose gradient is not zero: where the strip has them, their gradients, their number.

    Behind them are some of gradient zero, so that they come in groups of TOGETHER.
    """
    found = np.uint64(0)
    for x in range(len(gradients)):
        value = gradients[x, of_map]
        starts[found], values[found] = x * step, value
        found += np.uint64(value != 0)
    starts[found : found + TOGETHER], values[found : found + TOGETHER] = 0, 0
    return found


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _add_pixels(sums: Any, strip: Any, starts: Any, values: Any) -> None:
    """TOGETHER pixels of one map. Indices are unsigned: negative ones would be tried, and loops not be vectors'."""
    a, b, c, d, e, f, g, h = starts[0], starts[1], starts[2], starts[3], starts[4], starts[5], starts[6], starts[7]
    of_a, of_b, of_c, of_d, of_e, of_f, of_g, of_h = (
        values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7],
    )  # fmt: skip
    for at in range(np.uint64(len(sums))):
        total = sums[at] + of_a * strip[a + at]
        total += of_b * strip[b + at]
        total += of_c * strip[c + at]
        total += of_d * strip[d + at]
        total += of_e * strip[e + at]
        total += of_f * strip[f + at]
        total += of_g * strip[g + at]
        total += of_h * strip[h + at]
        sums[at] = total


add_images: Any = _add_images  # numba's own type says nothing of arguments
