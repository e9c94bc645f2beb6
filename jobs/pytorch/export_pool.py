#!/usr/bin/env python3
"""Exports a space of PyTorch networks as a pool for robotnas: a folder of ONNX files and a table (docs/own-space.md).

    export_pool.py SPACE.py POOL --image 3x32x32 [--sample 200] [--seed 0] [--processes 2]

SPACE.py has `choices`, a dict of lists of which every combination is an architecture, or a list of dicts, one an architecture,
and `build(arch)`, which makes a torch.nn.Module of such a dict (mobile_space.py beside this file is an example). POOL/pool.csv
gets a row an architecture: `arch`, a name made of its choices; `onnx`, its file seen from there; `positions`, the places of its
choices among those that there are, as a tuple of digits (docs/spaces.md); and a column a choice. With `--sample` so many
architectures are drawn by the seed; a product of any size is not walked through for that.

Files are the same whatever the number of processes: random numbers begin anew for each architecture, by seed and name. What an
earlier call has written whole is kept, so that an interrupted one is repeated. Batch normalisations stay what they are, their
running statistics as `build` left them, and initialisers have the keys of the module's state_dict. In a program:

    export_pool.export(build, choices, "pool", image=(3, 32, 32), sample=200)
    network, mean, std = export_pool.load(build, choices, "winner.onnx")      # what `robotnas export --format onnx` wrote

Needs PyTorch (Debian: python3-torch).
"""

import argparse
import csv
import hashlib
import importlib.util
import inspect
import io
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import random
import re
import signal
import sys
import time
import traceback
import warnings

import torch
from torch import nn

MOST = 1_000_000  # architectures of a pool
OPSET = 17
FIRST = ("arch", "onnx", "positions")  # columns of the table
# The exporter that keeps batch normalisations; before 2.5 PyTorch had no other.
SCRIPT = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
TORCH = os.path.dirname(torch.__file__) + os.sep


class Refused(Exception):
    """What is wrong, in one line."""


def why(error):
    """An exception in one line, with the place in the user's own files where it came up."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
    own = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((TORCH, __file__))]
    place = f"{os.path.basename(own[-1].filename)}:{own[-1].lineno}: " if own else ""
    return f"{place}{type(error).__name__}: {text}"


# ----------------------------------------------------------------------------------------------------------- architectures


def text_of(value):
    """A value in names and in the table: no blanks, commas or quotes."""
    text = getattr(value, "__name__", str(value))
    if " at 0x" in text:
        raise Refused(f"choices: {text} is called otherwise each time; expected numbers, texts, classes or functions")
    return re.sub(r"[^\w.+-]+", "_", text).strip("_")


def name_of(arch):
    return "-".join(f"{text_of(key)}={text_of(value)}" for key, value in arch.items())


def check_choices(choices):
    """Refused where they are not a dict of lists or a list of dicts."""
    keys = choices
    if isinstance(choices, dict):
        for key, values in choices.items():
            if not isinstance(values, (list, tuple, range)) or len(values) == 0:
                raise Refused(f"choices[{key!r}] is {values!r}; expected a list of values")
            texts = [text_of(value) for value in values]
            again = next((text for text in texts if texts.count(text) > 1), None)
            if again is not None:
                raise Refused(f"choices[{key!r}] has {again} twice")
    elif isinstance(choices, (list, tuple)):
        wrong = next((arch for arch in choices if not isinstance(arch, dict) or not arch), None)
        if wrong is not None:
            raise Refused(f"choices has {wrong!r}; expected a dict of choices")
        keys = dict.fromkeys(key for arch in choices for key in arch)
    else:
        raise Refused(f"choices is a {type(choices).__name__}; expected a dict of lists, or a list of dicts")
    if not choices:
        raise Refused("choices is empty")
    for key in keys:
        if not isinstance(key, str) or text_of(key) != key or key in FIRST:
            raise Refused(f"choices: {key!r} is no name of a column; expected letters, digits and _, but not {', '.join(FIRST)}")


def count_of(choices):
    return math.prod(map(len, choices.values())) if isinstance(choices, dict) else len(choices)


def architecture(choices, index):
    """Architecture `index` of all combinations, of which the last choice changes fastest."""
    if not isinstance(choices, dict):
        return choices[index]
    arch = {}
    for key, values in reversed(choices.items()):
        index, place = divmod(index, len(values))
        arch[key] = values[place]
    return dict(reversed(arch.items()))


def drawn(total, n, seed):
    """n places among so many, rising, each set of them as likely (Floyd's algorithm: as many steps as places)."""
    draw, chosen = random.Random(seed), set()
    for last in range(total - n, total):
        place = draw.randrange(last + 1)
        chosen.add(last if place in chosen else place)
    return sorted(chosen)


def pool_of(choices, sample, seed):
    """{name: architecture}, in the order of the choices."""
    check_choices(choices)
    total = count_of(choices)
    n = total if sample is None else sample
    if n > MOST:
        raise Refused(f"{n:,} architectures, above {MOST:,}; draw some of them: --sample N")
    if not 1 <= n <= total:
        raise Refused(f"a sample of {n} architectures; expected 1 to {total:,}")
    pool = {}
    for index in drawn(total, n, seed):
        arch = architecture(choices, index)
        name = name_of(arch)
        if name in pool:
            raise Refused(f"two architectures are called {name}: {pool[name]} and {arch}")
        pool[name] = arch
    return pool


def texts_of(choices):
    """{choice: texts of its values}; an architecture of a list may lack a choice, which is the empty text."""
    if isinstance(choices, dict):
        return {key: [text_of(value) for value in values] for key, values in choices.items()}
    keys = dict.fromkeys(key for arch in choices for key in arch)
    return {key: list(dict.fromkeys(text_in(arch, key) for arch in choices)) for key in keys}


def text_in(arch, key):
    return text_of(arch[key]) if key in arch else ""


def positions_of(arch, texts):
    return "(" + ", ".join(str(texts[key].index(text_in(arch, key))) for key in texts) + ")"


def named(choices, name):
    """The architecture of that name, or of those positions."""
    check_choices(choices)
    texts = texts_of(choices)
    if not isinstance(choices, dict):
        found = next((arch for arch in choices if name in (name_of(arch), positions_of(arch, texts))), None)
    elif name.startswith("("):
        places = [int(place) for place in re.findall(r"\d+", name)]
        fit = len(places) == len(choices) and all(p < len(v) for p, v in zip(places, choices.values()))
        found = {key: choices[key][place] for key, place in zip(choices, places)} if fit else None
    else:
        match = re.fullmatch("-".join(f"{key}=({'|'.join(map(re.escape, values))})" for key, values in texts.items()), name)
        found = match and {key: choices[key][texts[key].index(text)] for key, text in zip(choices, match.groups())}
    if not found:
        raise Refused(f"no architecture of the choices is called {name}")
    return found


# ------------------------------------------------------------------------------------------------------------ one network


class Root(nn.Module):
    """Stands above a network while it is exported. The exporter merges initialisers that are equal, all gammas at first, unless
    the outermost module is in training mode; in training mode a network's running statistics move while it is exported. So
    this one is in training mode and the network is not. Names of parameters are the network's."""

    def __init__(self, network):
        super().__init__()
        self.network = network.cpu().eval()
        self.raised = self.output = None

    def state_dict(self, *args, **options):
        return self.network.state_dict(*args, **options)

    def forward(self, images):
        try:
            self.output = self.network(images)
        except Exception as error:
            self.raised = error
            raise
        return self.output


def begin_random(seed, name):
    """Random numbers of an architecture, whatever was built before it."""
    key = int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "little")
    random.seed(key)
    torch.manual_seed(key)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(key)


def onnx_of(network, image):
    """A network as the bytes of an ONNX file; Refused where it is none that classifies."""
    if not isinstance(network, nn.Module):
        raise Refused(f"build gave a {type(network).__name__}; expected a torch.nn.Module")
    root, data = Root(network), io.BytesIO()
    try:
        torch.onnx.export(root, torch.zeros(2, *image), data, training=torch.onnx.TrainingMode.PRESERVE, opset_version=OPSET,
                          do_constant_folding=False, input_names=["images"], output_names=["logits"],
                          dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}}, **SCRIPT)
    except Exception as error:
        what = f"on images of {'x'.join(map(str, image))}" if root.raised else "PyTorch's exporter refuses it"
        raise Refused(f"{what}: {why(root.raised or error)}") from None
    if not isinstance(root.output, torch.Tensor):
        raise Refused(f"its output is a {type(root.output).__name__}; expected a tensor [N, classes]")
    if root.output.dim() != 2 or len(root.output) != 2:
        raise Refused(f"its output for 2 images is {list(root.output.shape)}; expected [2, classes]")
    return data.getvalue()


def write_whole(path, data):
    """Whole at every instant: written beside its place, then renamed."""
    aside = path.with_name(path.name + ".tmp")
    with open(aside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def export_one(build, name, arch, image, seed, path):
    begin_random(seed, name)
    try:
        network = build(dict(arch))
    except Exception as error:
        raise Refused(f"build: {why(error)}") from None
    write_whole(path, onnx_of(network, image))


# ------------------------------------------------------------------------------------------------------- several processes


def work(end, others, task):
    """A process: does what it is told the place of, and answers why it could not, or None. Ends with its parent."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of training mode, and that this exporter is to be replaced
    warnings.simplefilter("default", torch.jit.TracerWarning)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # there the exporter prints the whole graph of what it refuses
    sys.stdout = sys.stderr
    try:
        while True:
            place, why_not = end.recv(), None
            try:
                task(place)
            except (Refused, OSError) as error:
                why_not = str(error)
            end.send(why_not)
    except (EOFError, ConnectionError):
        pass


def run_all(n, processes, task, say):
    """task(0), ..., task(n - 1), by several processes. {place: why not} of failures: no place is begun after the first, and all
    before it are, so that the lowest does not depend on the number of processes."""
    context = multiprocessing.get_context("fork")  # what is to be built need not be importable
    running, busy, failures, begun, done = {}, {}, {}, 0, 0
    try:
        for _ in range(min(processes, n)):
            mine, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, [*running, mine], task), daemon=True)
            process.start()
            theirs.close()
            running[mine] = process
        idle = list(running)
        while True:
            while idle and begun < n and not failures:
                end = idle.pop()
                busy[end] = begun
                end.send(begun)
                begun += 1
            if not busy:
                return failures
            for end in multiprocessing.connection.wait(list(busy)):
                place, why_not = busy.pop(end), None
                try:
                    why_not = end.recv()
                    idle.append(end)
                except (EOFError, ConnectionError):
                    running[end].join()
                    why_not = f"its process ended with code {running[end].exitcode} (memory?)"
                if why_not:
                    failures[place] = why_not
                done += 1
                say(done)
    finally:
        for end in running:
            end.close()
        for process in running.values():
            process.terminate()
            process.join()


class Progress:
    """A line on a terminal, redrawn once a second at most."""

    def __init__(self, n):
        self.n, self.began, self.drawn = n, time.monotonic(), 0.0

    def __call__(self, done):
        now = time.monotonic()
        if sys.stderr.isatty() and (done == self.n or now - self.drawn >= 1):
            left = (now - self.began) / done * (self.n - done)
            end = "\n" if done == self.n else ""
            print(f"\r{done} of {self.n} networks, {left:.0f} s left \033[K", end=end, file=sys.stderr, flush=True)
            self.drawn = now


# ------------------------------------------------------------------------------------------------------------------- pools


def file_of(name):
    """The file of an architecture; file systems take 255 bytes."""
    return f"nets/{name if len(name) <= 200 else name[:160] + '-' + hashlib.sha256(name.encode()).hexdigest()[:32]}.onnx"


def origin_of(build, image, seed):
    """What networks of an earlier call must have been made from to be kept."""
    try:
        source = pathlib.Path(inspect.getsourcefile(build)).read_bytes()
    except (TypeError, OSError):  # typed in
        source = b""
    return {"image": list(image), "seed": seed, "space": hashlib.sha256(source).hexdigest(), "torch": torch.__version__}


def open_pool(folder, origin):
    """Make the folder, or go on with one of the same origin."""
    made = folder / "made.json"
    try:
        (folder / "nets").mkdir(parents=True, exist_ok=True)
        if not made.exists():
            write_whole(made, json.dumps(origin).encode())
        before = json.loads(made.read_bytes())
    except ValueError:
        before = {}
    differ = [key for key in origin if before.get(key) != origin[key]]
    if differ:
        raise Refused(f"{folder}: has networks that were made with another {' and '.join(differ)} ({made.name}); "
                      "remove the folder, or name another one")


def table_of(pool, texts):
    """pool.csv of {name: architecture}."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow([*FIRST, *texts])
    for name, arch in pool.items():
        rows.writerow([name, file_of(name), positions_of(arch, texts), *(text_in(arch, key) for key in texts)])
    return table.getvalue().encode()


def export(build, choices, folder, image, sample=None, seed=0, processes=None):
    """Write the pool; (architectures, those that an earlier call had written). image: channels, height, width.
    Refused: what cannot be exported, and why; what was written stays for the next call."""
    pool, folder = pool_of(choices, sample, seed), pathlib.Path(folder)
    open_pool(folder, origin_of(build, image, seed))
    names = [name for name in pool if not (folder / file_of(name)).exists()]

    def task(place):
        export_one(build, names[place], pool[names[place]], image, seed, folder / file_of(names[place]))

    failures = run_all(len(names), processes or len(os.sched_getaffinity(0)), task, Progress(len(names)))
    if failures:
        first = min(failures)
        raise Refused(f"{names[first]}: {failures[first]}")
    write_whole(folder / "pool.csv", table_of(pool, texts_of(choices)))
    return len(pool), len(pool) - len(names)


# ------------------------------------------------------------------------------------------------------------- the winner


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of every field of a message of protocol buffers: an integer, or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind, number = tag & 7, tag >> 3
        if kind == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("cut short")
        yield number, value


def tensor_of(message):
    """(name, tensor) of a TensorProto; the tensor is None unless it is of float32."""
    shape, name, kind, parts = [], "", 0, []
    for number, value in fields(message):
        if number == 1:
            shape += [value] if isinstance(value, int) else unpacked(value)
        elif number == 2:
            kind = value
        elif number in (4, 9):  # float_data, raw_data
            parts.append(value)
        elif number == 8:
            name = bytes(value).decode()
    return name, torch.frombuffer(bytearray(b"".join(parts)), dtype=torch.float32).reshape(shape) if kind == 1 else None


def unpacked(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def read_onnx(data):
    """({initialiser: tensor of float32}, metadata) of an ONNX file's content."""
    tensors, metadata = {}, {}
    for number, value in fields(memoryview(data)):
        if number == 7:  # the graph
            tensors.update(tensor_of(message) for field, message in fields(value) if field == 5)
        elif number == 14:
            entry = {field: bytes(text).decode() for field, text in fields(value)}
            metadata[entry.get(1, "")] = entry.get(2, "")
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}, metadata


def load(build, choices, path, strict=True):
    """(network, mean, std) of a model that `robotnas export --format onnx` wrote: what build makes of its architecture, with
    the model's parameters and running statistics, and the numbers a channel that normalise its images: (x / 255 - mean) / std.
    Refused: keys of the state_dict that the model lacks, as of what its output does not depend on, unless strict is False,
    when they stay as build left them; and parameters that the network has no place for."""
    data = pathlib.Path(path).read_bytes()
    try:
        tensors, metadata = read_onnx(data)
    except Exception as error:  # damaged in any way
        raise Refused(f"{path}: no whole ONNX file ({why(error)})") from None
    if "arch" not in metadata:
        raise Refused(f"{path}: names no architecture in its metadata; expected what robotnas export --format onnx writes")
    network = build(dict(named(choices, metadata["arch"])))
    state = network.state_dict(keep_vars=True)
    there = {id(state[key]) for key in tensors if key in state}  # shared ones are in the file once
    missing = [key for key, value in state.items() if id(value) not in there and not key.endswith("num_batches_tracked")]
    left = [key for key in tensors if key not in state and "/" not in key]  # with one: constants, as a ReLU6's ends
    differ = [key for key in tensors if key in state and tensors[key].shape != state[key].shape]
    faults = {"lacks": missing if strict else [], "has, and the network does not,": left, "has other shapes of": differ}
    for what, keys in faults.items():
        if keys:
            more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
            raise Refused(f"{path}: {metadata['arch']}: the model {what} {', '.join(keys[:4])}{more}")
    network.load_state_dict({key: tensors[key] for key in tensors if key in state}, strict=False)
    return network, json.loads(metadata["mean"]), json.loads(metadata["std"])


# ----------------------------------------------------------------------------------------------------------- command line


def space_of(path):
    """(build, choices) of a user's file."""
    sys.path.insert(0, str(path.resolve().parent))  # it may import what lies beside it
    if not path.is_file():
        raise Refused(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None:
        raise Refused(f"{path}: no Python file; expected a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Refused(f"{path}: {why(error)}") from None
    for name in ("build", "choices"):
        if not hasattr(module, name):
            raise Refused(f"{path}: has no {name}; expected build(arch), a function, and choices")
    return module.build, module.choices


def image_of(text):
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*x[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected channels x height x width, such as 3x32x32")
    return tuple(map(int, text.split("x")))


def end(code, why_not):
    clear = "\r\033[K" if sys.stderr.isatty() else ""  # of progress
    print(f"{clear}export_pool.py: {why_not}", file=sys.stderr)
    sys.exit(code)


def main():
    parser = argparse.ArgumentParser(description="Export a space of PyTorch networks as a pool for robotnas.")
    parser.add_argument("space", type=pathlib.Path, help="a Python file with build(arch) and choices")
    parser.add_argument("pool", type=pathlib.Path, help="the folder to write")
    parser.add_argument("--image", type=image_of, required=True, help="channels, height and width, such as 3x32x32")
    parser.add_argument("--sample", type=int, help="how many architectures to draw; by default all are taken")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, and of PyTorch's random numbers")
    parser.add_argument("--processes", type=int, help="by default one a processor")
    args = parser.parse_args()
    began = time.monotonic()
    try:
        build, choices = space_of(args.space)
        n, before = export(build, choices, args.pool, args.image, args.sample, args.seed, args.processes)
    except (Refused, OSError) as error:
        end(2, error)
    except KeyboardInterrupt:
        end(130, "interrupted; the same command goes on")
    kept = f", {before} of them from before" if before else ""
    print(f"{args.pool / 'pool.csv'}: {n} networks{kept}, {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
