"""Ray clusters, as every stage that shares its work over machines joins one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scene.errors import InputError, UnoccludeError, require


@contextmanager
def joined(address: str, error_type: type[UnoccludeError], advice: str) -> Iterator[Any]:
    """The module `ray`, connected to a cluster while the context lasts.

    Args:
        address: `auto`, HOST:PORT, or `local` to start a cluster of this machine.
        error_type: raised where Ray does not start, or a worker is lost.
        advice: what to do where a worker was lost, as the end of the sentence.

    Raises:
        MissingError: Ray is not installed.
        InputError: no cluster answers at the address.
    """
    ray: Any = require("ray", extra="cluster")
    _join(ray, address, error_type)
    try:
        yield ray
    except ray.exceptions.RayError as error:
        raise error_type(f"the cluster at {address} lost a worker ({type(error).__name__}); {advice}") from error
    finally:
        ray.shutdown()


def _join(ray: Any, address: str, error_type: type[UnoccludeError]) -> None:
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"--cluster must be the address of a running Ray cluster and none answers at {address}; start one with "
            "ray start --head, or give --cluster local"
        ) from error
    except Exception as error:  # Ray's own word for a machine too busy to start on
        reason = str(error).split("\n", maxsplit=1)[0]
        raise error_type(
            f"Ray must start at {address} and does not ({reason}); see its log in the folder ray of this machine's "
            "temporary files, or leave out --cluster"
        ) from error
