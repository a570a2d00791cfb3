"""Runs a policy on OpenFHE's BFV: the sums of products that blindtier runs, in a ring of the same size."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from protocol import Answer, BadInput, Clock, Ready, Request, serve

if TYPE_CHECKING:
    from openfhe_bfv import Setup

DESCRIPTION = "Runs a policy on OpenFHE. Needs the environment that `benches/peers/setup openfhe` makes."

TOWER_BITS = 60
SECURITY = 128


@dataclass(frozen=True)
class Rows:
    """All families of the circuit, which may be more than there are slots."""

    columns: Any
    slots: int

    @property
    def count(self) -> int:
        return int(self.columns.shape[1])

    def chunks(self, first: int, families: int) -> Iterator[Any]:
        """The columns of some families, chunk by chunk."""
        if first + families > self.count:
            raise BadInput(f"families {first} to {first + families - 1}: the circuit has {self.count}")
        for start in range(first, first + families, self.slots):
            yield self.columns[:, start : min(start + self.slots, first + families)]


def first_rows(data: dict[str, Any], most: int) -> dict[str, Any]:
    """The circuit with at most so many rows, to tune on: its reader takes no more than fit into the slots."""
    return data | {"columns": [column[:most] for column in data["columns"]], "expected": data["expected"][:most]}


class OpenFhePeer:
    """The circuit in OpenFHE's fastest way, with keys."""

    def __init__(self, data: dict[str, Any]) -> None:
        # Loaded here, because OpenFHE reads the number of threads when it is loaded.
        import numpy
        import openfhe_bfv

        openfhe_bfv.require_openfhe()
        self.library = openfhe_bfv
        slots = data.get("ring_dimension")
        if not isinstance(slots, int) or not all(isinstance(data.get(key), list) for key in ("columns", "expected")):
            raise BadInput("bfv: lacks a ring_dimension, columns or expected")
        self.circuit = openfhe_bfv.Reader("bfv").read(first_rows(data, slots))
        self.rows = Rows(numpy.array(data["columns"], dtype=numpy.int64), slots)
        self.tuning = Clock()
        with self.tuning:
            self.parameters, self.trials = openfhe_bfv.tune(self.circuit, TOWER_BITS)
        openfhe_bfv.forget_contexts()
        self.setup = openfhe_bfv.Setup(self.circuit, self.parameters)
        self.upload_bytes = sum(map(openfhe_bfv.ciphertext_bytes, self.setup.inputs))
        self.warm_up = Clock()
        self.result_bytes = openfhe_bfv.ciphertext_bytes(self.setup.evaluate(self.warm_up))

    def notes(self) -> tuple[str, ...]:
        return (
            self.library.WHEEL,
            f"the fastest of {len(self.trials)} ways that were tried",
            "OpenFHE states no failure probability: it bounds the noise for the circuit's depth",
            "ciphertexts travel without compression; each holds a column of all families of a chunk",
            *self.library.notes(self.circuit, self.parameters),
        )

    def ready(self) -> Ready:
        parameters = self.parameters
        return Ready(
            name="OpenFHE",
            version=self.library.version(),
            parameters=(
                f"BFV, {self.circuit.ring_dimension} slots, modulus of {parameters.modulus_bits} bits, "
                f"{parameters.describe()}"
            ),
            protocol="single key",
            setup={
                "compile_seconds": self.setup.making_context.seconds,
                "key_seconds": self.setup.making_keys.seconds,
                "tuning_seconds": self.tuning.seconds,
                "warm_up_seconds": self.warm_up.seconds,
            },
            security_bits=SECURITY if parameters.security == "HEStd_128_classic" else None,
            multiplications=self.circuit.multiplications,
            key_bytes=self.setup.key_bytes(),
            upload_bytes_per_family=self.upload_bytes / self.circuit.ring_dimension,
            result_bytes_per_family=self.result_bytes / self.circuit.ring_dimension,
            chunk=self.circuit.ring_dimension,
            notes=self.notes(),
        )

    def run(self, first: int, families: int) -> Answer:
        encrypting, evaluating, opening = Clock(), Clock(), Clock()
        tiers: list[int] = []
        slots = 0
        for columns in self.rows.chunks(first, families):
            with encrypting:
                chunk: Setup = self.setup.on(self.circuit.on(columns))
            output = chunk.evaluate(evaluating)
            with opening:
                opened = chunk.open(output)[: columns.shape[1]] % self.circuit.modulus
            tiers += [int(tier) for tier in opened]
            slots += self.circuit.ring_dimension
        return Answer.of(encrypting, evaluating, opening, tiers, slots)


def start(request: Request, _: argparse.Namespace) -> OpenFhePeer:
    if request.bfv is None:
        raise BadInput("the request has no bfv: OpenFHE runs the policy as sums of products only")
    return OpenFhePeer(request.bfv)


if __name__ == "__main__":
    sys.exit(serve(DESCRIPTION, start))
