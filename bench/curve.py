"""How memory and cost per entry change while the tree grows.

The cost of an entry is the processor time of a run less the median of runs on a tree with one file, by the number of
entries. The ratio is to the cost of an entry in the tree of 10,000, in the same round. 1.00 everywhere is a flat curve.
Wall time says the same on an idle machine only: a thousand entries take less than what others make a run wait for.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from cases import OUR_LEVEL_1, Command, Job, ours
from corpora import Corpus
from measure import CommandFailed, Comparison, Measurement, summary
from rounds import Failures
from targets import MEMORY_LIMITS
from workbench import Workbench

SMALLEST = 2
REFERENCE = 10_000
QUICK_POINTS = (1_000, REFERENCE)
POINTS = (1_000, REFERENCE, 100_000)
FULL_POINTS = (*POINTS, 1_000_000)
TARGET = "cost per entry"


def curve_job(name: str, command: Command) -> Job:
    return Job(name, ("curve",), command, (), memory_mib=MEMORY_LIMITS["tar"])


JOBS = (
    curve_job("curve-create", ours("tar", AA_BENCHMARK="no-sync")),
    curve_job("curve-level-1-unchanged", OUR_LEVEL_1),
)


def case(job: Job, entries: int) -> str:
    return f"{job.name}/{entries}"


def cost_ratio(entries: int, seconds: float, reference_seconds: float, smallest_seconds: float) -> float:
    """Cost per entry of a tree with so many entries, to that of the reference."""
    cost = (seconds - smallest_seconds) / (entries - SMALLEST)
    return cost / ((reference_seconds - smallest_seconds) / (REFERENCE - SMALLEST))


def compare(entries: int, taken: Mapping[int, Sequence[Measurement]]) -> Comparison:
    """The "peer" is our own run on the reference."""
    smallest_seconds = summary(taken[SMALLEST]).cpu_seconds
    ratios = [
        cost_ratio(entries, here.cpu_seconds, there.cpu_seconds, smallest_seconds)
        for here, there in zip(taken[entries], taken[REFERENCE], strict=True)
    ]
    return Comparison(
        summary(taken[entries]), summary(taken[REFERENCE]), statistics.median(ratios), min(ratios), max(ratios)
    )


def measure_curve(
    bench: Workbench, job: Job, trees: dict[int, Corpus], rounds: int, failures: Failures
) -> Iterator[tuple[int, Comparison]]:
    """`trees` by their number of entries, SMALLEST and REFERENCE among them."""
    taken: dict[int, list[Measurement]] = {entries: [] for entries in trees}
    try:
        bases = {entries: bench.begin(job.ours, tree) for entries, tree in trees.items()}
        for _ in range(rounds):
            for entries, tree in trees.items():
                taken[entries].append(bench.measure(job.ours, job, tree, bases[entries]))
    except CommandFailed as why:
        failures.add(job.name, why)
        return
    for entries in trees:
        if entries != SMALLEST:
            yield entries, compare(entries, taken)
