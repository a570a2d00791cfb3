#!/usr/bin/env python3
"""Times OpenFHE's BFV on the circuits that blindtier runs, next to blindtier, and checks every slot.

Optional: no build, test or command of blindtier needs this file.

Measured with CPython 3.10.13, openfhe==1.6.1.0.22.4, numpy==2.2.6. The wheel's name says "any Python", but the library
inside is for CPython 3.10 on Linux x86-64 alone; on 3.11 it installs and then fails to import.

    python3.10 -m venv openfhe-venv
    openfhe-venv/bin/pip install openfhe==1.6.1.0.22.4 numpy==2.2.6
    openfhe-venv/bin/python benches/peers/openfhe.py --circuits DIR --ours 'COMMAND'

The wheel is compiled for any x86-64 processor, without AVX. To compare with an OpenFHE built for this machine, put that
build's Python module first on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

# OpenFHE reads this when its library is loaded, so it comes before the import.
os.environ["OMP_NUM_THREADS"] = "1"

# This file has OpenFHE's name: without this, Python would import the script instead of the library.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

try:
    import numpy
    import openfhe
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
else:
    IMPORT_ERROR = None

INSTALL = """\
install it with CPython 3.10 on Linux x86-64, the only one that the pinned wheel is for:
  python3.10 -m venv openfhe-venv
  openfhe-venv/bin/pip install openfhe==1.6.1.0.22.4 numpy==2.2.6"""

HELP = """\
Runs the circuits in a folder on OpenFHE's BFV with one thread, checks every slot, and prints microseconds per slot.
With --ours, blindtier runs the same circuits in between, so that a busy machine slows both sides alike.

First OpenFHE is tuned for each circuit: every multiplication technique, both ways to switch keys, and sums of products
with one relinearisation or with one for each product. The fastest that decrypts right is OpenFHE's time. Keys,
constants and encrypted inputs are made before the clock starts."""

EXAMPLES = """\
examples:
  time OpenFHE alone:
    openfhe.py --circuits circuits/
  against a blindtier server, which reads circuit names and answers with one JSON line each:
    openfhe.py --circuits circuits/ --ours './blindtier-server'
  a circuit that only blindtier has, against OpenFHE's time for another:
    openfhe.py --circuits circuits/ --ours './blindtier-server' --ours-only nursery-table --against nursery-one-hot

The answer to a name is {"name": ..., "seconds": ..., "rows": ..., "ring_dimension": ..., "modulus_bits": ...} or
{"error": ...}.

exit codes:
  0  every slot is right
  1  a slot is wrong, or the server reported an error
  2  bad arguments or circuit files, or OpenFHE is not installed"""

Ciphertext = Any  # OpenFHE's classes carry no type hints.


class BadInput(Exception):
    """The arguments or a circuit file cannot be used: exit code 2."""


class FailedCheck(Exception):
    """A result is wrong, or the other side failed: exit code 1."""


# --- Circuits -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Values that share the size of their coefficient: `size * (sum of plus - sum of minus)`.

    Summing first leaves one multiplication for the whole group.
    """

    size: int
    plus: tuple[int, ...]
    minus: tuple[int, ...]


@dataclass(frozen=True)
class Linear:
    """A constant plus values times coefficients; inputs are numbered first, nodes after them."""

    constant: int
    terms: tuple[tuple[int, int], ...]

    @staticmethod
    def new(constant: int, terms: Iterable[tuple[int, int]], modulus: int) -> Linear:
        """Merges equal values and centres all numbers around zero, where they add the least noise."""
        merged: dict[int, int] = {}
        for value, coefficient in terms:
            merged[value] = merged.get(value, 0) + coefficient
        centred = ((value, centre(coefficient, modulus)) for value, coefficient in sorted(merged.items()))
        return Linear(centre(constant, modulus), tuple(term for term in centred if term[1]))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The terms by size, largest first: multiplied groups are fresh values that the rest is added to in place."""
        sizes = sorted({abs(coefficient) for _, coefficient in self.terms}, reverse=True)
        return tuple(
            Group(
                size,
                tuple(value for value, coefficient in self.terms if coefficient == size),
                tuple(value for value, coefficient in self.terms if coefficient == -size),
            )
            for size in sizes
        )

    @property
    def alone(self) -> int | None:
        """The value, where the form is nothing but one value."""
        match self:
            case Linear(0, ((value, 1),)):
                return value
        return None


@dataclass(frozen=True)
class Node:
    """A sum of products plus a linear form."""

    products: tuple[tuple[Linear, Linear], ...]
    linear: Linear

    @staticmethod
    def new(products: Iterable[tuple[Linear, Linear]], linear: Linear, modulus: int) -> Node:
        """Moves products with a constant into the linear form: they need no multiplication of ciphertexts."""
        kept = []
        constant, terms = linear.constant, list(linear.terms)
        for left, right in products:
            if left.terms and right.terms:
                kept.append((left, right))
                continue
            factor, form = (left.constant, right) if not left.terms else (right.constant, left)
            constant += factor * form.constant
            terms += [(value, factor * coefficient) for value, coefficient in form.terms]
        return Node(tuple(kept), Linear.new(constant, terms, modulus))


@dataclass(frozen=True)
class Circuit:
    """One circuit file."""

    name: str
    title: str
    modulus: int
    ring_dimension: int
    modulus_bits: int
    nodes: tuple[Node, ...]
    output: Linear
    columns: Any = field(repr=False)
    """Inputs by slots, zero after the last row."""
    rows: int

    def linear_forms(self) -> Iterator[Linear]:
        """Every linear form."""
        for node in self.nodes:
            for product in node.products:
                yield from product
            yield node.linear
        yield self.output

    @cached_property
    def expected(self) -> Any:
        """The output in the clear, for every slot, those after the last row too."""
        values = [column % self.modulus for column in self.columns]

        def linear(form: Linear) -> Any:
            total = numpy.full(self.ring_dimension, form.constant, dtype=numpy.int64)
            for value, coefficient in form.terms:
                total = (total + coefficient * values[value]) % self.modulus
            return total % self.modulus

        for node in self.nodes:
            total = linear(node.linear)
            for left, right in node.products:
                total = (total + linear(left) * linear(right)) % self.modulus
            values.append(total)
        return linear(self.output)

    def check(self, slots: Any) -> None:
        """Compares every slot with the clear result."""
        wrong = numpy.flatnonzero(slots % self.modulus != self.expected)
        if wrong.size:
            slot = int(wrong[0])
            raise FailedCheck(
                f"{self.name}: {wrong.size} of {self.ring_dimension} slots are wrong, first slot {slot}: "
                f"{int(slots[slot]) % self.modulus} instead of {int(self.expected[slot])}"
            )


def centre(number: int, modulus: int) -> int:
    """The same number modulo `modulus`, between -modulus/2 and modulus/2."""
    number %= modulus
    return number - modulus if number > modulus // 2 else number


class Reader:
    """Reads one circuit file and says where in it something is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.modulus = 0
        self.inputs = 0

    def fail(self, where: str, problem: str) -> NoReturn:
        raise BadInput(f"{self.path}: {where} {problem}")

    def integer(self, value: Any, where: str, least: int | None = None, most: int | None = None) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(where, "is not a whole number")
        if (least is not None and value < least) or (most is not None and value > most):
            self.fail(where, f"is {value}, outside {least} to {most}")
        return value

    def entries(self, value: Any, where: str, length: int | None = None) -> list[Any]:
        if not isinstance(value, list):
            self.fail(where, "is not a list")
        if length is not None and len(value) != length:
            self.fail(where, f"has {len(value)} entries instead of {length}")
        return value

    def entry(self, value: Any, key: str, where: str) -> Any:
        if not isinstance(value, dict):
            self.fail(where, "is not an object")
        if key not in value:
            self.fail(where, f"has no {key!r}")
        return value[key]

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value or not value.isprintable():
            self.fail(where, "is not a line of text")
        return value

    def term(self, value: Any, where: str, nodes: int) -> tuple[int, int]:
        kind, index, coefficient = self.entries(value, where, 3)
        coefficient = self.integer(coefficient, f"{where}[2]")
        if kind == "input":
            return self.integer(index, f"{where}[1]", 0, self.inputs - 1), coefficient
        if kind == "node":
            if not nodes:
                self.fail(where, "refers to a node, but none comes before it")
            return self.inputs + self.integer(index, f"{where}[1]", 0, nodes - 1), coefficient
        return self.fail(f"{where}[0]", "is neither 'input' nor 'node'")

    def linear(self, value: Any, where: str, nodes: int) -> Linear:
        constant = self.integer(self.entry(value, "constant", where), f"{where}.constant")
        terms = self.entries(self.entry(value, "terms", where), f"{where}.terms")
        return Linear.new(
            constant,
            (self.term(term, f"{where}.terms[{index}]", nodes) for index, term in enumerate(terms)),
            self.modulus,
        )

    def node(self, value: Any, index: int) -> Node:
        where = f"nodes[{index}]"

        def product(pair: Any, where: str) -> tuple[Linear, Linear]:
            left, right = self.entries(pair, where, 2)
            return self.linear(left, f"{where}[0]", index), self.linear(right, f"{where}[1]", index)

        products = self.entries(self.entry(value, "products", where), f"{where}.products")
        return Node.new(
            [product(pair, f"{where}.products[{place}]") for place, pair in enumerate(products)],
            self.linear(self.entry(value, "linear", where), f"{where}.linear", index),
            self.modulus,
        )

    def numbers(self, value: Any, where: str, length: int | None = None) -> list[int]:
        return [
            self.integer(number, f"{where}[{row}]") for row, number in enumerate(self.entries(value, where, length))
        ]

    def columns(self, value: Any, rows: int, slots: int) -> Any:
        columns = numpy.zeros((self.inputs, slots), dtype=numpy.int64)
        for index, column in enumerate(self.entries(value, "columns", self.inputs)):
            numbers = self.numbers(column, f"columns[{index}]", rows)
            columns[index, :rows] = [centre(number, self.modulus) for number in numbers]
        return columns

    def read(self) -> Circuit:
        """The circuit, whose clear result is the one that the file expects."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadInput(f"{self.path}: {error}") from error

        def top(key: str) -> Any:
            return self.entry(data, key, "the file")

        def number(key: str, least: int, most: int) -> int:
            return self.integer(top(key), key, least, most)

        name = self.text(top("name"), "name")
        title = self.text(data.get("title", name), "title")
        self.modulus = number("plaintext_modulus", 2, 2**31 - 1)
        self.inputs = number("inputs", 1, 100_000)
        slots = number("ring_dimension", 1024, 131_072)
        if slots & (slots - 1):
            self.fail("ring_dimension", f"is {slots}, not a power of two")
        if self.modulus % (2 * slots) != 1:
            self.fail("plaintext_modulus", f"is {self.modulus}: for {slots} slots it must be 1 modulo {2 * slots}")
        nodes = tuple(self.node(value, index) for index, value in enumerate(self.entries(top("nodes"), "nodes")))
        output = self.linear(top("output"), "output", len(nodes))
        expected = self.numbers(top("expected"), "expected")
        if not 1 <= len(expected) <= slots:
            self.fail("expected", f"has {len(expected)} rows, outside 1 to {slots}")
        columns = self.columns(top("columns"), len(expected), slots)
        bits = number("modulus_bits", 30, 5000)
        circuit = Circuit(name, title, self.modulus, slots, bits, nodes, output, columns, len(expected))
        self.compare(circuit, expected)
        return circuit

    def compare(self, circuit: Circuit, expected: list[int]) -> None:
        """A file that contradicts itself would make every later check worthless."""
        for row, (clear, wanted) in enumerate(zip(circuit.expected[: circuit.rows].tolist(), expected, strict=True)):
            if clear != wanted:
                raise FailedCheck(
                    f"{self.path}: expected[{row}] is {wanted}, but the circuit gives {clear} in the clear"
                )


def read_circuits(folder: Path) -> list[Circuit]:
    """Every circuit in the folder, by file name."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder")
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise BadInput(f"{folder} has no *.json files")
    circuits: dict[str, Circuit] = {}
    for path in paths:
        circuit = Reader(path).read()
        if circuit.name in circuits:
            raise BadInput(f"{path}: another file has the name {circuit.name!r} too")
        circuits[circuit.name] = circuit
    return list(circuits.values())


# --- OpenFHE --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameters:
    """What OpenFHE is set up with, and how sums of products are computed."""

    multiplication: str
    key_switching: str = "BV"
    digits: int = 0
    """For HYBRID key switching; 0 is OpenFHE's choice."""
    depth: int = 0
    modulus_bits: int = 0
    tower_bits: int = 60
    security: str = "HEStd_128_classic"
    one_relinearisation: bool = True
    """One for a whole sum of products instead of one for each product."""

    def describe(self) -> str:
        """In words."""
        digits = f" ({self.digits} digits)" if self.digits else ""
        sums = "one relinearisation a sum" if self.one_relinearisation else "one relinearisation a product"
        return f"{self.multiplication}, {self.key_switching} key switching{digits}, {sums}"


def make_context(circuit: Circuit, parameters: Parameters) -> Any:
    """OpenFHE's context; a RuntimeError where OpenFHE refuses the parameters."""
    wanted = openfhe.CCParamsBFVRNS()
    wanted.SetPlaintextModulus(circuit.modulus)
    wanted.SetRingDim(circuit.ring_dimension)
    wanted.SetMultiplicativeDepth(parameters.depth)
    wanted.SetScalingModSize(parameters.tower_bits)
    wanted.SetSecurityLevel(getattr(openfhe, parameters.security))
    wanted.SetEncryptionTechnique(openfhe.STANDARD)
    wanted.SetMultiplicationTechnique(getattr(openfhe, parameters.multiplication))
    wanted.SetKeySwitchTechnique(getattr(openfhe, parameters.key_switching))
    wanted.SetNumLargeDigits(parameters.digits)
    context = openfhe.GenCryptoContext(wanted)
    for feature in (openfhe.PKE, openfhe.KEYSWITCH, openfhe.LEVELEDSHE):
        context.Enable(feature)
    return context


def reachable(circuit: Circuit, parameters: Parameters) -> tuple[dict[int, int], bool]:
    """The least depth for each modulus size, and whether OpenFHE refused the ring dimension as insecure.

    OpenFHE takes no number of towers: it takes a depth, bounds the noise, and rounds up to whole towers. The size grows
    with the depth, so the search ends one tower above the wanted size.
    """
    depths: dict[int, int] = {}
    for depth in range(200):
        try:
            context = make_context(circuit, replace(parameters, depth=depth))
        except RuntimeError as error:
            if "security requirement" in str(error):
                return depths, True
            continue  # Too few towers for the digits, which more depth may cure.
        bits = context.GetElementParams().GetModulus().bit_length()
        if bits > circuit.modulus_bits + parameters.tower_bits:
            break
        depths.setdefault(bits, depth)
        if bits >= circuit.modulus_bits:
            break
    return depths, False


def match_modulus(circuit: Circuit, parameters: Parameters) -> Parameters | None:
    """The parameters with the depth whose modulus is nearest to the circuit's; None where OpenFHE refuses them."""
    depths, refused = reachable(circuit, parameters)
    missing = circuit.modulus_bits - max(depths, default=0)
    if not depths or (refused and missing > parameters.tower_bits / 2):
        return None
    bits = min(depths, key=lambda bits: abs(bits - circuit.modulus_bits))
    return replace(parameters, depth=depths[bits], modulus_bits=bits)


class Setup:
    """A context with keys, encrypted inputs and encrypted constants, ready to evaluate one circuit."""

    def __init__(self, circuit: Circuit, parameters: Parameters) -> None:
        self.circuit = circuit
        self.parameters = parameters
        self.context = make_context(circuit, parameters)
        self.keys = self.context.KeyGen()
        self.context.EvalMultKeyGen(self.keys.secretKey)
        self.inputs = [self.encrypt(column) for column in circuit.columns]
        # Adding a plaintext transforms it anew each time, about fifteen times the work of adding a ciphertext.
        constants = {form.constant for form in circuit.linear_forms() if form.constant or not form.terms}
        self.constants = {
            constant: self.encrypt(numpy.full(circuit.ring_dimension, constant, dtype=numpy.int64))
            for constant in constants
        }

    def variant(self, parameters: Parameters) -> Setup:
        """The same keys and ciphertexts, evaluated in another way."""
        other = copy(self)
        other.parameters = parameters
        return other

    def encrypt(self, slots: Any) -> Ciphertext:
        return self.context.Encrypt(self.keys.publicKey, self.context.MakePackedPlaintext(slots))

    def decrypt(self, ciphertext: Ciphertext) -> Any:
        plaintext = self.context.Decrypt(self.keys.secretKey, ciphertext)
        plaintext.SetLength(self.circuit.ring_dimension)
        return plaintext.GetPackedValueArray()

    def time(self) -> float:
        """Seconds for one evaluation, whose every slot is then checked."""
        evaluation = Evaluation(self)
        start = time.perf_counter()
        output = evaluation.run()
        seconds = time.perf_counter() - start
        try:
            slots = self.decrypt(output)
        except RuntimeError as error:
            raise FailedCheck(f"{self.circuit.name}: OpenFHE cannot decrypt: {error}") from error
        self.circuit.check(slots)
        return seconds


class Evaluation:
    """One homomorphic evaluation of a circuit.

    The cheapest calls that OpenFHE's Python module has, measured with 5 towers of 16384 slots: multiplying by a whole
    number (0.14 ms, and only a positive one) over multiplying by a plaintext (0.22 ms), adding in place (0.08 ms) over
    adding (0.11 ms) and over a plaintext (1.66 ms).
    """

    def __init__(self, setup: Setup) -> None:
        self.circuit = setup.circuit
        self.context = setup.context
        self.constants = setup.constants
        self.one_relinearisation = setup.parameters.one_relinearisation
        self.values = list(setup.inputs)
        self.forms: dict[Linear, Ciphertext] = {}

    def run(self) -> Ciphertext:
        """The encrypted output."""
        for node in self.circuit.nodes:
            self.values.append(self.node(node))
        return self.form(self.circuit.output)

    def node(self, node: Node) -> Ciphertext:
        if not node.products:
            return self.form(node.linear)
        return self.add_form(self.sum_of_products(node.products), node.linear)

    def sum_of_products(self, products: Sequence[tuple[Linear, Linear]]) -> Ciphertext:
        if self.one_relinearisation and len(products) > 1:
            total = self.sum(
                self.context.EvalMultNoRelin(self.form(left), self.form(right)) for left, right in products
            )
            self.context.RelinearizeInPlace(total)
            return total
        return self.sum(self.product(left, right) for left, right in products)

    def product(self, left: Linear, right: Linear) -> Ciphertext:
        if left == right:
            return self.context.EvalSquare(self.form(left))
        return self.context.EvalMult(self.form(left), self.form(right))

    def sum(self, fresh: Iterator[Ciphertext]) -> Ciphertext:
        """Adds everything to the first, which nothing else uses."""
        total = next(fresh)
        for ciphertext in fresh:
            self.add(total, ciphertext)
        return total

    def form(self, form: Linear) -> Ciphertext:
        """A linear form, computed once. It may be an input or another node's value, so it is never changed."""
        if form.alone is not None:
            return self.values[form.alone]
        if not form.terms:
            return self.constants[form.constant]
        if form not in self.forms:
            self.forms[form] = self.add_form(None, form)
        return self.forms[form]

    def add_form(self, total: Ciphertext | None, form: Linear) -> Ciphertext:
        """Adds a linear form to `total` in place, or makes a fresh value from it."""
        for group in form.groups:
            total = self.add_group(total, group)
        if form.constant:
            self.add(total, self.constants[form.constant])
        return total

    def add_group(self, total: Ciphertext | None, group: Group) -> Ciphertext:
        if group.size == 1:
            return self.add_values(total, group.plus, group.minus)
        if not group.plus:
            scaled = self.scale(self.add_values(None, group.minus, ()), group.size)
            return self.subtract(total, scaled) if total is not None else self.context.EvalNegate(scaled)
        if len(group.plus) == 1 and not group.minus:
            scaled = self.scale(self.values[group.plus[0]], group.size)
        else:
            scaled = self.scale(self.add_values(None, group.plus, group.minus), group.size)
        return self.add(total, scaled) if total is not None else scaled

    def add_values(self, total: Ciphertext | None, plus: Sequence[int], minus: Sequence[int]) -> Ciphertext:
        if total is None:
            total = self.values[plus[0]].Clone() if plus else self.context.EvalNegate(self.values[minus[0]])
            plus, minus = (plus[1:], minus) if plus else (plus, minus[1:])
        for value in plus:
            self.add(total, self.values[value])
        for value in minus:
            self.subtract(total, self.values[value])
        return total

    def scale(self, ciphertext: Ciphertext, factor: int) -> Ciphertext:
        if factor == 2:
            return self.context.EvalAdd(ciphertext, ciphertext)
        return self.context.EvalMultNoCheck(ciphertext, factor)

    def add(self, total: Ciphertext, ciphertext: Ciphertext) -> Ciphertext:
        self.context.EvalAddInPlace(total, ciphertext)
        return self.deepen(total, ciphertext)

    def subtract(self, total: Ciphertext, ciphertext: Ciphertext) -> Ciphertext:
        self.context.EvalSubInPlace(total, ciphertext)
        return self.deepen(total, ciphertext)

    def deepen(self, total: Ciphertext, ciphertext: Ciphertext) -> Ciphertext:
        """Keeps the larger depth: HPSPOVERQLEVELED drops towers by it, and OpenFHE's sums keep only the first one's."""
        depth = ciphertext.GetNoiseScaleDeg()
        if depth > total.GetNoiseScaleDeg():
            total.SetNoiseScaleDeg(depth)
        return total


# --- Tuning ---------------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """One way to run a circuit and what came of it."""

    parameters: Parameters
    seconds: float = math.inf
    problem: str | None = None
    """Why it has no time."""


def base_parameters(circuit: Circuit, tower_bits: int) -> Parameters:
    """Those that all multiplication techniques share, with OpenFHE's security check wherever it lets them pass."""
    for security in ("HEStd_128_classic", "HEStd_NotSet"):
        matched = match_modulus(circuit, Parameters("HPS", security=security, tower_bits=tower_bits))
        if matched is not None:
            return matched
    raise BadInput(
        f"{circuit.name}: OpenFHE has no parameters near {circuit.modulus_bits} bits with towers of {tower_bits} bits"
    )


def try_out(circuit: Circuit, parameters: Parameters, setups: dict[Parameters, Setup]) -> list[Trial]:
    """Runs the circuit once for each way to relinearise."""
    try:
        setup = Setup(circuit, parameters)
    except RuntimeError as error:
        return [Trial(parameters, problem=str(error))]
    ways = [True, False] if any(len(node.products) > 1 for node in circuit.nodes) else [True]
    trials = []
    for way in ways:
        trial = Trial(replace(parameters, one_relinearisation=way))
        setups[trial.parameters] = setup.variant(trial.parameters)
        try:
            trial.seconds = setups[trial.parameters].time()
        except (FailedCheck, RuntimeError) as error:
            trial.problem = str(error)
        trials.append(trial)
    return trials


def try_hybrid(circuit: Circuit, parameters: Parameters, setups: dict[Parameters, Setup]) -> list[Trial]:
    """The other way to switch keys, for every number of digits. It needs a larger ring, so OpenFHE often refuses it."""
    trials = []
    for digits in range(1, round(parameters.modulus_bits / parameters.tower_bits) + 1):
        hybrid = replace(parameters, key_switching="HYBRID", digits=digits)
        matched = match_modulus(circuit, hybrid)
        if matched is not None and matched.modulus_bits == parameters.modulus_bits:
            trials += try_out(circuit, matched, setups)
        else:
            trials.append(Trial(hybrid, problem="OpenFHE refuses this for the modulus and the ring dimension"))
    return trials


def fastest(trials: Iterable[Trial]) -> Trial:
    """The fastest, which has a problem only where all have one."""
    return min(trials, key=lambda trial: trial.seconds)


def tune(circuit: Circuit, tower_bits: int) -> tuple[Parameters, list[Trial]]:
    """OpenFHE's best way to run the circuit, and all that were tried."""
    setups: dict[Parameters, Setup] = {}
    base = base_parameters(circuit, tower_bits)
    trials: list[Trial] = []
    for multiplication in openfhe.MultiplicationTechnique.__members__:
        trials += try_out(circuit, replace(base, multiplication=multiplication), setups)
    best = fastest(trials)
    if best.problem:
        problems = "\n  ".join(f"{trial.parameters.describe()}: {trial.problem}" for trial in trials)
        raise FailedCheck(f"{circuit.name}: OpenFHE runs it right in no way\n  {problems}")
    trials += try_hybrid(circuit, best.parameters, setups)
    again(trials, setups)
    return fastest(trials).parameters, trials


def again(trials: list[Trial], setups: dict[Parameters, Setup]) -> None:
    """Repeats those that are close to the fastest, since one run on a busy machine may mislead."""
    limit = 1.25 * fastest(trials).seconds
    for _ in range(2):
        for trial in trials:
            if trial.seconds <= limit:
                trial.seconds = min(trial.seconds, setups[trial.parameters].time())


def forget_contexts() -> None:
    """Frees what tuning made; OpenFHE keeps contexts and keys for as long as the program runs."""
    openfhe.ClearEvalMultKeys()
    openfhe.ReleaseAllContexts()


# --- Our side -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """One evaluation on our side, which checked its own slots."""

    seconds: float
    rows: int
    ring_dimension: int
    modulus_bits: int


class Server:
    """The process that runs circuits on our side, one name at a time."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.process = subprocess.Popen(
            command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.names, self.answers = self.process.stdin, self.process.stdout

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server by closing its input."""
        with suppress(BrokenPipeError):
            self.names.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.answers.close()

    def ask(self, name: str) -> Answer:
        """Has one circuit evaluated once."""
        try:
            self.names.write(f"{name}\n")
            self.names.flush()
            line = self.answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.fail_on_end(name)
        return parse_answer(name, line)

    def fail_on_end(self, name: str) -> NoReturn:
        code = self.process.wait()
        message = f"--ours {shlex.quote(self.command)} ended with code {code} instead of an answer to {name!r}"
        # A shell ends with 126 or 127 where it cannot start the command.
        raise BadInput(message) if code in (126, 127) else FailedCheck(message)


def parse_answer(name: str, line: str) -> Answer:
    """An answer with all its numbers, or the error that it holds."""
    try:
        answer = json.loads(line)
    except json.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise FailedCheck(f"ours: the answer to {name!r} is not a JSON object: {line.strip()[:200]}")
    if "error" in answer:
        raise FailedCheck(f"ours: {name}: {answer['error']}")
    if answer.get("name") != name:
        raise FailedCheck(f"ours: the answer to {name!r} is for {answer.get('name')!r}")
    numbers: list[Any] = [answer.get(key) for key in ("seconds", "rows", "ring_dimension", "modulus_bits")]
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) and number > 0 for number in numbers):
        raise FailedCheck(
            f"ours: the answer to {name!r} lacks a positive seconds, rows, ring_dimension or modulus_bits: "
            f"{line.strip()[:200]}"
        )
    return Answer(*numbers)


# --- Rounds ---------------------------------------------------------------------------------------------------------


@dataclass
class Timings:
    """The rounds of one circuit; a side that did not run has none."""

    name: str
    setup: Setup | None = None
    openfhe: list[float] = field(default_factory=list)
    """Microseconds per slot."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def ours(self) -> list[float]:
        """Microseconds per slot."""
        return [1e6 * answer.seconds / answer.ring_dimension for answer in self.answers]

    def run(self, server: Server | None) -> None:
        """OpenFHE once, then ours once."""
        if self.setup is not None:
            self.openfhe.append(1e6 * self.setup.time() / self.setup.circuit.ring_dimension)
        if server is not None:
            self.answers.append(server.ask(self.name))

    def forget(self) -> None:
        self.openfhe.clear()
        self.answers.clear()


def run_rounds(timings: list[Timings], server: Server | None, rounds: int) -> None:
    """All circuits in turn, once to warm up and then for each round."""
    for number in range(rounds + 1):
        progress(f"round {number} of {rounds}" if number else "warm-up")
        for timing in timings:
            timing.run(server)
        if not number:
            for timing in timings:
                timing.forget()


def progress(message: str) -> None:
    """On stderr, so that stdout holds the report alone."""
    print(message, file=sys.stderr, flush=True)


# --- Report ---------------------------------------------------------------------------------------------------------


def spread(numbers: Sequence[float]) -> dict[str, float]:
    return {"median": median(numbers), "min": min(numbers), "max": max(numbers)}


def ratio(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float]:
    """Round by round, so that what slows a round slows both sides of its ratio."""
    return {"median": median(a / b for a, b in zip(ours, peer, strict=True)), "of_minima": min(ours) / min(peer)}


def our_side(timing: Timings) -> dict[str, Any]:
    last = timing.answers[-1]
    return {
        "microseconds_per_slot": spread(timing.ours),
        "ring_dimension": last.ring_dimension,
        "rows": last.rows,
        "modulus_bits": last.modulus_bits,
    }


def peer_side(setup: Setup, times: Sequence[float], trials: list[Trial]) -> dict[str, Any]:
    circuit, parameters = setup.circuit, setup.parameters
    return {
        "microseconds_per_slot": spread(times),
        "ring_dimension": circuit.ring_dimension,
        "rows": circuit.rows,
        "slots_checked": circuit.ring_dimension,
        "parameters": asdict(parameters),
        "modulus_bits": parameters.modulus_bits,
        "how": parameters.describe(),
        "notes": notes(circuit, parameters),
        "tried": [
            {
                "how": trial.parameters.describe(),
                "seconds": None if trial.problem else trial.seconds,
                "problem": trial.problem,
            }
            for trial in trials
        ],
    }


def notes(circuit: Circuit, parameters: Parameters) -> list[str]:
    """What makes the two sides unlike each other."""
    found = []
    if parameters.modulus_bits != circuit.modulus_bits:
        found.append(
            f"OpenFHE's modulus has {parameters.modulus_bits} bits; the circuit asks for {circuit.modulus_bits}"
        )
    if parameters.security == "HEStd_NotSet":
        found.append(
            f"OpenFHE refuses {circuit.ring_dimension} slots with {parameters.modulus_bits} bits at 128-bit security; "
            "it ran without its security check"
        )
    return found


def nursery_peer(timings: Iterable[Timings]) -> str:
    """The nursery circuit that OpenFHE ran fastest."""
    nursery = (timing for timing in timings if timing.openfhe and timing.name.startswith("nursery"))
    return min(nursery, key=lambda timing: median(timing.openfhe)).name


def make_report(
    timings: list[Timings], tried: dict[str, list[Trial]], against: str | None, rounds: int
) -> dict[str, Any]:
    """Everything, as one object."""
    circuits: list[dict[str, Any]] = []
    ours_only: list[dict[str, Any]] = []
    times = {timing.name: timing.openfhe for timing in timings}
    for timing in timings:
        entry: dict[str, Any] = {"name": timing.name}
        if timing.setup is not None:
            entry["title"] = timing.setup.circuit.title
            entry["openfhe"] = peer_side(timing.setup, timing.openfhe, tried[timing.name])
            if timing.answers:
                entry |= {"ours": our_side(timing), "ratio": ratio(timing.ours, timing.openfhe)}
            circuits.append(entry)
        else:
            peer = against or nursery_peer(timings)
            entry |= {"against": peer, "ours": our_side(timing), "ratio": ratio(timing.ours, times[peer])}
            ours_only.append(entry)
    return {
        "openfhe": openfhe.__version__,
        "python": platform.python_version(),
        "platform": processor(),
        "threads": 1,
        "rounds": rounds,
        "circuits": circuits,
        "ours_only": ours_only,
    }


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def time_row(label: str, side: dict[str, Any], remark: str) -> list[str]:
    times = [f"{side['microseconds_per_slot'][key]:.3f}" for key in ("median", "min", "max")]
    return [label, *times, str(side["modulus_bits"]), str(side["ring_dimension"]), remark]


def ratio_row(label: str, values: dict[str, float], remark: str = "") -> list[str]:
    return [label, f"{values['median']:.3f}", f"{values['of_minima']:.3f}", "", "", "", remark]


def table(rows: Sequence[Sequence[str] | str]) -> str:
    """First and last column to the left, numbers to the right; a row of plain text is a heading."""
    widths = [max(map(len, column)) for column in zip(*(row for row in rows if not isinstance(row, str)), strict=True)]

    def line(row: Sequence[str] | str) -> str:
        if isinstance(row, str):
            return row
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *cells[1:-1], row[-1]]).rstrip()

    return "\n".join(map(line, rows))


def print_report(report: dict[str, Any]) -> None:
    """The report as a table."""
    versions = f"OpenFHE {report['openfhe']}, Python {report['python']}"
    print(f"{versions}, {report['platform']}, one thread, rounds: {report['rounds']}")
    print("Microseconds per slot; a ratio is the median of the rounds' ratios, then that of the minima.\n")
    rows: list[list[str] | str] = [["", "median", "min", "max", "modulus bits", "slots", ""]]
    remarks: list[str] = []
    for entry in report["circuits"]:
        peer, ours = entry["openfhe"], entry.get("ours")
        rows += [f"{entry['name']}: {entry['title']}", time_row("  OpenFHE", peer, peer["how"])]
        if ours:
            rows += [time_row("  ours", ours, f"{ours['rows']} rows"), ratio_row("  ours / OpenFHE", entry["ratio"])]
        remarks += [f"{entry['name']}: {note}" for note in peer["notes"]]
    for entry in report["ours_only"]:
        ours = entry["ours"]
        rows += [f"{entry['name']}: on our side only", time_row("  ours", ours, f"{ours['rows']} rows")]
        rows += [ratio_row("  ours / OpenFHE", entry["ratio"], f"OpenFHE's time for {entry['against']}")]
    print(table(rows))
    print("\nEvery slot of every OpenFHE run was decrypted and is right.")
    for remark in remarks:
        print(f"Note: {remark}.")


# --- Command line ---------------------------------------------------------------------------------------------------


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=HELP, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--circuits",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with circuit files *.json, made by blindtier",
    )
    parser.add_argument(
        "--ours",
        metavar="CMD",
        help="shell command of a server that reads names, evaluates that circuit on one thread, and answers with one "
        "line of JSON; without it only OpenFHE is timed",
    )
    parser.add_argument(
        "--ours-only",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name for the server, with no circuit file; may be given several times",
    )
    parser.add_argument(
        "--against",
        metavar="NAME",
        help="the circuit whose OpenFHE time --ours-only is compared with "
        "(default: the fastest of those whose name starts with 'nursery')",
    )
    parser.add_argument(
        "--rounds", type=positive, default=5, metavar="N", help="how often each circuit is timed (default: %(default)s)"
    )
    parser.add_argument(
        "--tower-bits",
        type=int,
        choices=range(50, 61),
        default=60,
        metavar="N",
        help="size of the primes that make up OpenFHE's modulus, 50 to 60 bits (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser.parse_args()


def check_names(arguments: argparse.Namespace, circuits: list[Circuit]) -> None:
    """Finds a wrong name before minutes of measuring."""
    names = [circuit.name for circuit in circuits]
    for name in arguments.ours_only:
        if not name.isprintable() or not name:
            raise BadInput(f"--ours-only {name!r} is not a line of text")
        if name in names:
            raise BadInput(f"--ours-only {name}: {arguments.circuits} has a circuit of that name")
    if arguments.ours_only and arguments.ours is None:
        raise BadInput("--ours-only needs --ours")
    if arguments.against is not None and arguments.against not in names:
        raise BadInput(f"--against {arguments.against}: {arguments.circuits} has only {', '.join(names)}")
    if arguments.ours_only and arguments.against is None and not any(name.startswith("nursery") for name in names):
        raise BadInput(f"--ours-only needs --against: {arguments.circuits} has no circuit named 'nursery...'")


def measure(arguments: argparse.Namespace, circuits: list[Circuit], server: Server | None) -> dict[str, Any]:
    """Tunes OpenFHE, runs the rounds and reports."""
    names = [circuit.name for circuit in circuits]
    if server is not None:
        progress("asking our side for each name once")
        for name in [*names, *arguments.ours_only]:
            server.ask(name)  # An error comes before minutes of tuning.
    best: dict[str, Parameters] = {}
    tried: dict[str, list[Trial]] = {}
    for circuit in circuits:
        progress(f"tuning OpenFHE for {circuit.name}")
        best[circuit.name], tried[circuit.name] = tune(circuit, arguments.tower_bits)
    forget_contexts()
    timings = [Timings(circuit.name, Setup(circuit, best[circuit.name])) for circuit in circuits]
    timings += [Timings(name) for name in dict.fromkeys(arguments.ours_only)]
    run_rounds(timings, server, arguments.rounds)
    return make_report(timings, tried, arguments.against, arguments.rounds)


def run(arguments: argparse.Namespace) -> None:
    if IMPORT_ERROR is not None:
        raise BadInput(f"OpenFHE cannot be loaded: {IMPORT_ERROR}\n{INSTALL}")
    circuits = read_circuits(arguments.circuits)
    check_names(arguments, circuits)
    if arguments.ours is None:
        report = measure(arguments, circuits, None)
    else:
        with Server(arguments.ours) as server:
            report = measure(arguments, circuits, server)
    if arguments.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print_report(report)


def main() -> int:
    arguments = parse_arguments()
    try:
        run(arguments)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except FailedCheck as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
