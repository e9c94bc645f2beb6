#!/usr/bin/env bash
# What pool-gp reaches on the published tables (docs/study.md), guarded loosely: 20 seeds, where the study has 200. Means of ranks are ruled
# by the few bad seeds.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in study'
need_tables
export PYTHONDONTWRITEBYTECODE=1

expect_exit 0 python3 "$ROBOTNAS_SOURCE/jobs/study/study.py" --robotnas "$ROBOTNAS" --methods pool-gp --seeds 20 --folder runs --tables \
    nb201-cifar10 tnb101-macro-class_scene tnb101-macro-jigsaw tnb101-micro-class_object tnb101-micro-jigsaw
sed -n '/^### Geometric/,/^### nb201/p' out
python3 - out <<'PYTHON' || fail "pool-gp is worse than it was"
import sys

rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in open(sys.argv[1]) if line.startswith("|")]
over = next(row for row in rows if row[0] == "pool-gp")
limits = [44, 14, 4.1, 2.6]  # twice what was measured
means = [float(cell.split()[0]) for cell in over[1:5]]
assert all(mean <= limit for mean, limit in zip(means, limits)), (means, limits)
assert all(int(n) == 5 for n in over[5].split("/")[1:]), over[5]
PYTHON
