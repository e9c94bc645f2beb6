#!/usr/bin/env bash
# `robotnas bench` measures what it is asked for, as a table and as JSON; what it cannot measure is refused.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

small=(--batch 4 --channels 8 --cells 1 --repeats 1)
cell='|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|'

expect_exit 0 "$ROBOTNAS" bench score "${small[@]}"
expect_line out '^floor = '
[ "$(grep -c 'architectures/s' out)" = 3 ] || fail 'not three architectures'

# On every backend the same work: calls and FLOP depend on the network alone, and on nothing that a channel's padding adds.
for backend in ref cpu; do
    if "$ROBOTNAS" bench score "${small[@]}" --backend "$backend" --arch "$cell" --metrics snip,nwot --json >"$backend.json" 2>err; then
        python3 - "$backend" "$cell" <<'PY' || fail "$backend: its JSON"
import json, sys
backend, cell = sys.argv[1:]
with open(backend + ".json") as file:
    bench = json.load(file)
assert bench["bench"] == "score" and bench["backend"] == backend, bench
assert (bench["batch"], bench["channels"], bench["cells"]) == (4, 8, 1)
assert bench["metrics"] == ["snip", "nwot"]
(network,) = bench["architectures"]
assert network["arch"] == cell
work = {w["work"]: w for w in network["work"]}
assert all(w["calls"] > 0 and w["seconds"] >= 0 and w["floor_seconds"] >= 0 for w in work.values())
assert network["flops"] == sum(w["flops"] for w in work.values())
assert {name for name, w in work.items() if w["flops"]} == {
    "conv forward", "conv backward data", "conv backward weights"}
assert "signs" in work and "max abs" not in work  # nwot's work is there, synflow's is not
# the gradient by the weights of a live convolution costs what its forward pass does; nwot runs dead ones forward, too
assert work["conv backward weights"]["flops"] <= work["conv forward"]["flops"]
assert work["conv backward data"]["flops"] < work["conv backward weights"]["flops"]  # not to the images
assert network["arena_bytes"] > 0 and network["arch_per_s"] > 0
PY
    else
        grep -q 'not built in' err || fail "$backend: $(<err)"
        skip_part "$backend is not built in"
    fi
done

# Training: every cell asked for, with rates that are positive and agree.
expect_exit 0 "$ROBOTNAS" bench train --batch 4 --channels 4 --cells 1 --repeats 1 --backend ref --json
python3 - out <<'PYTHON'
import json, math, sys

bench = json.load(open(sys.argv[1]))
assert (bench["bench"], bench["backend"], bench["batch"]) == ("train", "ref", 4) and len(bench["architectures"]) == 3
for network in bench["architectures"]:
    assert math.isclose(network["images_per_s"], bench["batch"] / network["seconds"], rel_tol=1e-4)
    assert network["flops_per_s"] > 0
PYTHON
expect_exit 0 "$ROBOTNAS" bench train --batch 4 --channels 4 --cells 1 --repeats 1 --backend ref --arch '|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|'
grep -q 'images/s' out || fail 'bench train says nothing of images/s'

# The network of a file, on images of its own extents. The ref backend computes it, too; both count the same.
net=$ROBOTNAS_SOURCE/tests/data/network-joined.onnx
expect_exit 0 "$ROBOTNAS" bench score --onnx "$net" --batch 4 --metrics snip,nwot --repeats 2 --backend ref
grep -qF 'batch 4, images of 3 x 12 x 9, 2 metrics' out || fail "bench score --onnx: $(<out)"
expect_exit 0 "$ROBOTNAS" bench train --onnx "$net" --batch 4 --repeats 1 --backend ref --json
python3 - out "$net" <<'PYTHON'
import json, sys

bench = json.load(open(sys.argv[1]))
(network,) = bench["architectures"]
assert network["arch"] == sys.argv[2] and network["images_per_s"] > 0
# a step has two passes of each convolution at least, two operations a multiply-add: 48450 an image
assert network["flops_per_s"] * network["seconds"] >= 2 * 2 * 4 * 48450 * 0.999
PYTHON

# Ranking: every instruction set that the score table has, the posterior has.
expect_exit 0 "$ROBOTNAS" bench rank --arch 5000 --metrics 3 --points 18 --repeats 1 --json
python3 - out <<'PYTHON'
import json, math, sys

bench = json.load(open(sys.argv[1]))
assert (bench["bench"], bench["n_arch"], bench["n_metric"]) == ("rank", 5000, 3)
assert [step["isa"] for step in bench["steps"]] == list(dict.fromkeys(query["isa"] for query in bench["queries"]))
for step in bench["steps"]:
    assert (step["points"], step["bytes_per_row"]) == (18, 4 * 3 + 6 + 4 * 18)
    stream_s = 5000 * step["bytes_per_row"] / step["read_bytes_per_s"]
    assert math.isclose(step["times_stream"], step["seconds"] / stream_s, rel_tol=1e-3)
PYTHON

# refused PATTERN OPTION...: exit code 2 and one line.
refused() {
    local pattern=$1
    shift
    expect_exit 2 "$ROBOTNAS" bench "$@"
    # shellcheck disable=SC2053 # the pattern is one
    [[ $(<err) == robotnas:\ bench:\ $pattern ]] || fail "expected '$pattern', found '$(<err)'"
}
refused "--arch 'conv' is not *" score --arch conv
refused "--metrics 'snip,snap': there is no metric 'snap'" score --metrics snip,snap
refused "--metrics '': there is no metric ''" score --metrics ''
refused "there is no backend 'gpu'*" score --backend gpu
refused "--batch '0' *" score --batch 0
refused "--channels 'many' *" score --channels many
refused 'rank has no option --batch' rank --batch 4
refused "--points '0' *" rank --points 0
refused 'bo has no option --arch' bo --arch 4
refused 'train has no option --metrics' train --metrics snip
refused "--arch 'conv' is not *" train --arch conv
refused '--onnx: a file says the network; *' score --onnx "$net" --channels 4
refused '--onnx: the networks of files run on a core*' train --onnx "$net" --device cuda:0
refused 'rank has no option --onnx' rank --onnx "$net"
expect_exit 2 "$ROBOTNAS" bench score --onnx none.onnx
