#!/usr/bin/env python3
"""Checks jobs/pytorch/export_pool.py (in PYTHONPATH) in the working folder: what it writes, keeps, refuses and loads."""
import csv
import os
import pathlib
import re

import export_pool
import torch
from mobile_space import build, choices
from torch import nn

IMAGE = (1, 12, 12)
SMALL = {"width": [2, 3], "kind": ["plain", "odd one"]}


def small(arch):
    width = arch["width"]
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(100 * width, 4))


def files(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "nets").iterdir())}


def refusal(function, *args, **options):
    try:
        function(*args, **options)
    except export_pool.Refused as error:
        return str(error)
    raise AssertionError("not refused")


def expect(pattern, text):
    assert re.fullmatch(pattern, text), f"{text!r} is not {pattern!r}"


# ---- What is written: the same by any number of processes, in the order of the choices ----

one, three = pathlib.Path("one"), pathlib.Path("three")
assert export_pool.export(build, choices, one, IMAGE, sample=6, seed=4, processes=1) == (6, 0)
assert export_pool.export(build, choices, three, IMAGE, sample=6, seed=4, processes=3) == (6, 0)
assert files(one) == files(three) and (one / "pool.csv").read_bytes() == (three / "pool.csv").read_bytes()
rows = list(csv.DictReader(open(one / "pool.csv")))
assert len(rows) == len({row["arch"] for row in rows}) == 6 and list(rows[0]) == ["arch", "onnx", "positions", *choices]
places = [[choices[key].index(int(row[key])) for key in choices] for row in rows]
assert places == sorted(places) and [row["positions"] for row in rows] == [str(tuple(p)) for p in places]

# ---- What is there stays; what is not there comes ----

lost = one / rows[2]["onnx"]
before, kept = lost.read_bytes(), (one / rows[0]["onnx"]).stat().st_mtime_ns
lost.unlink()
assert export_pool.export(build, choices, one, IMAGE, sample=6, seed=4) == (6, 5)
assert lost.read_bytes() == before and (one / rows[0]["onnx"]).stat().st_mtime_ns == kept
expect(r"one: has networks that were made with another image and seed \(made\.json\); .*",
       refusal(export_pool.export, build, choices, one, (1, 14, 12), sample=6, seed=5))

# ---- Names, lists of architectures, samples of any product ----

export_pool.export(small, SMALL, "small", IMAGE)
assert sorted(files(pathlib.Path("small"))) == [f"width={w}-kind={k}.onnx" for w in (2, 3) for k in ("odd_one", "plain")]
assert export_pool.export(small, [{"width": 3}, {"width": 2, "more": 1}], "listed", IMAGE, processes=1) == (2, 0)
assert open("listed/pool.csv").read() == ('arch,onnx,positions,width,more\nwidth=3,nets/width=3.onnx,"(0, 0)",3,\n'
                                          'width=2-more=1,nets/width=2-more=1.onnx,"(1, 1)",2,1\n')
vast = {f"position{i}": range(10) for i in range(40)}
pool = export_pool.pool_of(vast, 50, 1)
assert len(pool) == 50 and list(pool) == list(export_pool.pool_of(vast, 50, 1)) != list(export_pool.pool_of(vast, 50, 2))
assert all(export_pool.named(vast, name) == arch for name, arch in pool.items())
assert export_pool.named(choices, rows[0]["positions"]) == export_pool.named(choices, rows[0]["arch"])
assert len({export_pool.file_of(name) for name in pool}) == 50 and all(len(export_pool.file_of(n)) < 255 for n in pool)
assert export_pool.drawn(7, 7, 3) == list(range(7))

# ---- Refusals: one line with the architecture and the reason ----


def raises(arch):
    raise KeyError("no such\nkey")


def ends(arch):
    os._exit(3)


class Wrong(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.forward = forward


def exported(build, choices=SMALL, **options):
    return refusal(export_pool.export, build, choices, "refused", IMAGE, **options)


def third(arch):
    return small(arch) if arch["width"] == 2 else nn.Flatten(0)


expect(r"width=2-kind=plain: build: export_pool_check\.py:\d+: KeyError: 'no such\\nkey'", exported(raises))
expect(r"width=2-kind=plain: build gave a int; expected a torch\.nn\.Module", exported(lambda arch: 1))
expect(r"width=2-kind=plain: on images of 1x12x12: .*RuntimeError: .*", exported(lambda arch: nn.Linear(5, 5)))
expect(r"width=2-kind=plain: PyTorch's exporter refuses it: .*aten::bincount.*",
       exported(lambda arch: Wrong(lambda x: torch.bincount(x.flatten(1)[0].long()).float().expand(2, -1))))
expect(r"width=2-kind=plain: its output for 2 images is \[2, 1, 12, 12\]; expected \[2, classes\]",
       exported(lambda arch: nn.ReLU()))
expect(r"width=2-kind=plain: its output is a tuple; expected a tensor \[N, classes\]",
       exported(lambda arch: Wrong(lambda x: (x, x))))
expect(r"width=2-kind=plain: its process ended with code 3 .*", exported(ends))
# the lowest, whatever the number of processes; what was written before it stays
assert {exported(third, processes=n) for n in (1, 2, 4)} == {
    "width=3-kind=plain: its output for 2 images is [288]; expected [2, classes]"}
assert len(files(pathlib.Path("refused"))) == 2

expect(r"choices\['a'\] has 1 twice", exported(small, {"a": [1, "1"]}))
expect(r"choices\['a'\] is 3; expected a list of values", exported(small, {"a": 3}))
expect(r"choices has \{\}; expected a dict of choices", exported(small, [{}]))
expect(r"choices is a str; expected .*", exported(small, "kernel"))
expect(r"choices: <object object at 0x.*> is called otherwise each time; .*", exported(small, {"a": [object()]}))
assert export_pool.name_of({"act": nn.ReLU, "size": (1, 3), "x": None}) == "act=ReLU-size=1_3-x=None"
expect(r"choices is empty", exported(small, {}))
expect(r"choices: 'arch' is no name of a column; .*", exported(small, {"arch": [1]}))
expect(r"two architectures are called a=1: .*", exported(small, [{"a": 1}, {"a": "1"}]))
expect(r"10(,000){13} architectures, above 1,000,000; draw some of them: --sample N", exported(small, vast))
expect(r"a sample of 5 architectures; expected 1 to 4", exported(small, sample=5))

# ---- Loading ----


def entry(key, text):
    """A field of metadata, as it may stand at an ONNX file's end."""
    def field(number, data):
        return bytes([8 * number + 2, len(data)]) + data
    return field(14, field(1, key.encode()) + field(2, text.encode()))


def model(data, arch):
    pathlib.Path("model.onnx").write_bytes(data + entry("arch", arch) + entry("mean", "[0.5]") + entry("std", "[0.25]"))
    return "model.onnx"


row = rows[3]
data = (one / row["onnx"]).read_bytes()
network, mean, std = export_pool.load(build, choices, model(data, row["arch"]))
export_pool.begin_random(4, row["arch"])
expected = build({key: int(row[key]) for key in choices}).state_dict()
assert (mean, std) == ([0.5], [0.25]) and list(network.state_dict()) == list(expected)
assert all(torch.equal(value, expected[key]) for key, value in network.state_dict().items())

expect(r"one/nets/.*: names no architecture in its metadata; .*", refusal(export_pool.load, build, choices, one / row["onnx"]))
expect(r"model\.onnx: no whole ONNX file \(.*\)", refusal(export_pool.load, build, choices, model(data[:5000], row["arch"])))
expect(r"no architecture of the choices is called k1=9", refusal(export_pool.load, build, choices, model(data, "k1=9")))
expect(rf"model\.onnx: {rows[0]['arch']}: the model (lacks|has).* \d+\..*",
       refusal(export_pool.load, build, choices, model(data, rows[0]["arch"])))


class Shared(nn.Module):
    """Two names of one parameter, and one that the output does not depend on."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.dead = nn.Linear(144, 144), nn.Linear(144, 144), nn.Linear(2, 2)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x.flatten(1)))


only = [{"n": 1}]
export_pool.export(lambda arch: Shared(), only, "shared", IMAGE)
path = model(pathlib.Path("shared/nets/n=1.onnx").read_bytes(), "n=1")
expect(r"model\.onnx: n=1: the model lacks dead\.weight, dead\.bias",
       refusal(export_pool.load, lambda arch: Shared(), only, path))
network, _, _ = export_pool.load(lambda arch: Shared(), only, path, strict=False)
assert network.a.weight is network.b.weight
