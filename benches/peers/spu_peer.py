"""Runs a policy on SPU: several parties compute on secret shares and talk to each other at every step.

All parties are threads of this process, each with SPU's own runtime and SPU's own in-memory network between them.

How a lookup is computed. Each value that a lookup reads is shared as indicators, one for each number it can be: a one
at the number that it is, zeros elsewhere. Products of the indicators of two values are the indicators of the pair, and
sums of those are the indicators of what the table holds. That is one round of multiplications for each value after a
lookup's first. Measured with 71 places in 5 tables, in processor time of all three ABY3 parties together: 19 µs a
family; comparing the sum with each place for equality takes 87 µs, with each place where the table changes 157 µs. SPU
refuses to index a public table by a shared number. Cuts compare the sum with each threshold; sums need no conversation.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol import (
    Answer,
    BadInput,
    Clock,
    Column,
    Cut,
    FailedCheck,
    Linear,
    Lookup,
    Ready,
    Request,
    Source,
    Step,
    serve,
)

DESCRIPTION = "Runs a policy on SPU. Needs the environment that `benches/peers/setup spu` makes."

PRODUCT_COST = 0.27
COMPARISON_COST = 3.1
"""Microseconds a family for one product of indicators and for one comparison, all ABY3 parties together. Only used to
choose between them, where the sum behind a lookup has many terms."""

SAMPLE = 256
"""Families that sizes are measured with."""

Array = Any  # Of JAX while SPU compiles, of NumPy outside.


@dataclass(frozen=True)
class Protocol:
    """A protocol of SPU and what it assumes."""

    name: str
    parties: int
    describe: str
    notes: tuple[str, ...]


PROTOCOLS = {
    "aby3": Protocol(
        "ABY3",
        3,
        "ABY3, 3 parties, semi-honest, honest majority",
        ("a party that departs from the protocol can change results; two that collude see every input",),
    ),
    "semi2k": Protocol(
        "SEMI2K",
        2,
        "SEMI2K, 2 parties, semi-honest, with a trusted dealer of multiplication triples",
        (
            "the first party deals the multiplication triples here (TrustedFirstParty, SPU's default) and could read "
            "all inputs with them; SPU lets a third, trusted party deal them instead, and has no protocol that does "
            "without one in this version",
        ),
    ),
}


# --- The circuit ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Indicators:
    """A value as one array for each number that it can be: 1 for the families where it is that number, else 0."""

    numbers: tuple[int, ...]
    arrays: tuple[Array, ...]

    def scaled(self, weight: int, constant: int = 0) -> Indicators:
        return Indicators(tuple(weight * number + constant for number in self.numbers), self.arrays)

    def merged(self) -> Indicators:
        """Each number once."""
        sums: dict[int, Array] = {}
        for number, array in zip(self.numbers, self.arrays, strict=True):
            sums[number] = sums[number] + array if number in sums else array
        return Indicators(tuple(sums), tuple(sums.values()))

    def mapped(self, function: Callable[[int], int | None]) -> Indicators:
        """The indicators of a function of the value; None drops a number that never happens."""
        kept = [
            (image, array)
            for number, array in zip(self.numbers, self.arrays, strict=True)
            if (image := function(number)) is not None
        ]
        return Indicators(tuple(image for image, _ in kept), tuple(array for _, array in kept)).merged()

    def number(self) -> Array:
        """The value as one number."""
        return weighted(zip(self.numbers, self.arrays, strict=True))


def weighted(terms: Any) -> Array:
    """The sum of weights times arrays."""
    total: Array = 0
    for weight, array in terms:
        if weight:
            total = total + (array if weight == 1 else array * weight)
    return total


def range_of(form: Linear, sizes: dict[Source, tuple[int, ...]]) -> tuple[int, list[int]]:
    """Products that the indicators of a sum need, and the sum's numbers."""
    products, numbers = 0, [form.constant]
    for place, (source, weight) in enumerate(form.terms):
        products += len(numbers) * len(sizes[source]) if place else 0
        numbers = sorted({number + weight * value for number in numbers for value in sizes[source]})
    return products, numbers


class Plan:
    """Which values are shared as indicators and which lookups compare instead."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.numbers: dict[Source, tuple[int, ...]] = {
            Column(index): tuple(allowed) for index, allowed in enumerate(request.columns)
        }
        self.compared: set[int] = set()
        self.products = self.comparisons = 0
        needed: set[Source] = set()
        for index, step in enumerate(request.steps):
            self.numbers[Step(index)] = step.outputs
            if isinstance(step, Cut):
                self.comparisons += len(step.thresholds)
                continue
            products, _ = range_of(step.input, self.numbers)
            changes = len(changes_of(step)[0])
            if products * PRODUCT_COST > changes * COMPARISON_COST:
                self.compared.add(index)
                self.comparisons += changes
            else:
                self.products += products
                needed |= {source for source, _ in step.input.terms}
        self.columns = [source for source in request.sources() if isinstance(source, Column)]
        self.spread = {column for column in self.columns if column in needed}

    def inputs(self, rows: Sequence[Sequence[int]], numpy: Any) -> list[Array]:
        """What is shared: for each column its numbers, or its indicators, those of one number for all families first."""
        values = numpy.array(rows, dtype=numpy.int32)
        found = []
        for column in self.columns:
            numbers = values[:, column.index]
            if column in self.spread:
                places = numpy.array(self.numbers[column], dtype=numpy.int32)
                numbers = (places[:, None] == numbers[None, :]).astype(numpy.int32)
            found.append(numpy.ascontiguousarray(numbers).reshape(-1))
        return found

    def circuit(self, jnp: Any, families: int) -> Callable[..., Array]:
        """The function that SPU compiles."""
        return lambda *inputs: Evaluation(self, jnp, families, inputs).run()


def changes_of(step: Lookup) -> tuple[list[int], list[int]]:
    """Where the table changes, and what it holds before, between and after. What never happens is no change."""
    places: list[int] = []
    outputs: list[int] = []
    for place, entry in enumerate(step.table):
        if entry is None or outputs[-1:] == [entry]:
            continue
        if outputs:
            places.append(place)
        outputs.append(entry)
    return places, outputs


class Evaluation:
    """The policy as operations on arrays with an entry for each family.

    Arrays that are computed at once lie behind each other in one: SPU is several times slower on arrays of two
    dimensions, and each of its operations costs time however few families there are.
    """

    def __init__(self, plan: Plan, jnp: Any, families: int, inputs: Sequence[Array]) -> None:
        self.plan = plan
        self.jnp = jnp
        self.families = families
        self.indicators: dict[Source, Indicators] = {}
        self.values: dict[Source, Array] = {}
        for column, array in zip(plan.columns, inputs, strict=True):
            if column in plan.spread:
                self.indicators[column] = Indicators(plan.numbers[column], self.split(array))
            else:
                self.values[column] = array

    def run(self) -> Array:
        for index, step in enumerate(self.plan.request.steps):
            if isinstance(step, Cut):
                found = self.compare(step.input, step.thresholds, step.outputs)
            elif index in self.plan.compared:
                found = self.compare(step.input, *changes_of(step))
            else:
                found = self.look_up(step)
            self.indicators[Step(index)] = found
        return self.sum(self.plan.request.output)

    def split(self, array: Array) -> tuple[Array, ...]:
        """The arrays that lie behind each other in this one."""
        return tuple(array[start : start + self.families] for start in range(0, array.shape[0], self.families))

    def value(self, source: Source) -> Array:
        if source not in self.values:
            self.values[source] = self.indicators[source].number()
        return self.values[source]

    def sum(self, form: Linear) -> Array:
        total = weighted((weight, self.value(source)) for source, weight in form.terms)
        return total + self.everywhere(form.constant)

    def look_up(self, step: Lookup) -> Indicators:
        """By products of indicators."""
        total: Indicators | None = None
        for source, weight in step.input.terms:
            term = self.indicators[source].scaled(weight)
            total = term if total is None else self.pairs(total, term).merged()
        if total is None:
            return self.fixed(step.table[step.input.constant])
        constant = step.input.constant

        def entry(number: int) -> int | None:
            place = number + constant
            return step.table[place] if 0 <= place < len(step.table) else None

        return total.mapped(entry)

    def fixed(self, number: int | None) -> Indicators:
        """A number that the policy fixes."""
        return Indicators((number or 0,), (self.everywhere(1),))

    def everywhere(self, number: int) -> Array:
        """The number for every family."""
        return self.jnp.full(self.families, number, dtype=self.jnp.int32)

    def pairs(self, left: Indicators, right: Indicators) -> Indicators:
        """All pairs in one multiplication, which is one round."""
        numbers = tuple(a + b for a in left.numbers for b in right.numbers)
        one = self.jnp.concatenate([array for array in left.arrays for _ in right.arrays])
        two = self.jnp.concatenate(list(right.arrays) * len(left.arrays))
        return Indicators(numbers, self.split(one * two))

    def compare(self, form: Linear, places: Sequence[int], outputs: Sequence[int]) -> Indicators:
        """By comparing the sum with each place where the output changes, all in one comparison."""
        if not places:
            return self.fixed(outputs[0])
        thresholds = self.jnp.concatenate([self.everywhere(place) for place in places])
        totals = self.jnp.concatenate([self.sum(form)] * len(places))
        reached = self.split((totals >= thresholds).astype(self.jnp.int32))
        # Between two places: the one is reached, the next is not.
        between = [reached[place] - reached[place + 1] for place in range(len(places) - 1)]
        return Indicators(tuple(outputs), (1 - reached[0], *between, reached[-1])).merged()


# --- SPU ------------------------------------------------------------------------------------------------------------


def parties_on(threads: int) -> None:
    """All threads of this process on so many processor cores: SPU starts at least one for each party."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[-threads:]))


@dataclass(frozen=True)
class Shared:
    """Inputs as shares, by input and then by party."""

    shares: list[list[Any]]

    @property
    def bytes(self) -> int:
        return sum(len(chunk) for parts in self.shares for part in parts for chunk in part.share_chunks)


class Engine:
    """SPU with all its parties."""

    def __init__(self, protocol: Protocol, threads: int, log: Path) -> None:
        import jax.numpy
        import numpy
        import spu
        import spu.api
        import spu.utils.frontend
        from spu import libspu

        self.spu, self.libspu, self.numpy, self.jnp = spu, libspu, numpy, jax.numpy
        self.frontend = spu.utils.frontend
        self.protocol = protocol
        self.log = log
        options = libspu.logging.LogOptions()
        options.enable_console_logger = False
        options.system_log_path = str(log)
        libspu.logging.setup_logging(options)
        self.threads = threads
        self.config = self.make_config(profile=False)
        self.io = spu.api.Io(protocol.parties, self.config)

    def make_config(self, profile: bool) -> Any:
        # 32 bits hold every sum of a policy, and half as much travels as with 64.
        config = self.libspu.RuntimeConfig(
            protocol=getattr(self.libspu.ProtocolKind, self.protocol.name), field=self.libspu.FieldType.FM32
        )
        config.max_concurrency = self.threads
        config.enable_pphlo_profile = profile
        return config

    def compile(self, function: Callable[..., Array], inputs: Sequence[Array]) -> Any:
        secret = self.libspu.Visibility.VIS_SECRET
        executable, _ = self.frontend.compile(
            self.frontend.Kind.JAX,
            function,
            tuple(inputs),
            {},
            [f"in{place}" for place in range(len(inputs))],
            [secret] * len(inputs),
            lambda outputs: [f"out{place}" for place in range(len(outputs))],
            copts=self.libspu.CompilerOptions(),
        )
        return executable

    def share(self, inputs: Sequence[Array]) -> Shared:
        secret = self.libspu.Visibility.VIS_SECRET
        return Shared([list(self.io.make_shares(array, secret)) for array in inputs])

    def evaluate(self, executable: Any, shared: Shared, clock: Clock, profile: bool = False) -> list[Any]:
        """The shares of the output. The clock runs from when all parties hold their shares to when all are done."""
        description = self.libspu.link.Desc()
        for rank in range(self.protocol.parties):
            description.add_party(f"id_{rank}", f"thread_{rank}")
        config = self.make_config(profile)
        ready = threading.Barrier(self.protocol.parties + 1)
        results: list[Any] = [None] * self.protocol.parties
        problems: list[BaseException] = []

        def party(rank: int) -> None:
            try:
                link = self.libspu.link.create_mem(description, rank)
                runtime = self.spu.api.Runtime(link, config)
                for name, parts in zip(executable.input_names, shared.shares, strict=True):
                    runtime.set_var(name, parts[rank])
                ready.wait()
                runtime.run(executable)
                results[rank] = runtime.get_var(executable.output_names[0])
            except Exception as error:  # Raised again by the thread that waits.
                problems.append(error)
                ready.abort()

        workers = [threading.Thread(target=party, args=(rank,)) for rank in range(self.protocol.parties)]
        for worker in workers:
            worker.start()
        try:
            ready.wait()
        except threading.BrokenBarrierError:
            pass
        with clock:
            for worker in workers:
                worker.join()
        if problems:
            causes = [problem for problem in problems if not isinstance(problem, threading.BrokenBarrierError)]
            raise FailedCheck(f"SPU failed: {first_lines(str((causes or problems)[0]))}")
        return results

    def open(self, results: list[Any]) -> list[int]:
        return [int(tier) for tier in self.numpy.atleast_1d(self.io.reconstruct(results))]

    def traffic(self) -> tuple[int | None, int | None]:
        """Most messages that a party sent, and bytes that all sent, in the last run with a profile."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None, None
        found = re.findall(r"Link details: total send bytes (\d+), recv bytes \d+, send actions (\d+)", text)
        last = found[-self.protocol.parties :]
        if len(last) < self.protocol.parties:
            return None, None
        return max(int(actions) for _, actions in last), sum(int(sent) for sent, _ in last)


def first_lines(text: str) -> str:
    """Without SPU's stack trace."""
    return " ".join(text.partition("stacktrace")[0].split())[:500]


# --- The peer -------------------------------------------------------------------------------------------------------


class SpuPeer:
    """The policy, compiled anew for each number of families."""

    def __init__(self, request: Request, protocol: Protocol, log: Path) -> None:
        self.request = request
        self.protocol = protocol
        self.plan = Plan(request)
        if not self.plan.columns:
            raise BadInput("the policy reads no column")
        self.engine = Engine(protocol, request.threads, log)
        self.executables: dict[int, Any] = {}
        self.compiling, self.warming = Clock(), Clock()
        rows = [tuple(allowed.least for allowed in request.columns)] * SAMPLE
        shared = self.engine.share(self.plan.inputs(rows, self.engine.numpy))
        self.upload_bytes = shared.bytes / SAMPLE
        executable = self.executable(SAMPLE)
        results = self.engine.evaluate(executable, shared, Clock(), profile=True)
        self.result_bytes = Shared([results]).bytes / SAMPLE
        self.messages, sent = self.engine.traffic()
        self.exchanged = None if sent is None else sent / SAMPLE

    def executable(self, families: int) -> Any:
        """Compiled for this number of families and run once."""
        if families not in self.executables:
            rows = [tuple(allowed.least for allowed in self.request.columns)] * families
            inputs = self.plan.inputs(rows, self.engine.numpy)
            with self.compiling:
                compiled = self.engine.compile(self.plan.circuit(self.engine.jnp, families), inputs)
            self.engine.evaluate(compiled, self.engine.share(inputs), self.warming)
            self.executables[families] = compiled
        return self.executables[families]

    def notes(self) -> tuple[str, ...]:
        cores = "one core" if self.request.threads == 1 else f"{self.request.threads} cores"
        return (
            f"all {self.protocol.parties} parties share {cores} of one machine: the time is the work of all of them",
            "messages pass within one process, without latency; between machines each round adds at least the time of "
            "one message, for all families of a run together",
            "rounds are the most messages that one party sends in a run",
            "inputs are shared by whoever holds them; nothing checks that indicators are zeros with a single one",
            *self.protocol.notes,
        )

    def ready(self) -> Ready:
        plan = self.plan
        return Ready(
            name="SPU",
            version=str(self.engine.spu.__version__),
            parameters=(
                f"{self.protocol.name}, ring of 32 bits, a family needs {plan.products} products of indicators and "
                f"{plan.comparisons} comparisons"
            ),
            protocol=self.protocol.describe,
            setup={
                "compile_seconds": self.compiling.seconds,
                "key_seconds": 0.0,
                "warm_up_seconds": self.warming.seconds,
            },
            rounds=self.messages,
            upload_bytes_per_family=self.upload_bytes,
            result_bytes_per_family=self.result_bytes,
            exchanged_bytes_per_family=self.exchanged,
            notes=self.notes(),
        )

    def run(self, first: int, families: int) -> Answer:
        executable = self.executable(families)
        encrypting, evaluating, opening = Clock(), Clock(), Clock()
        rows = self.request.rows(first, families)
        with encrypting:
            shared = self.engine.share(self.plan.inputs(rows, self.engine.numpy))
        results = self.engine.evaluate(executable, shared, evaluating)
        with opening:
            tiers = self.engine.open(results)
        return Answer.of(encrypting, evaluating, opening, tiers, families)


# --- Command line ---------------------------------------------------------------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocol",
        choices=sorted(PROTOCOLS),
        default="aby3",
        help="aby3: three parties, of which two must not collude; semi2k: two parties and a dealer of multiplication "
        "triples (default: %(default)s)",
    )


def start(request: Request, options: argparse.Namespace) -> SpuPeer:
    parties_on(request.threads)
    with tempfile.TemporaryDirectory() as folder:
        return SpuPeer(request, PROTOCOLS[options.protocol], Path(folder) / "spu.log")


if __name__ == "__main__":
    sys.exit(serve(DESCRIPTION, start, add_options))
