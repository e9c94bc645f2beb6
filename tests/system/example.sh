#!/usr/bin/env bash
# Every figure of the reports on the table that ships, recomputed; and there RoBoT and the default find better architectures than
# chance.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

job=$ROBOTNAS_SOURCE/jobs/fashion-mnist-table.yaml

# run NAME OPTION...: the job with options; leaves NAME.json, recomputed.
run() {
    local name=$1
    shift
    expect_exit 0 "$ROBOTNAS" search "$job" --set "output=$name.h5" --set search.repeats=10 "$@"
    recomputed "$name" "$example" --objective valid_accuracy --cost flops --transform synflow=log
}

run default
run robot --set search.method=robot
run robot-parallel --set search.method=robot --set search.parallel=5
run robot-whole --set search.method=robot --set search.budget=100 --set search.repeats=2
run single --set search.method=single --set search.metric=snip
for method in random rea reinforce; do
    run "$method" --set "search.method=$method"
done

python3 - default.json robot.json random.json <<'PYTHON'
import json, sys

default, robot, random = (json.load(open(path))["summary"]["target"]["mean"] for path in sys.argv[1:])
print({"default": default, "robot": robot, "random": random})
assert min(default, robot) > random
PYTHON
