#!/usr/bin/env bash
# Whether two builds of the program find the same, bit by bit. For a change that must not move a result: OLD is the binary from
# before it. Prints a line a comparison and ends with exit code 1 where anything differs, after saying what.
#
# usage: scripts/same_results.sh OLD NEW [--quick] [--only PATTERN] [--keep FOLDER]
#   --quick          the short jobs at 2 ranks and the shipped references: under a minute
#   --only PATTERN   the comparisons whose names (as they are printed) match a regular expression
#   --keep FOLDER    keep what OLD finds there, and take it from there the next time
#
# Jobs, at 1, 2 and 4 ranks: equal bytes of `report --json` (less timing and version), `report --csv` and `report --csv-scores` (less
# seconds). Those on tables run in full. Those that compute or train run in full on `cpu` at 2 ranks; elsewhere, and on `ref`, they
# are cut as said below.
# References: `verify --dump` of each, on `cpu` and `ref`, has the same data sets with the same bits.
# What is not on this machine (the published tables and references in ../shared, the images of Fashion-MNIST) is named and left out.
set -euo pipefail

usage() {
    sed -n '5p' "$0" >&2
    exit 2
}

source=$(cd "$(dirname "$0")/.." && pwd)
quick=
only=
keep=
binaries=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --only)
        [ $# -gt 1 ] || usage
        only=$2
        shift
        ;;
    --keep)
        [ $# -gt 1 ] || usage
        mkdir -p "$2"
        keep=$(cd "$2" && pwd)
        shift
        ;;
    -*) usage ;;
    *) binaries+=("$(realpath "$1")") ;;
    esac
    shift
done
[ ${#binaries[@]} = 2 ] || usage
old=${binaries[0]} new=${binaries[1]}
for binary in "$old" "$new"; do [ -x "$binary" ] || usage; done

# What the tests set for runs on one machine, and where published data lies.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
: "${ROBOTNAS_SHARED:=$source/../shared}"
export ROBOTNAS_TABLES=$ROBOTNAS_SHARED/data/tables ROBOTNAS_DATA=$ROBOTNAS_SHARED/data/cifar-10-batches-bin
references=$ROBOTNAS_SHARED/oracle/ref
images=/usr/share/datasets/fashion-mnist

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
old_results=$work/old
if [ -n "$keep" ]; then old_results=$keep/$(cat "$old" "$0" | sha256sum | cut -c1-16); fi
mkdir -p "$old_results" "$work/new"

n_same=0
n_different=0
n_left_out=0

left_out() {
    printf 'left out    %s\n' "$*"
    n_left_out=$((n_left_out + 1))
}

# A case runs by its function twice, with BINARY and NAME, in a folder of its binary's results; NAME.d then holds what is compared.

# once FOLDER BINARY NAME FUNCTION ARGUMENT...: unless it ran there before.
once() {
    local folder=$1 binary=$2 name=$3 code=0
    cd "$folder"
    [ ! -e "$name.d/exit" ] || return 0
    rm -rf "$name.d"
    mkdir "$name.d"
    "$4" "$binary" "$name" "${@:5}" >"$name.out" 2>"$name.err" || code=$?
    echo "$code" >"$name.d/exit"
}

# same NAME FUNCTION ARGUMENT...: both, at the same time, and whether they agree.
same() {
    local name=$1 from=$SECONDS file code
    [[ $name =~ $only ]] || return 0
    (once "$old_results" "$old" "$@") &
    (once "$work/new" "$new" "$@")
    wait $!
    : >"$work/differ"
    for file in $(basename -a "$old_results/$name.d"/* "$work/new/$name.d"/* | sort -u); do
        differs "$name" "$file" "$old_results/$name.d/$file" "$work/new/$name.d/$file" >>"$work/differ"
    done
    code=$(<"$work/new/$name.d/exit")
    if [ "$code" != 0 ] && ! [ -s "$work/differ" ]; then
        printf '  both end with %s: %s\n' "$code" "$(last_words "$work/new/$name.err")" >"$work/differ"
    fi
    if [ -s "$work/differ" ]; then
        n_different=$((n_different + 1))
        printf 'DIFFERS     %s\n' "$name"
        cat "$work/differ"
    else
        n_same=$((n_same + 1))
        printf 'same %3d s  %s\n' $((SECONDS - from)) "$name"
    fi
}

# last_words FILE: what the program said at last, or another.
last_words() {
    grep 'robotnas: ' "$1" | tail -n 1 | grep . || tail -n 1 "$1"
}

# differs NAME FILE A B: says how two results differ, in a few lines; nothing where they are the same.
differs() {
    local said
    if cmp -s "$3" "$4"; then return; fi
    case $2 in
    *.h5) said=$(differing_data_sets "$3" "$4") ;; # other bytes between the data sets mean nothing
    exit)
        said=$(printf 'OLD ended with %s: %s\n' "$(<"$3")" "$(last_words "$old_results/$1.err")"
            printf 'NEW ended with %s: %s\n' "$(<"$4")" "$(last_words "$work/new/$1.err")")
        ;;
    *) said=$(diff "$3" "$4" 2>&1 | head -n 6 | cut -c1-160) || true ;;
    esac
    [ -z "$said" ] || printf '  %s\n%s\n' "$2" "$said" | sed '2,$s/^/    /'
}

# differing_data_sets A.h5 B.h5: the names of those whose type, shape or bits differ.
differing_data_sets() {
    local python
    for python in python3 /usr/bin/python3; do
        ! "$python" -c 'import h5py' 2>/dev/null || break
    done
    "$python" - "$1" "$2" <<'PYTHON' || echo 'not to be told: it takes two readable files and a Python with h5py'
import sys, h5py

def contents(path):
    found = {}
    def add(name, thing):
        if isinstance(thing, h5py.Dataset):
            found[name] = (str(thing.dtype), thing.shape, thing[...].tobytes())
        for key, value in thing.attrs.items():
            found[f"{name}@{key}"] = ("attribute", (), repr(value))
    with h5py.File(path) as file:
        add("", file)
        file.visititems(add)
    return found

a, b = map(contents, sys.argv[1:])
names = [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]
print("\n".join(names))
PYTHON
}

# ---- Jobs ----

# run_job BINARY NAME RANKS COMMAND JOB [KEY=VALUE...]: to its end, and its reports.
run_job() {
    local binary=$1 name=$2 ranks=$3 command=$4 job=$5 setting options=()
    for setting in "${@:6}"; do options+=(--set "$setting"); done
    mpiexec -n "$ranks" "$binary" "$command" "$source/jobs/$job.yaml" --set "output=$name.h5" "${options[@]}" || return
    "$binary" report "$name.h5" --json | sed -e '/^  "version": /d' -e '/^  "timing": {/,$d' >"$name.d/json" || return
    if [ "$command" = score ]; then
        "$binary" report "$name.h5" --csv - | sed 's/,[^,]*$//' >"$name.d/scores.csv" || return
    else
        "$binary" report "$name.h5" --csv "$name.d/csv" || return
        # A search that measured the pool has these as well.
        if "$binary" report "$name.h5" --csv-scores "$name.scores"; then sed 's/,[^,]*$//' "$name.scores" >"$name.d/scores.csv"; fi
    fi
}

# job LABEL RANKS COMMAND JOB [KEY=VALUE...]
job() {
    same "$4-$3-$1-$2" run_job "${@:2}"
}

# computes COMMAND JOB CUT...: a job that computes or trains: in full on cpu at 2 ranks, cut on cpu at 1 and 4, and on ref.
computes() {
    local command=$1 name=$2 method=()
    shift 2
    # Its own, the default, a build of before may not have.
    if [ "$name" = quickstart ]; then method=(search.method=robot); fi
    if [ -n "$quick" ]; then
        job cpu 2 "$command" "$name" "${method[@]}" "$@"
        job ref 2 "$command" "$name" backend=ref "${method[@]}" "$@"
        return
    fi
    job cpu-full 2 "$command" "$name" "${method[@]}"
    for ranks in 1 2 4; do
        job cpu "$ranks" "$command" "$name" "${method[@]}" "$@"
        job ref "$ranks" "$command" "$name" backend=ref "${method[@]}" "$@"
    done
}

# What is cut: cells, images, epochs and evaluations. Each takes under 3 minutes, and a few seconds for --quick.
train_cut=('pool.subset={sample: 30}' data.limit=400 search.budget=5 objective.epochs=1)
score_cut=('pool.subset={sample: 40}' network.channels=8 network.cells=1 metrics.batch=16)
cifar_cut=(network.channels=8 network.cells=1 metrics.batch=8)
tables_at=(1 2 4)
repeats=()
if [ -n "$quick" ]; then
    train_cut=('pool.subset={sample: 8}' data.limit=100 search.budget=3 objective.epochs=1 objective.batch=32)
    score_cut=('pool.subset={sample: 8}' network.channels=8 network.cells=1 metrics.batch=8)
    cifar_cut+=('pool.subset={sample: 40}')
    tables_at=(2)
    repeats=(search.repeats=3)
fi

for ranks in "${tables_at[@]}"; do
    job table "$ranks" search fashion-mnist-table search.method=robot "${repeats[@]}"
done
if [ -d "$ROBOTNAS_TABLES" ]; then
    names=(nb201-cifar10 nb201-accuracy-random nb201-accuracy-rea nb201-accuracy-reinforce tnb101-macro-class_scene
        tnb101-macro-jigsaw tnb101-micro-class_object tnb101-micro-jigsaw)
    if "$old" --help 2>/dev/null | grep -q '^  pool-gp '; then
        names+=(nb201-cifar10-pool-gp)
    else
        left_out 'nb201-cifar10-pool-gp: OLD has no such method'
    fi
    for name in "${names[@]}"; do
        for ranks in "${tables_at[@]}"; do
            job table "$ranks" search "$name" "${repeats[@]}"
        done
    done
else
    left_out "jobs on published tables: they are not at $ROBOTNAS_TABLES"
fi

if [ -d "$images" ]; then
    computes search quickstart "${train_cut[@]}"
    computes search fashion-mnist-mini "${train_cut[@]}"
    computes score fashion-mnist-mini "${score_cut[@]}"
else
    left_out "quickstart and fashion-mnist-mini: $images is not there"
fi

# score-cifar10 makes what scored-cifar10 reads: name both to --only.
if [ -d "$ROBOTNAS_TABLES" ] && [ -d "$ROBOTNAS_DATA" ]; then
    computes score score-cifar10 "${cifar_cut[@]}"
    scores=score-cifar10-score-cpu-full-2.h5
    if [ -n "$quick" ]; then
        scores=score-cifar10-score-cpu-2.h5
        repeats+=('pool.subset={sample: 40}')
    fi
    for ranks in "${tables_at[@]}"; do
        job table "$ranks" search scored-cifar10 "metrics.file=$scores" "${repeats[@]}"
    done
else
    left_out "score-cifar10 and scored-cifar10: $ROBOTNAS_TABLES or $ROBOTNAS_DATA is not there"
fi

# ---- References ----

# dump BINARY NAME REFERENCE BACKEND: what was computed, whether or not it agrees with the reference.
dump() {
    local options=()
    case $3 in "$references"/train-*) options=(--images "$ROBOTNAS_DATA/data_batch_1.bin") ;; esac
    "$1" verify "$3" --backend "$4" --dump "$2.d/dump.h5" "${options[@]}" || [ -s "$2.d/dump.h5" ]
}

files=("$source"/tests/data/reference-*.h5)
if [ -n "$quick" ]; then
    :
elif [ -d "$references" ] && [ -d "$ROBOTNAS_DATA" ]; then
    files+=("$references"/*.h5)
else
    left_out "large references: $references or $ROBOTNAS_DATA is not there"
fi
for file in "${files[@]}"; do
    for backend in cpu ref; do
        same "$(basename "$file" .h5)-$backend" dump "$file" "$backend"
    done
done

printf '%d same, %d differ, %d left out, in %d s\n' "$n_same" "$n_different" "$n_left_out" "$SECONDS"
[ "$n_different" = 0 ]
