"""Watch the machine: who used its CPU while something was measured (Linux)."""

import os
import platform
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

TICKS: Final = os.sysconf("SC_CLK_TCK")
FOREIGN: Final = "foreign"
"""The share of everybody else: other programs, kernel threads, interrupts, other guests."""


class Sample(NamedTuple):
    """CPU seconds since boot: of the machine, and of each watched part."""

    machine: float
    parts: Mapping[str, float]


def sample(parts: Mapping[str, int]) -> Sample:
    """Read how much CPU was used until now.

    Args:
        parts: By name a process; all its descendants count with it, unless they are a part of
            their own.
    """
    used, children = _processes()
    roots = set(parts.values())
    seconds = {}
    for name, root in parts.items():
        waiting, total = [root], 0.0
        while waiting:
            pid = waiting.pop()
            total += used.get(pid, 0.0)
            waiting += [child for child in children[pid] if child not in roots]
        seconds[name] = total
    return Sample(_busy(), seconds)


def cores(before: Sample, after: Sample, seconds: float) -> dict[str, float]:
    """Return by part how many cores were busy between two samples, FOREIGN last."""
    busy = {
        name: (after.parts[name] - before.parts[name]) / seconds
        for name in before.parts
        if name in after.parts
    }
    rest = (after.machine - before.machine) / seconds - sum(busy.values())
    return busy | {FOREIGN: max(rest, 0.0)}


def describe() -> str:
    """Name the machine in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def memory_bytes() -> int:
    """Return how much memory the machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def parent_of(pid: int) -> int | None:
    """Return the parent of a process of this machine; None when there is no such process."""
    try:
        return _fields(Path("/proc", str(pid), "stat"))[0]
    except FileNotFoundError:
        return None


def _busy() -> float:
    line = Path("/proc/stat").read_text("utf-8").splitlines()[0]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _processes() -> tuple[dict[int, float], dict[int, list[int]]]:
    used: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent, seconds = _fields(folder / "stat")
            except (FileNotFoundError, ProcessLookupError):
                continue
            used[int(folder.name)] = seconds
            children[parent].append(int(folder.name))
    return used, children


def _fields(stat: Path) -> tuple[int, float]:
    """Return the parent, and the CPU seconds with those of the children that have ended."""
    # The name of the program, in parentheses, may hold anything.
    fields = stat.read_text("utf-8").rpartition(")")[2].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS
