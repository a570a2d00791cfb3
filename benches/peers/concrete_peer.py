"""Runs a policy on Concrete: TFHE with one bootstrap for each lookup, compiled by Zama's compiler.

Each column is one ciphertext that holds a number from 0 on; each lookup is a `fhe.LookupTable` on a sum of such
ciphertexts. Where there is a choice, the way that Concrete's own optimizer gives the least cost to is taken: it agrees
with measured times, and a trial needs a compilation but no keys.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import math
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from protocol import Answer, Clock, Column, Cut, FailedCheck, Linear, Lookup, Ready, Request, Step, serve

DESCRIPTION = "Runs a policy on Concrete. Needs the environment that `benches/peers/setup concrete` makes."

WIDEST_TABLE = 16
"""Bits that Concrete can look up at once."""

DIGIT = 3
"""Bits of a digit, where a wide sum is cut digit by digit. Of 1 to 4, 1 and 3 gave the least cost for a sum of 13 bits,
within 1 %, and 3 compiles several times as fast."""

NARROW = 4
"""Sums of so few bits are looked up in one table without trying digits."""

DEFAULT_FAILURE = 1e-5
"""Concrete's `global_p_error`, by its documentation: the probability that one evaluation of the whole circuit is wrong
anywhere."""

SECURITY = 128

Value = Any  # A tracer of Concrete, or an int that the policy fixes.


def load_concrete() -> Any:
    """`concrete.fhe`, without PyTorch.

    Concrete imports PyTorch, 5 GB with what it needs, for convolutions and max-pooling, which no policy has. An empty
    module stands in while Concrete is loaded.
    """
    stand_in = types.ModuleType("torch")
    vars(stand_in).update(max_pool1d=None, max_pool2d=None, max_pool3d=None)
    sys.modules.setdefault("torch", stand_in)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its use of pkg_resources is out of date.
        fhe = importlib.import_module("concrete.fhe")
    if sys.modules["torch"] is stand_in:
        del sys.modules["torch"]
    return fhe


def concrete_version() -> str:
    return str(importlib.import_module("concrete.fhe.version").__version__)


def security_level() -> Any:
    """Concrete's own name for it; its configuration takes no number."""
    return importlib.import_module("concrete.fhe.compilation.configuration").SecurityLevel(SECURITY)


# --- The circuit ----------------------------------------------------------------------------------------------------


def name_of(column: Column) -> str:
    return f"column_{column.index}"


def filled(table: Sequence[int | None], length: int) -> list[int]:
    """The table with a number at every place; those that never happen repeat the one before, which costs nothing."""
    current = next(entry for entry in table if entry is not None)
    entries = []
    for place in range(length):
        entry = table[place] if place < len(table) else None
        current = current if entry is None else entry
        entries.append(current)
    return entries


def table_bits(length: int) -> int:
    """Bits of the places of a table."""
    return max(1, (length - 1).bit_length())


@dataclass(frozen=True)
class DigitTable:
    """One step of cutting a sum digit by digit, lowest first.

    What the lower digits say about the sum is where they stand among the lower digits of all thresholds: their rank.
    With the next digit that gives the rank of one digit more, and at last the tier.
    """

    low: int
    high: int
    """The digit's bits."""
    ranks: int
    """How many ranks the digits below can have."""
    table: tuple[int, ...]
    """By `digit * ranks + rank`."""


def digit_tables(cut: Cut) -> Iterator[DigitTable]:
    """The steps for one cut."""
    bits = cut.most.bit_length()
    below: list[int] = []
    for low in range(0, bits, DIGIT):
        high = min(low + DIGIT, bits)
        keys = sorted({threshold % (1 << high) for threshold in cut.thresholds})
        table = []
        for digit in range(1 << (high - low)):
            for rank in range(len(below) + 1):
                total = (digit << low) + (below[rank - 1] if rank else 0)
                table.append(cut.output(total) if high == bits else sum(key <= total for key in keys))
        yield DigitTable(low, high, len(below) + 1, tuple(table))
        below = keys


class Circuit:
    """Builds the policy out of Concrete's operations."""

    def __init__(self, fhe: Any, request: Request, by_digits: bool) -> None:
        self.fhe = fhe
        self.request = request
        self.by_digits = by_digits
        self.columns = [source for source in request.sources() if isinstance(source, Column)]

    def function(self) -> Callable[..., Value]:
        """The circuit as Concrete wants it: a function with a name for each input."""

        def policy(**inputs: Value) -> Value:
            return self.build({column: inputs[name_of(column)] for column in self.columns})

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [inspect.Parameter(name_of(column), kind) for column in self.columns]
        vars(policy)["__signature__"] = inspect.Signature(parameters)
        return policy

    def build(self, columns: dict[Column, Value]) -> Value:
        steps: list[Value] = []
        for step in self.request.steps:
            total = self.linear(step.input, columns, steps)
            steps.append(self.lookup(step, total) if isinstance(step, Lookup) else self.cut(step, total))
        return self.linear(self.request.output, columns, steps)

    def linear(self, form: Linear, columns: dict[Column, Value], steps: list[Value]) -> Value:
        """Positive terms first: sums that stay small need fewer bits."""
        constant = form.constant
        total: Value = None
        for source, weight in sorted(form.terms, key=lambda term: -term[1]):
            if isinstance(source, Column):
                value = columns[source]
                constant += weight * self.request.columns[source.index].least
            else:
                value = steps[source.index]
            if isinstance(value, int):
                constant += weight * value
                continue
            term = value if weight == 1 else value * weight
            total = term if total is None else total + term
        if total is None:
            return constant
        return total + constant if constant else total

    def lookup(self, step: Lookup, total: Value) -> Value:
        if len(step.outputs) == 1:
            return step.outputs[0]
        return self.table(total, step.table)

    def cut(self, step: Cut, total: Value) -> Value:
        if not step.thresholds:
            return step.first
        if not self.by_digits or step.most.bit_length() <= NARROW:
            return self.table(total, [step.output(place) for place in range(step.most + 1)])
        bits = self.fhe.bits(self.holding(total, (1 << step.most.bit_length()) - 1))
        rank: Value = 0
        for digit in digit_tables(step):
            place = bits[digit.low : digit.high] * digit.ranks + rank if digit.low else bits[: digit.high]
            rank = self.table(place, digit.table)
        return rank

    def table(self, place: Value, table: Sequence[int | None]) -> Value:
        """One lookup. Bounds that Concrete measures on sample inputs may be too small, so they are stated."""
        length = 1 << table_bits(len(table))
        entries = filled(table, length)
        found = self.fhe.LookupTable(entries)[self.holding(place, length - 1)]
        return self.holding(found, min(entries), max(entries))

    def holding(self, value: Value, *numbers: int) -> Value:
        """The value, in enough bits for these numbers."""
        for number in numbers:
            value = self.fhe.hint(value, can_store=number)
        return value

    def encode(self, row: Sequence[int]) -> tuple[int, ...]:
        """A family's inputs: Concrete's numbers without a sign need one bit less."""
        return tuple(row[column.index] - self.request.columns[column.index].least for column in self.columns)

    def samples(self) -> list[tuple[int, ...]]:
        """Inputs that Concrete measures bounds on: random ones, and those where all columns are least or greatest."""
        chance = random.Random(0)
        ranges = self.request.columns
        rows = [[chance.randint(allowed.least, allowed.most) for allowed in ranges] for _ in range(200)]
        rows += [[allowed.least for allowed in ranges], [allowed.most for allowed in ranges]]
        return [self.encode(row) for row in rows]

    @property
    def widest(self) -> int:
        """Bits of the widest table."""
        widths = [1]
        for step in self.request.steps:
            if isinstance(step, Lookup):
                widths.append(table_bits(len(step.table)))
            elif self.by_digits and step.most.bit_length() > NARROW:
                widths += [table_bits(len(digit.table)) for digit in digit_tables(step)]
            else:
                widths.append(step.most.bit_length())
        return max(widths)


# --- Compilation ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """One way to compile the policy."""

    by_digits: bool = False
    strategy: str = "multi"
    partition: str = "precision"

    def describe(self, cuts: bool) -> str:
        """In words."""
        parameters = {
            ("multi", "precision"): "parameters by precision",
            ("multi", "precision_and_norm2"): "parameters by precision and noise",
            ("mono", "precision"): "one set of parameters",
        }[self.strategy, self.partition]
        if not cuts:
            return parameters
        return f"{parameters}, cuts " + (f"by digits of {DIGIT} bits" if self.by_digits else "as one table")


@dataclass(frozen=True)
class Compiled:
    """What came of one way."""

    way: Way
    circuit: Circuit
    compiled: Any
    seconds: float

    @property
    def cost(self) -> float:
        return float(self.compiled.complexity)


class Chooser:
    """Compiles the policy in each way that may be the fastest."""

    def __init__(self, fhe: Any, request: Request, failure: dict[str, float]) -> None:
        self.fhe = fhe
        self.request = request
        self.failure = failure
        self.tried: list[Compiled] = []
        self.problems: list[str] = []
        self.clock = Clock()

    @property
    def wide_cuts(self) -> bool:
        return any(isinstance(step, Cut) and step.most.bit_length() > NARROW for step in self.request.steps)

    def attempt(self, way: Way) -> None:
        circuit = Circuit(self.fhe, self.request, way.by_digits)
        if circuit.widest > WIDEST_TABLE:
            self.problems.append(f"{way.describe(self.wide_cuts)}: a table of {circuit.widest} bits")
            return
        compiler = self.fhe.Compiler(circuit.function(), {name_of(column): "encrypted" for column in circuit.columns})
        configuration = self.fhe.Configuration(
            security_level=security_level(),
            parameter_selection_strategy=way.strategy,
            multi_parameter_strategy=way.partition,
            loop_parallelize=False,
            compress_input_ciphertexts=True,
            compress_evaluation_keys=True,
            **self.failure,
        )
        clock = Clock()
        try:
            with self.clock, clock:
                compiled = compiler.compile(circuit.samples(), configuration)
        except Exception as error:  # Concrete throws RuntimeError, AssertionError and its own.
            self.problems.append(f"{way.describe(self.wide_cuts)}: {str(error).strip()}")
            return
        self.tried.append(Compiled(way, circuit, compiled, clock.seconds))
        print(f"{way.describe(self.wide_cuts)}: cost {self.tried[-1].cost:.3g}", file=sys.stderr)

    def best(self) -> Compiled:
        """First how to cut, then which parameters."""
        for by_digits in [False, True] if self.wide_cuts else [False]:
            self.attempt(Way(by_digits))
        if not self.tried:
            raise FailedCheck("Concrete cannot compile the policy: " + "; ".join(self.problems))
        # With digits the optimizer was once still at it after six minutes, for a tenth less cost.
        if not self.cheapest.way.by_digits:
            self.attempt(Way(partition="precision_and_norm2"))
            self.attempt(Way(strategy="mono"))
        return self.cheapest

    @property
    def cheapest(self) -> Compiled:
        return min(self.tried, key=lambda tried: tried.cost)


# --- The peer -------------------------------------------------------------------------------------------------------


class ConcretePeer:
    """The compiled policy with its keys."""

    def __init__(self, fhe: Any, request: Request, per_lookup: float | None) -> None:
        self.request = request
        self.per_lookup = per_lookup
        failure = {"global_p_error": DEFAULT_FAILURE} if per_lookup is None else {"p_error": per_lookup}
        chooser = Chooser(fhe, request, failure)
        self.best = chooser.best()
        self.circuit = self.best.compiled
        self.choosing = chooser.clock.seconds - self.best.seconds
        self.wide_cuts = chooser.wide_cuts
        self.keys = Clock()
        with self.keys:
            self.circuit.keygen()
        self.warm_up = Clock()
        with self.warm_up:  # The first evaluation expands the keys.
            sample = self.encrypt(tuple(0 for _ in self.best.circuit.columns))
            self.result_bytes = len(self.circuit.run(*sample).serialize())
        self.upload_bytes = sum(len(value.serialize()) for value in sample)
        self.workers = ThreadPoolExecutor(request.threads) if request.threads > 1 else None

    def encrypt(self, inputs: tuple[int, ...]) -> tuple[Any, ...]:
        """Concrete gives one ciphertext without a tuple around it."""
        encrypted = self.circuit.encrypt(*inputs)
        return encrypted if isinstance(encrypted, tuple) else (encrypted,)

    @property
    def failure(self) -> float:
        """Upper bound of the probability that a family's tier is wrong."""
        if self.per_lookup is None:
            return DEFAULT_FAILURE
        return self.per_lookup * max(1, self.circuit.programmable_bootstrap_count)

    def notes(self) -> tuple[str, ...]:
        notes = [
            "inputs travel as seeds of ciphertexts and evaluation keys compressed, both as Concrete serializes them",
            f"Concrete's optimizer reports a failure probability of {self.circuit.global_p_error:.3g}",
            "the families are evaluated one after another; Concrete has no way to pack several into a ciphertext",
        ]
        if self.per_lookup is None:
            notes.append(
                f"Concrete's default: one evaluation in {round(1 / DEFAULT_FAILURE):,} may give a wrong tier"
            )
        else:
            notes.append(
                f"each bootstrap fails with a probability of at most 2^{math.log2(self.per_lookup):g}; "
                "the failure of a family is that times the bootstraps"
            )
        if self.request.threads > 1:
            notes.append(f"{self.request.threads} families are evaluated at once, a thread each")
        return tuple(notes)

    def ready(self) -> Ready:
        bootstraps = self.circuit.programmable_bootstrap_count
        asked = "global_p_error 1/100,000" if self.per_lookup is None else f"p_error 2^{math.log2(self.per_lookup):g}"
        return Ready(
            name="Concrete",
            version=concrete_version(),
            parameters=f"{bootstraps} bootstraps, {self.best.way.describe(self.wide_cuts)}, {asked}",
            protocol="single key",
            setup={
                "compile_seconds": self.best.seconds,
                "key_seconds": self.keys.seconds,
                "tuning_seconds": self.choosing,
                "warm_up_seconds": self.warm_up.seconds,
            },
            security_bits=SECURITY,
            failure_log2=math.log2(self.failure),
            lookups=bootstraps,
            key_bytes=len(self.circuit.client.evaluation_keys.serialize()),
            upload_bytes_per_family=self.upload_bytes,
            result_bytes_per_family=self.result_bytes,
            notes=self.notes(),
        )

    def evaluate(self, encrypted: list[tuple[Any, ...]]) -> list[Any]:
        if self.workers is None:
            return [self.circuit.run(*inputs) for inputs in encrypted]
        return list(self.workers.map(lambda inputs: self.circuit.run(*inputs), encrypted))

    def run(self, first: int, families: int) -> Answer:
        encrypting, evaluating, opening = Clock(), Clock(), Clock()
        rows = [self.best.circuit.encode(row) for row in self.request.rows(first, families)]
        with encrypting:
            encrypted = [self.encrypt(row) for row in rows]
        with evaluating:
            results = self.evaluate(encrypted)
        with opening:
            tiers = [int(self.circuit.decrypt(result)) for result in results]
        return Answer.of(encrypting, evaluating, opening, tiers, families)


# --- Command line ---------------------------------------------------------------------------------------------------


def probability(text: str) -> float | None:
    """`default`, a number, or a power as in 2**-128."""
    if text == "default":
        return None
    base, power, exponent = text.partition("**")
    number = float(base) ** float(exponent) if power else float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--p-error",
        type=probability,
        default="default",
        metavar="P",
        help="'default': Concrete's global_p_error of 1/100,000 for a family's whole evaluation; or a number such as "
        "2**-128: the probability that one bootstrap fails (default: %(default)s)",
    )


def start(request: Request, options: argparse.Namespace) -> ConcretePeer:
    return ConcretePeer(load_concrete(), request, options.p_error)


if __name__ == "__main__":
    sys.exit(serve(DESCRIPTION, start, add_options))
