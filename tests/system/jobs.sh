#!/usr/bin/env bash
# Every job that ships runs to its end, with fewer repeats, small networks where it scores, and few images where it trains.
# Those whose data, or programs, are not there are skipped by name.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export ROBOTNAS_DATA=$ROBOTNAS_SHARED/data/cifar-10-batches-bin
small=(--set network.channels=8 --set network.cells=1 --set metrics.batch=8)
short=(--set "data.train=[$ROBOTNAS_DATA/data_batch_1.bin]" --set data.limit=200 --set 'pool.subset={sample: 12}'
    --set objective.epochs=1 --set objective.batch=50 --set search.budget=3)
few=(--set data.limit=400 --set 'pool.subset={sample: 12}' --set search.budget=3)
images=/usr/share/datasets/fashion-mnist # of Debian's dataset-fashion-mnist

# lacks JOB: whether it names published data that are not there.
lacks() {
    if grep -q '^[^#]*ROBOTNAS_TABLES' "$1" && ! have_tables; then return 0; fi
    if grep -q "^[^#]*$images" "$1" && ! [ -d "$images" ]; then return 0; fi
    if grep -q '^[^#]*pytorch/' "$1" && ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then return 0; fi
    grep -q '^[^#]*ROBOTNAS_DATA' "$1" && ! [ -d "$ROBOTNAS_DATA" ]
}

# trainer JOB: its command with few images, for --set.
trainer() {
    python3 - "$1" <<'PYTHON'
import re, sys

command = re.search(r"command: \[(.*?)\]", open(sys.argv[1]).read(), re.S).group(1)
command = command.replace('"10000"', '"300"').replace('"{job}', '"' + sys.argv[1].rsplit("/", 1)[0])
print("objective.command=[" + " ".join(command.split()) + "]")
PYTHON
}

# runs NAME COMMAND [OPTION...]: one job, to its end.
runs() {
    local name=$1 command=$2 mode=()
    local job=$ROBOTNAS_SOURCE/jobs/$name.yaml
    shift 2
    [ "$command" = search ] || mode=(--score)
    expect_exit 0 "$ROBOTNAS" check "$job" "${mode[@]}" "$@"
    expect_exit 0 "$ROBOTNAS" "$command" "$job" --set "output=$name.h5" "$@"
    grep -q ', complete$' out || fail "$name: the report says nothing of complete"
    expect_exit 0 "$ROBOTNAS" report "$name.h5" --json
    grep -q '"complete": true' out || fail "$name is not complete"
    grep -q "\"job\": \"$name\"" out || fail "$name is called otherwise in its file"
}

# score-*.yaml comes before scored-*.yaml, which reads its file.
skipped=()
for job in "$ROBOTNAS_SOURCE"/jobs/*.yaml; do
    name=$(basename "$job" .yaml)
    if lacks "$job"; then
        skipped+=("$name")
        continue
    fi
    case $name in
    score-*) runs "$name" score "${small[@]}" ;;
    train-*) runs "$name" search "${small[@]}" "${short[@]}" ;;
    scored-*) runs "$name" search --set search.repeats=2 --set "metrics.file=score-${name#scored-}.h5" ;;
    quickstart | fashion-mnist-mini) runs "$name" search "${few[@]}" --set objective.epochs=1 ;;
    fashion-mnist-pytorch) runs "$name" search "${few[@]}" --set "$(trainer "$job")" ;;
    *) runs "$name" search --set search.repeats=2 ;;
    esac
done
[ ${#skipped[@]} = 0 ] || skip "jobs on data, or with programs, that are not here: ${skipped[*]}"
