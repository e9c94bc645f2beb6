# shellcheck shell=bash
# What the tests of the shipped jobs share besides lib.sh, which source first: each runs to its end, with fewer repeats, small
# networks where it scores, and few images where it trains. One that lacks data or a program is left out by name.

have_tables || true # names their folder
export ROBOTNAS_DATA=$ROBOTNAS_SHARED/data/cifar-10-batches-bin
small=(--set network.channels=8 --set network.cells=1 --set metrics.batch=8)
short=(--set "data.train=[$ROBOTNAS_DATA/data_batch_1.bin]" --set data.limit=200 --set 'pool.subset={sample: 12}'
    --set objective.epochs=1 --set objective.batch=50 --set search.budget=3)
few=(--set data.limit=400 --set 'pool.subset={sample: 12}' --set search.budget=3)
images=/usr/share/datasets/fashion-mnist # of Debian's dataset-fashion-mnist

# names JOB WHAT: whether it does, comments aside.
names() {
    grep -q "^[^#]*$2" "$1"
}

# is_published JOB: whether it reads published data, which no package has.
is_published() {
    names "$1" ROBOTNAS_TABLES || names "$1" ROBOTNAS_DATA
}

# lacks JOB: prints what it needs and this machine has not; fails where it has all.
lacks() {
    if names "$1" ROBOTNAS_TABLES && ! [ -d "$ROBOTNAS_TABLES" ]; then
        echo "the published tables are not at $ROBOTNAS_TABLES"
    elif names "$1" ROBOTNAS_DATA && ! [ -d "$ROBOTNAS_DATA" ]; then
        echo "CIFAR-10 is not at $ROBOTNAS_DATA"
    elif names "$1" "$images" && ! [ -d "$images" ]; then
        echo "$images is not there"
    elif names "$1" pytorch/ && ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
        echo '/usr/bin/python3 has no torch'
    else
        return 1
    fi
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
    printf '%3d s: %s\n' "$SECONDS" "$name"
}

# run_jobs JOB...: what is here runs; skipped where nothing is. score-*.yaml comes before scored-*.yaml, which reads its file.
run_jobs() {
    local job name lacking n_run=0
    for job; do
        name=$(basename "$job" .yaml)
        if lacking=$(lacks "$job"); then
            skip_part "jobs/$name.yaml: $lacking"
            continue
        fi
        case $name in
        score-*) runs "$name" score "${small[@]}" ;;
        train-* | darts-*) runs "$name" search "${small[@]}" "${short[@]}" ;;
        scored-*) runs "$name" search --set search.repeats=2 --set "metrics.file=score-${name#scored-}.h5" ;;
        quickstart | fashion-mnist-mini) runs "$name" search "${few[@]}" --set objective.epochs=1 ;;
        fashion-mnist-pytorch) runs "$name" search "${few[@]}" --set "$(trainer "$job")" ;;
        *) runs "$name" search --set search.repeats=2 ;;
        esac
        n_run=$((n_run + 1))
    done
    [ $n_run != 0 ] || exit 77
}
