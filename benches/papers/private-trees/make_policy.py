#!/usr/bin/env python3
"""Trains small decision trees on UCI data sets and writes them as policies with their data.

    make_policy.py                    write every policy and CSV beside this file
    make_policy.py --check BINARY     also compare `BINARY policy run` with the tree on every row
    make_policy.py --model FILE       also compare the breast tree with SortingHat's model.json
    make_policy.py --out DIR --repeat N   write each CSV with its rows N times over, for full batches

Nothing is downloaded: the data sets come with scikit-learn. requirements.txt pins the versions; another version of
scikit-learn may grow other trees.
"""

import argparse
import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).parent
SEED = 42
BITS = 11
LOW_BITS = 5  # of two digits: the upper 6 bits and the lower 5

BREAST_CREDIT = (
    'Source: W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast Cancer Wisconsin (Diagnostic)", UCI Machine\n'
    "# Learning Repository, 1993, doi 10.24432/C5DW2B (CC BY 4.0)."
)
IRIS_CREDIT = 'Source: R. A. Fisher, "Iris", UCI Machine Learning Repository, 1936, doi 10.24432/C56C76 (CC BY 4.0).'
WINE_CREDIT = (
    'Source: S. Aeberhard, M. Forina, "Wine", UCI Machine Learning Repository, 1992, doi 10.24432/C5PC7J (CC BY 4.0).'
)


@dataclass
class Model:
    """A tree, the rows it decides, and how its nodes read a row."""

    name: str
    title: str
    credit: str
    note: str
    names: list  # of attributes, as columns
    labels: list
    agency_of: list
    agencies: dict  # id to label
    classes: list  # tier identifier by class of the tree
    values: np.ndarray  # the rows as published
    inputs: np.ndarray  # the rows as the tree reads them
    tree: object
    predicted: np.ndarray
    exact: object  # (attribute, threshold of the tree) to the bound on published values, and how far off it may be
    accuracy: dict = field(default_factory=dict)

    def nodes(self):
        """Inner nodes as (attribute, threshold)."""
        return [(int(f), float(t)) for f, t in zip(self.tree.feature, self.tree.threshold) if f >= 0]

    def used(self):
        return sorted({attribute for attribute, _ in self.nodes()})

    def thresholds(self, attribute):
        return sorted({threshold for a, threshold in self.nodes() if a == attribute})

    def bound(self, attribute, threshold):
        """A decimal b, as short as the tolerance allows, with `value < b` where the tree goes left, on every row."""
        left = self.inputs[:, attribute] <= threshold
        most, least = self.values[left, attribute].max(), self.values[~left, attribute].min()
        exact, tolerance = self.exact(attribute, threshold)
        for digits in range(10):
            found = Decimal(repr(exact)).quantize(Decimal(1).scaleb(-digits))
            if abs(float(found) - exact) <= tolerance and most < float(found) <= least:
                return found
        raise ValueError("no bound in nine decimals")

    def leaves(self, bands):
        """(conditions, class) of every leaf from left to right; a condition gives the bands that an attribute may have."""

        def walk(node, ranges):
            if self.tree.children_left[node] < 0:
                yield dict(ranges), int(self.tree.value[node].argmax())
                return
            attribute = int(self.tree.feature[node])
            at = bands[attribute].index(float(self.tree.threshold[node])) + 1
            low, high = ranges.get(attribute, (0, len(bands[attribute]) + 1))
            yield from walk(self.tree.children_left[node], ranges | {attribute: (low, min(high, at))})
            yield from walk(self.tree.children_right[node], ranges | {attribute: (max(low, at), high)})

        yield from walk(0, {})


def column(name):
    return name.replace(" (cm)", "").replace("/", "_").replace(" ", "_")


def breast():
    """SortingHat's tree: its split, seed and depth limit, and the 11-bit quantisation of Concrete ML that it used."""
    data = load_breast_cancer()
    target = 1 - data.target  # 1: malignant, as in OpenML 1510
    train, _, train_target, _ = train_test_split(data.data, target, test_size=0.15, random_state=SEED)
    step = (train.max(axis=0) - train.min(axis=0)) / (2**BITS - 1)

    def quantised(rows):
        found = np.rint(rows / step) - np.rint(train.min(axis=0) / step)
        return np.clip(found, 0, 2**BITS - 1)

    grown = DecisionTreeClassifier(random_state=SEED, max_depth=10).fit(quantised(train), train_target)
    names = [column(name) for name in data.feature_names]
    kinds = ["mean", "error", "worst"]
    agency_of = ["worst" if n.startswith("worst") else "error" if n.endswith("error") else "mean" for n in names]
    return finish(
        Model(
            name="breast",
            title="Breast cancer tree of SortingHat",
            credit=BREAST_CREDIT,
            note="The tree is the one that SortingHat (CCS 2022) trained: 11 bits, scikit-learn, seed 42.",
            names=names,
            labels=[n.replace("_", " ").capitalize() for n in names],
            agency_of=agency_of,
            agencies={kind: f"Laboratory of the {kind} values" for kind in kinds},
            classes=["benign", "malignant"],
            values=data.data,
            inputs=quantised(data.data),
            tree=grown.tree_,
            predicted=grown.predict(quantised(data.data)),
            # Where rounding goes up from the integer that the node still sends left; within a hundredth of a step.
            exact=lambda a, t: (
                float(step[a] * (np.rint(train.min(axis=0)[a] / step[a]) + np.floor(t) + 0.5)),
                float(step[a]) / 100,
            ),
        ),
        target,
    )


def small(name, title, credit, data, agencies, agency_of, depth):
    """A tree on all rows, on the values as published."""
    grown = DecisionTreeClassifier(random_state=SEED, max_depth=depth).fit(data.data, data.target)
    names = [column(n) for n in data.feature_names]
    return finish(
        Model(
            name=name,
            title=title,
            credit=credit,
            note=f"Grown by scikit-learn on all rows, at most {depth} deep, seed {SEED}.",
            names=names,
            labels=[n.replace("_", " ").capitalize() for n in names],
            agency_of=[agency_of(n) for n in names],
            agencies=agencies,
            classes=[str(n) for n in data.target_names],
            values=data.data,
            inputs=data.data.astype(np.float32),  # what scikit-learn compares
            tree=grown.tree_,
            predicted=grown.predict(data.data),
            exact=lambda _, t: (float(np.float32(t)), 1e-6),
        ),
        data.target,
    )


def finish(model, target):
    model.accuracy["all rows"] = float((model.predicted == target).mean())
    return model


def head(model, name, title, lines):
    used = sorted({model.agency_of[a] for a in model.used()}, key=list(model.agencies).index)
    shape = f"depth {depth(model)}, {len(model.nodes())} inner nodes, {len(model.nodes()) + 1} leaves"
    out = ['blindtier = "1"', f'name = "{name}"', f'title = "{title}"', "", f"# {model.credit}", f"# {model.note}"]
    out += [f"# Tree: {shape}. Written by make_policy.py; change it there."]
    out += [f"# {line}" for line in lines]
    out += ["", "tiers = [" + ", ".join(f'"{c}"' for c in model.classes) + "]", "", "[agencies]"]
    out += [f'{agency} = {{ label = "{model.agencies[agency]}" }}' for agency in used]
    return out


def depth(model):
    def below(node):
        left, right = model.tree.children_left[node], model.tree.children_right[node]
        return 0 if left < 0 else 1 + max(below(left), below(right))

    return below(0)


def rules(model, bands, level):
    """The tree as a decision table, one rule a leaf; `level` names the band of an attribute."""
    inputs = ", ".join(f'"{level(a)[0]}"' for a in bands)
    out = ["", "# One rule a leaf, from left to right.", "[concepts.leaf]", f"inputs = [{inputs}]"]
    out += ["classes = [" + ", ".join(f'"{c}"' for c in model.classes) + "]", "rules = ["]
    leaves = list(model.leaves(bands))
    for conditions, found in leaves:
        parts = []
        for attribute, (low, high) in conditions.items():
            names = [f'"{level(attribute)[1](band)}"' for band in range(low, high)]
            parts.append(f"{level(attribute)[0]} = " + (names[0] if len(names) == 1 else f"[{', '.join(names)}]"))
        out.append(f'  {{ when = {{ {", ".join(parts)} }}, then = "{model.classes[found]}" }},')
    # The leaves cover everything, so the last one needs no condition.
    conditions, found = leaves[-1]
    out[-1] = f'  {{ then = "{model.classes[found]}" }},'
    return out + ["]", "", "[tier]", 'from = "leaf"']


def banded(model):
    """The data owner compares: every threshold ends a band."""
    lines = ["The tree is public, so whoever holds a value compares it with the thresholds in the clear."]
    out = head(model, model.name, model.title, lines)
    bands = {a: model.thresholds(a) for a in model.used()}
    for attribute in model.used():
        bounds = [model.bound(attribute, t) for t in bands[attribute]]
        out += ["", f"[indicators.{model.names[attribute]}]", f'agency = "{model.agency_of[attribute]}"']
        out += [f'label = "{model.labels[attribute]}"', "bands = ["]
        for band in range(len(bounds) + 1):
            start = f", from = {bounds[band - 1]}" if band > 0 else ""
            stop = f", below = {bounds[band]}" if band < len(bounds) else ""
            out.append(f'  {{ level = "b{band}"{start}{stop} }},')
        out += ["]", 'missing = "b0"']
    out += rules(model, bands, lambda a: (model.names[a], lambda band: f"b{band}"))
    header = ["id"] + [model.names[a] for a in model.used()]
    rows = [[row + 1] + [float(model.values[row, a]) for a in model.used()] for row in range(len(model.values))]
    return model.name, out, header, rows


def digits(model):
    """The evaluator compares: every value goes out as two digits, and a cut of their sum is a comparison."""
    name = f"{model.name}-digits"
    lines = [
        f"Each value has {BITS} bits and goes out as two digits: 32 times the first, plus the second. Whoever holds a",
        "digit alone cannot compare; with the layout per-indicator the evaluator does it, on ciphertexts.",
    ]
    out = head(model, name, f"{model.title}, compared under encryption by cuts", lines)
    bands = {a: model.thresholds(a) for a in model.used()}
    high, low = 2 ** (BITS - LOW_BITS), 2**LOW_BITS
    parts = (("high", high, low), ("low", low, 1))
    for attribute in model.used():
        for digit, size, _ in parts:
            out += ["", f"[indicators.{model.names[attribute]}_{digit}]", f'agency = "{model.agency_of[attribute]}"']
            out += [f'label = "{model.labels[attribute]}, {digit} digit"']
            out += ["levels = [" + ", ".join(f'"{level}"' for level in range(size)) + "]", 'missing = "0"']
    for attribute in model.used():
        base = model.names[attribute]
        out += ["", f"[scores.{base}]"]
        for digit, size, weight in parts:
            points = ", ".join(f"{level} = {level * weight}" for level in range(size))
            out.append(f"points.{base}_{digit} = {{ {points} }}")
        at = [int(np.floor(t)) + 1 for t in bands[attribute]]
        classes = ", ".join(f'"b{band}"' for band in range(len(at) + 1))
        out += ["", f"[cuts.{base}_band]", f'score = "{base}"', f"classes = [{classes}]", f"at = {at}"]
    out += rules(model, bands, lambda a: (f"{model.names[a]}_band", lambda band: f"b{band}"))
    header = ["id"] + [f"{model.names[a]}_{digit}" for a in model.used() for digit, _, _ in parts]
    rows = []
    for row in range(len(model.inputs)):
        pairs = [divmod(int(model.inputs[row, a]), low) for a in model.used()]
        rows.append([row + 1] + [digit for pair in pairs for digit in pair])
    return name, out, header, rows


def bits(model):
    """The evaluator compares: every value goes out bit by bit, and a decision table of bits is a comparison."""
    name = f"{model.name}-bits"
    lines = [
        f"Each value goes out as {BITS} bits, from the highest, b10, to the lowest, b0. Whoever holds a bit alone cannot",
        "compare; with the layout per-indicator the evaluator does it, on ciphertexts.",
    ]
    out = head(model, name, f"{model.title}, compared under encryption by bits", lines)
    bands = {a: model.thresholds(a) for a in model.used()}
    places = list(range(BITS - 1, -1, -1))
    for attribute in model.used():
        for place in places:
            out += ["", f"[indicators.{model.names[attribute]}_b{place}]", f'agency = "{model.agency_of[attribute]}"']
            out += [f'label = "{model.labels[attribute]}, bit {place}"', 'levels = ["0", "1"]', 'missing = "0"']
    for attribute in model.used():
        base = model.names[attribute]
        most = [int(np.floor(t)) for t in bands[attribute]]  # the greatest value in each band but the last
        classes = ", ".join(f'"b{band}"' for band in range(len(most) + 1))
        inputs = ", ".join(f'"{base}_b{place}"' for place in places)
        out += ["", f"[concepts.{base}_band]", f"inputs = [{inputs}]", f"classes = [{classes}]", "rules = ["]
        covered = -1
        for band, end in enumerate(most):
            # A value is at most `end` if it equals it, or agrees with it down to a place where it has 0 for 1.
            for place in places + [None]:
                if place is not None and not end >> place & 1:
                    continue
                fixed = [f'{base}_b{q} = "{end >> q & 1}"' for q in places if place is None or q > place]
                top = end if place is None else (end >> place << place) - 1
                if top <= covered:
                    continue  # the rules of the bands before match all of it
                fixed += [] if place is None else [f'{base}_b{place} = "0"']
                out.append(f'  {{ when = {{ {", ".join(fixed)} }}, then = "b{band}" }},')
            covered = end
        out += [f'  {{ then = "b{len(most)}" }},', "]"]
    out += rules(model, bands, lambda a: (f"{model.names[a]}_band", lambda band: f"b{band}"))
    header = ["id"] + [f"{model.names[a]}_b{place}" for a in model.used() for place in places]
    rows = []
    for row in range(len(model.inputs)):
        rows.append([row + 1] + [int(model.inputs[row, a]) >> place & 1 for a in model.used() for place in places])
    return name, out, header, rows


def same_tree(model, file):
    """Whether the tree is, node by node, the one in SortingHat's JSON."""

    def walk(node):
        if model.tree.children_left[node] < 0:
            return {"leaf": int(model.tree.value[node].argmax())}
        left, right = model.tree.children_left[node], model.tree.children_right[node]
        kept = {"threshold": int(model.tree.threshold[node]), "feature": int(model.tree.feature[node])}
        return {"internal": kept | {"left": walk(left), "right": walk(right)}}

    def strip(node):
        if "leaf" in node:
            return node
        inner = node["internal"]
        kept = {key: inner[key] for key in ("threshold", "feature")}
        return {"internal": kept | {side: strip(inner[side]) for side in ("left", "right")}}

    return walk(0) == strip(json.loads(Path(file).read_text()))


def check(binary, policy, data, model, repeat):
    ran = subprocess.run(
        [binary, "policy", "run", "--progress", "off", str(policy), "--data", str(data)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = [row["tier"] for row in csv.DictReader(ran.stdout.splitlines())]
    expected = [model.classes[c] for c in model.predicted] * repeat
    wrong = sum(a != b for a, b in zip(found, expected, strict=True))
    print(f"{policy.name}: {len(expected) - wrong} of {len(expected)} rows as the tree says")
    return wrong == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="BINARY", help="the blindtier program")
    parser.add_argument("--model", metavar="FILE", help="src/rust_pdte/data/breast/model.json of KULeuven-COSIC/SortingHat")
    parser.add_argument("--out", metavar="DIR", type=Path, default=HERE)
    parser.add_argument("--repeat", metavar="N", type=int, default=1)
    options = parser.parse_args()

    trees = [
        breast(),
        small(
            "iris",
            "Iris tree",
            IRIS_CREDIT,
            load_iris(),
            {"lengths": "Who measures lengths", "widths": "Who measures widths"},
            lambda n: n.split("_")[1] + "s",
            3,
        ),
        small(
            "wine",
            "Wine tree",
            WINE_CREDIT,
            load_wine(),
            {"chemistry": "Chemical laboratory", "optics": "Optical laboratory"},
            lambda n: "optics" if n in ("color_intensity", "hue", "od280_od315_of_diluted_wines") else "chemistry",
            3,
        ),
    ]
    good = True
    options.out.mkdir(parents=True, exist_ok=True)
    for model in trees:
        print(
            f"{model.name}: depth {depth(model)}, {len(model.nodes())} inner nodes, {len(model.nodes()) + 1} leaves, "
            f"{len(model.used())} attributes, right on {model.accuracy['all rows']:.1%} of all rows"
        )
        for name, policy, header, rows in [banded(model)] + ([digits(model), bits(model)] if model.name == "breast" else []):
            policy_file, data_file = options.out / f"{name}.toml", options.out / f"{name}.csv"
            policy_file.write_text("\n".join(policy) + "\n", encoding="utf-8")
            with data_file.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(header)
                for turn in range(options.repeat):
                    writer.writerows([turn * len(rows) + row[0]] + row[1:] for row in rows)
            if options.check:
                good &= check(options.check, policy_file, data_file, model, options.repeat)
    if options.model:
        same = same_tree(trees[0], options.model)
        print("breast: the tree is " + ("SortingHat's, node by node" if same else "NOT SortingHat's"))
        good &= same
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
