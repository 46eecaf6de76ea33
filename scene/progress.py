"""A progress bar with rate and time left for everything that takes longer than a breath; on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

Item = TypeVar("Item")


class RateColumn(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        """The rate so far, or nothing before there is one."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:.1f}/s" if rate else "")


def track(
    items: Iterable[Item], description: str, total: int | None = None, note: Callable[[], str] | None = None
) -> Iterator[Item]:
    """Yields the items and shows how far, how fast and how long still.

    Args:
        items: what is worked through.
        description: a few words shown before the bar.
        total: how many items; taken from `len` where None and there is one.
        note: asked after each item for what is shown behind the bar.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),  # the only one that gives way in a narrow terminal
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        RateColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, note="")
        for item in progress.track(items, total=total, task_id=task):
            yield item
            if note is not None:
                progress.update(task, note=note())
