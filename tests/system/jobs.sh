#!/usr/bin/env bash
# Every job that ships runs to its end, with fewer repeats, and small networks where it scores. Those on published data are
# skipped, by name, where the data are not there.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export ROBOTNAS_DATA=$ROBOTNAS_SHARED/data/cifar-10-batches-bin
small=(--set network.channels=8 --set network.cells=1 --set metrics.batch=8)

# lacks JOB: whether it names published data that are not there.
lacks() {
    if grep -q '^[^#]*ROBOTNAS_TABLES' "$1" && ! have_tables; then return 0; fi
    grep -q '^[^#]*ROBOTNAS_DATA' "$1" && ! [ -d "$ROBOTNAS_DATA" ]
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
    scored-*) runs "$name" search --set search.repeats=2 --set "metrics.file=score-${name#scored-}.h5" ;;
    *) runs "$name" search --set search.repeats=2 ;;
    esac
done
[ ${#skipped[@]} = 0 ] || skip "jobs on published data: ${skipped[*]}"
