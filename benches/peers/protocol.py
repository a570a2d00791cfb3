"""What all peers of `blindtier compare` share: the request, the lines they print, and the loop that answers.

A peer is a process that runs one policy on another system. It gets a request file, prints one line when it is ready,
and then answers each line of its input with one line. `benches/peers/README.md` describes both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol, TextIO

FORMAT = 1


class BadInput(Exception):
    """The arguments, the request or a line of input cannot be used: exit code 2."""


class FailedCheck(Exception):
    """A result is wrong, or the library failed: exit code 1."""


# --- The request ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """All whole numbers from `least` to `most`."""

    least: int
    most: int

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.most - self.least + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.least, self.most + 1))


@dataclass(frozen=True)
class Column:
    """A value that the circuit gets for each family."""

    index: int


@dataclass(frozen=True)
class Step:
    """The result of an earlier step."""

    index: int


Source = Column | Step


@dataclass(frozen=True)
class Linear:
    """A constant plus values times weights."""

    constant: int
    terms: tuple[tuple[Source, int], ...]
    """No source comes twice, and no weight is zero."""


@dataclass(frozen=True)
class Lookup:
    """A table at the place that the sum says."""

    input: Linear
    table: tuple[int | None, ...]
    """None where the sum never is, so that any number will do."""

    @property
    def outputs(self) -> tuple[int, ...]:
        """The numbers in the table, each once."""
        return tuple(sorted({entry for entry in self.table if entry is not None}))


@dataclass(frozen=True)
class Cut:
    """`first` plus how many thresholds the sum reaches."""

    input: Linear
    most: int
    """The sum is between 0 and this."""
    thresholds: tuple[int, ...]
    """In order, none of them trivial."""
    first: int

    @property
    def outputs(self) -> tuple[int, ...]:
        """The numbers that come out, in order."""
        return tuple(range(self.first, self.first + len(self.thresholds) + 1))

    def output(self, total: int) -> int:
        """In the clear."""
        return self.first + sum(total >= threshold for threshold in self.thresholds)


@dataclass(frozen=True)
class Request:
    """One policy with the families to run it on."""

    policy: str
    layout: str
    threads: int
    columns: tuple[Range, ...]
    steps: tuple[Lookup | Cut, ...]
    output: Linear
    values: tuple[tuple[int, ...], ...] = field(repr=False)
    """By column, then by family."""
    bfv: dict[str, Any] | None = field(repr=False)
    """The same policy as sums of products, as `benches/circuits.rs` exports circuits."""

    def rows(self, first: int, families: int) -> list[tuple[int, ...]]:
        """The columns of some families, by family."""
        held = len(self.values[0]) if self.values else 0
        if first + families > held:
            raise BadInput(f"families {first} to {first + families - 1}: the request has {held}")
        return list(zip(*(column[first : first + families] for column in self.values), strict=True))

    def sources(self) -> list[Source]:
        """What the steps and the output read, each once, columns first."""
        forms = [step.input for step in self.steps] + [self.output]
        found = {source for form in forms for source, _ in form.terms}
        return sorted(found, key=lambda source: (isinstance(source, Step), source.index))


class RequestReader:
    """Reads a request and says where in it something is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns = 0

    def fail(self, where: str, problem: str) -> NoReturn:
        raise BadInput(f"{self.path}: {where} {problem}")

    def entry(self, value: Any, key: str, kind: type, where: str) -> Any:
        if not isinstance(value, dict) or key not in value:
            self.fail(where, f"has no {key!r}")
        entry = value[key]
        if not isinstance(entry, kind) or isinstance(entry, bool):
            self.fail(f"{where}.{key}", f"is not of type {kind.__name__}")
        return entry

    def integers(self, value: list[Any], where: str) -> tuple[int, ...]:
        if not all(isinstance(number, int) and not isinstance(number, bool) for number in value):
            self.fail(where, "holds something else than whole numbers")
        return tuple(value)

    def linear(self, value: Any, where: str, steps: int) -> Linear:
        weights: dict[Source, int] = {}
        for place, term in enumerate(self.entry(value, "terms", list, where)):
            match term:
                case ["column", int(index), int(weight)] if 0 <= index < self.columns:
                    source: Source = Column(index)
                case ["step", int(index), int(weight)] if 0 <= index < steps:
                    source = Step(index)
                case _:
                    self.fail(f"{where}.terms[{place}]", "is neither a column nor an earlier step with a weight")
            weights[source] = weights.get(source, 0) + weight
        terms = tuple((source, weight) for source, weight in weights.items() if weight)
        return Linear(self.entry(value, "constant", int, where), terms)

    def step(self, value: Any, index: int) -> Lookup | Cut:
        where = f"steps[{index}]"
        match value:
            case {"lookup": body}:
                table = self.entry(body, "table", list, where)
                self.integers([entry for entry in table if entry is not None], f"{where}.table")
                if all(entry is None for entry in table):
                    self.fail(f"{where}.table", "has no number")
                return Lookup(self.linear(body.get("input"), f"{where}.input", index), tuple(table))
            case {"cut": body}:
                most = self.entry(body, "max", int, where)
                at = sorted(self.integers(self.entry(body, "at", list, where), f"{where}.at"))
                always = sum(threshold <= 0 for threshold in at)
                return Cut(
                    self.linear(body.get("input"), f"{where}.input", index),
                    most,
                    tuple(threshold for threshold in at if 0 < threshold <= most),
                    self.entry(body, "first", int, where) + always,
                )
        return self.fail(where, "is neither a lookup nor a cut")

    def range(self, value: Any, index: int) -> Range:
        where = f"columns[{index}]"
        found = Range(self.entry(value, "min", int, where), self.entry(value, "max", int, where))
        if found.size < 1:
            self.fail(where, "has a minimum above its maximum")
        return found

    def values(self, value: list[Any], ranges: tuple[Range, ...]) -> tuple[tuple[int, ...], ...]:
        if len(value) != len(ranges) or not all(isinstance(column, list) for column in value):
            self.fail("values", f"is not one list for each of {len(ranges)} columns")
        columns = tuple(self.integers(column, f"values[{index}]") for index, column in enumerate(value))
        if len({len(column) for column in columns}) > 1:
            self.fail("values", "has columns of unlike length")
        for index, (column, allowed) in enumerate(zip(columns, ranges, strict=True)):
            if column and not allowed.least <= min(column) <= max(column) <= allowed.most:
                self.fail(f"values[{index}]", f"leaves the range {allowed.least} to {allowed.most}")
        return columns

    def read(self) -> Request:
        """The request in the file."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadInput(f"{self.path}: {error}") from error
        top = "the request"
        if self.entry(data, "format", int, top) != FORMAT:
            self.fail("format", f"is {data['format']}; this peer reads {FORMAT}")
        threads = self.entry(data, "threads", int, top)
        if threads < 1:
            self.fail("threads", f"is {threads}")
        ranges = tuple(self.range(entry, index) for index, entry in enumerate(self.entry(data, "columns", list, top)))
        self.columns = len(ranges)
        steps = tuple(self.step(entry, index) for index, entry in enumerate(self.entry(data, "steps", list, top)))
        bfv = data.get("bfv")
        if bfv is not None and not isinstance(bfv, dict):
            self.fail("bfv", "is neither an object nor null")
        return Request(
            policy=self.entry(data, "policy", str, top),
            layout=self.entry(data, "layout", str, top),
            threads=threads,
            columns=ranges,
            steps=steps,
            output=self.linear(data.get("output"), "output", len(steps)),
            values=self.values(self.entry(data, "values", list, top), ranges),
            bfv=bfv,
        )


# --- What a peer says -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """The line that a peer prints once it has compiled and made its keys."""

    name: str
    version: str
    parameters: str
    """What was chosen, on one line."""
    protocol: str
    """Who holds which key or share."""
    setup: dict[str, float]
    """Seconds: `compile_seconds` and `key_seconds` are the setup; anything else is what choosing and warming up took."""
    security_bits: int | None = None
    failure_log2: float | None = None
    """Logarithm to the base of 2 of the probability that a family gets a wrong tier; None where that cannot happen."""
    lookups: int | None = None
    """For one family."""
    multiplications: int | None = None
    """Of ciphertexts, for one chunk."""
    rounds: int | None = None
    """How often parties have to wait for each other in one run."""
    key_bytes: int | None = None
    upload_bytes_per_family: float | None = None
    result_bytes_per_family: float | None = None
    exchanged_bytes_per_family: float | None = None
    """What all parties together send each other while they evaluate."""
    chunk: int = 1
    """How many families are evaluated at once."""
    notes: tuple[str, ...] = ()

    def line(self) -> dict[str, Any]:
        setup_seconds = self.setup["compile_seconds"] + self.setup["key_seconds"]
        return {"ready": True, "setup_seconds": setup_seconds} | asdict(self)


class Clock:
    """Adds up the time spent in `with clock:` blocks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    def __enter__(self) -> Clock:
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self.started
        self.cpu_seconds += time.process_time() - self.cpu_started


@dataclass(frozen=True)
class Answer:
    """What one run took and gave."""

    seconds: float
    """For the evaluation alone."""
    encrypt_seconds: float
    open_seconds: float
    tiers: list[int]
    slots: int
    """How many families the time would have been enough for."""
    cpu_seconds: float
    """Processor time of the evaluation, over all threads."""

    @staticmethod
    def of(encrypting: Clock, evaluating: Clock, opening: Clock, tiers: list[int], slots: int) -> Answer:
        """From the clocks of the three phases."""
        return Answer(evaluating.seconds, encrypting.seconds, opening.seconds, tiers, slots, evaluating.cpu_seconds)

    def line(self) -> dict[str, Any]:
        return asdict(self) | {"families": len(self.tiers), "peak_memory_bytes": peak_memory()}


class Peer(Protocol):
    """A system that has compiled a request and holds the keys."""

    def ready(self) -> Ready:
        """What it chose and what that took."""

    def run(self, first: int, families: int) -> Answer:
        """Encrypts, evaluates and opens some families of the request."""


def peak_memory() -> int:
    """The most memory that this process has used, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def limit_threads(threads: int) -> None:
    """Tells libraries how many threads to use; they read this when they are loaded."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[variable] = str(threads)


# --- The loop -------------------------------------------------------------------------------------------------------


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """The real stdout, for protocol lines alone: what libraries print there, from C++ too, goes to stderr."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as real:
        os.dup2(2, 1)
        yield real


def parse_line(line: str) -> tuple[int, int] | None:
    """First family and number of families of a run; None to quit."""
    try:
        command = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"not a line of JSON: {line.strip()[:200]}") from error
    match command:
        case {"quit": True}:
            return None
        case {"run": {"first": int(first), "families": int(families)}} if first >= 0 and families >= 1:
            return first, families
    raise BadInput(f"neither a run nor quit: {line.strip()[:200]}")


def answer_lines(peer: Peer, say: Callable[[dict[str, Any]], None]) -> None:
    """One answer for each line of input."""
    say(peer.ready().line())
    for line in sys.stdin:
        run = parse_line(line)
        if run is None:
            return
        say(peer.run(*run).line())


def serve(
    description: str,
    start: Callable[[Request, argparse.Namespace], Peer],
    add_options: Callable[[argparse.ArgumentParser], None] = lambda parser: None,
) -> int:
    """The whole life of a peer's process; returns its exit code.

    `start` loads the library: it is not loaded before the number of threads is known and its output is redirected.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--request", type=Path, required=True, metavar="FILE", help="the policy and the families")
    add_options(parser)
    arguments = parser.parse_args()
    with own_stdout() as real:

        def say(line: dict[str, Any]) -> None:
            print(json.dumps(line, ensure_ascii=False), file=real, flush=True)

        try:
            request = RequestReader(arguments.request).read()
            limit_threads(request.threads)
            answer_lines(start(request, arguments), say)
        except BadInput as error:
            say({"error": str(error)})
            return 2
        except KeyboardInterrupt:
            return 130
        except FailedCheck as error:
            say({"error": str(error)})
            return 1
        except Exception as error:  # Whatever a library throws; where it did so is for a human to read.
            traceback.print_exc()
            say({"error": f"{type(error).__name__}: {str(error).strip() or 'no message'}"})
            return 1
    return 0
