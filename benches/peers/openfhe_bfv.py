"""OpenFHE's BFV on sums of products: reads circuits, finds OpenFHE's fastest way to run them, and runs them.

`openfhe.py` and `openfhe_peer.py` use it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from protocol import BadInput, Clock, FailedCheck

# OpenFHE reads this when its library is loaded, so it comes before the import.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A script beside this file has OpenFHE's name: with this folder on the path, Python would import that.
search_path = list(sys.path)
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
try:
    import numpy
    import openfhe
except ImportError as error:
    IMPORT_ERROR: ImportError | None = error
else:
    IMPORT_ERROR = None
finally:
    sys.path[:] = search_path

INSTALL = """\
benches/peers/setup openfhe installs it with CPython 3.10 on Linux x86-64, the only one that the pinned wheel is for"""

WHEEL = "OpenFHE's wheel is compiled for any x86-64 processor, without AVX; a build for this machine would be faster"

Ciphertext = Any  # OpenFHE's classes carry no type hints.


def require_openfhe() -> None:
    """Says how to install OpenFHE where it is not."""
    if IMPORT_ERROR is not None:
        raise BadInput(f"OpenFHE cannot be loaded: {IMPORT_ERROR}\n{INSTALL}")


def version() -> str:
    """OpenFHE's version."""
    return str(openfhe.__version__)


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

    @property
    def multiplications(self) -> int:
        """Of ciphertexts."""
        return sum(len(node.products) for node in self.nodes)

    def on(self, columns: Any) -> Circuit:
        """The same circuit on other rows, at most as many as there are slots."""
        rows = columns.shape[1]
        slots = numpy.zeros((len(columns), self.ring_dimension), dtype=numpy.int64)
        slots[:, :rows] = columns
        return replace(self, columns=slots, rows=rows)

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
    """Reads one circuit and says where in it something is wrong."""

    def __init__(self, source: str) -> None:
        self.source = source
        """What holds the circuit, for messages."""
        self.modulus = 0
        self.inputs = 0

    def fail(self, where: str, problem: str) -> NoReturn:
        raise BadInput(f"{self.source}: {where} {problem}")

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

    def read(self, data: Any) -> Circuit:
        """The circuit, whose clear result is the expected one."""

        def top(key: str) -> Any:
            return self.entry(data, key, "the circuit")

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
        """A circuit that contradicts itself would make every later check worthless."""
        for row, (clear, wanted) in enumerate(zip(circuit.expected[: circuit.rows].tolist(), expected, strict=True)):
            if clear != wanted:
                raise FailedCheck(
                    f"{self.source}: expected[{row}] is {wanted}, but the circuit gives {clear} in the clear"
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
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadInput(f"{path}: {error}") from error
        circuit = Reader(str(path)).read(data)
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


class Setup:
    """A context with keys, encrypted inputs and encrypted constants, ready to evaluate one circuit."""

    def __init__(self, circuit: Circuit, parameters: Parameters) -> None:
        self.circuit = circuit
        self.parameters = parameters
        self.making_context, self.making_keys = Clock(), Clock()
        with self.making_context:
            self.context = make_context(circuit, parameters)
        with self.making_keys:
            self.keys = self.context.KeyGen()
            self.context.EvalMultKeyGen(self.keys.secretKey)
        self.inputs = self.encrypt_columns(circuit)
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

    def on(self, circuit: Circuit) -> Setup:
        """The same keys for other rows of the same circuit."""
        other = copy(self)
        other.circuit = circuit
        other.inputs = other.encrypt_columns(circuit)
        return other

    def encrypt_columns(self, circuit: Circuit) -> list[Ciphertext]:
        return [self.encrypt(column) for column in circuit.columns]

    def encrypt(self, slots: Any) -> Ciphertext:
        return self.context.Encrypt(self.keys.publicKey, self.context.MakePackedPlaintext(slots))

    def decrypt(self, ciphertext: Ciphertext) -> Any:
        plaintext = self.context.Decrypt(self.keys.secretKey, ciphertext)
        plaintext.SetLength(self.circuit.ring_dimension)
        return plaintext.GetPackedValueArray()

    def evaluate(self, clock: Clock) -> Ciphertext:
        """One evaluation."""
        evaluation = Evaluation(self)
        with clock:
            return evaluation.run()

    def open(self, output: Ciphertext) -> Any:
        """The slots of an output."""
        try:
            return self.decrypt(output)
        except RuntimeError as error:
            raise FailedCheck(f"{self.circuit.name}: OpenFHE cannot decrypt: {error}") from error

    def time(self) -> float:
        """Seconds for one evaluation, whose every slot is then checked."""
        clock = Clock()
        output = self.evaluate(clock)
        self.circuit.check(self.open(output))
        return clock.seconds

    def key_bytes(self) -> int:
        """Of the key that relinearises."""
        return len(openfhe.SerializeEvalMultKeyString(openfhe.BINARY, self.keys.secretKey.GetKeyTag()))


def ciphertext_bytes(ciphertext: Ciphertext) -> int:
    """As OpenFHE serializes it."""
    return len(openfhe.Serialize(ciphertext, openfhe.BINARY))


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
