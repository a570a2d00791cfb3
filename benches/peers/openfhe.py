#!/usr/bin/env python3
"""Times OpenFHE's BFV on the circuits that blindtier runs, next to blindtier, and checks every slot.

Optional: no build, test or command of blindtier needs this file. `openfhe_peer.py` is for `blindtier compare`; this one
times single circuits.

    benches/peers/setup openfhe
    benches/peers/.venv/openfhe/bin/python benches/peers/openfhe.py --circuits DIR --ours 'COMMAND'

The wheel is compiled for any x86-64 processor, without AVX. To compare with an OpenFHE built for this machine, put that
build's Python module first on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NoReturn

from openfhe_bfv import (
    Circuit,
    Parameters,
    Setup,
    Trial,
    forget_contexts,
    notes,
    read_circuits,
    require_openfhe,
    tune,
    version,
)
from protocol import BadInput, FailedCheck

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
        "openfhe": version(),
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
    require_openfhe()
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
