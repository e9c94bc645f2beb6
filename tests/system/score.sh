#!/usr/bin/env bash
# Scoring: the same values for any number of ranks, on any backend, in any order and pool; what a finished run does with a
# second start; scores that feed a search.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

score_job job.yaml
expect_exit 0 "$ROBOTNAS" score job.yaml
grep -q 'small: scoring 24 architectures, 11 metrics, 1 rank$' err || fail "the run does not say what it does"
grep -q ' of 24 architectures, complete$' out || fail "the report says nothing of complete"
scores_of small.h5 >alone
same_report small.h5 >report-alone
[ "$(grep -c ',ok$' alone)" = 24 ] || fail "not everything is scored: $(<alone)"

# ---- Any number of ranks ----

for n in 1 2 4; do
    for coordinator in shared dedicated; do
        if is_sanitized && [ "$n $coordinator" != '2 dedicated' ]; then continue; fi
        expect_exit 0 ranks "$n" "$ROBOTNAS" score job.yaml --set "coordinator=$coordinator" --fresh
        expect_scores small.h5 alone
        expect_report small.h5 report-alone
        printf 'the same on %d ranks, coordinator %s\n' "$n" "$coordinator"
    done
done

# ---- Any order and pool ----

# scored_list FILE: the scores of the architectures that it lists, in that order, in the file listed.
scored_list() {
    expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --set "pool.subset={file: $1}" --set output=list.h5 --fresh
    scores_of list.h5 >listed
}

archs_of small.h5 >names
scored_list names
diff alone listed >&2 || fail "a list scores otherwise than the sample that it lists"
tac names >reversed
scored_list reversed
diff <(sed 1d alone | tac) <(sed 1d listed) >&2 || fail "a list in reverse order scores otherwise"
{
    sed -n '7p;3p;20p' names
    echo '(0, 0, 0, 0, 0, 0)'
    echo '(2, 2, 2, 2, 2, 2)'
} >few
scored_list few
diff <(sed -n '8p;4p;21p' alone) <(sed -n '2,4p' listed) >&2 || fail "another pool scores otherwise"
[ "$(wc -l <listed)" = 6 ] || fail "a list of 5 has other than 5 scores"

# ---- Fewer metrics ----

# What is computed together is computed as alone.
metrics=(grad_norm snip grasp fisher synflow jacob_cov nwot plain l2_norm params flops)
for i in "${!metrics[@]}"; do
    if is_sanitized && ((i % 4 != 0)); then continue; fi
    expect_exit 0 "$ROBOTNAS" score job.yaml --set "metrics.names=[${metrics[i]}]" --set output=one.h5 --fresh
    diff <(cut -d, -f "1,$((i + 2))" alone) <(scores_of one.h5 | cut -d, -f 1,2) >&2 ||
        fail "${metrics[i]} alone differs from ${metrics[i]} among the others"
done

# ---- Backends ----

# What float32 allows of networks at full size.
if [ "$backend" = cpu ]; then
    expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --set backend=ref --set output=ref.h5
    scores_of ref.h5 >reference
    python3 - alone reference <<'PYTHON' || fail "backends cpu and ref differ"
import csv, math, sys

bound = {"grasp": 3e-3, "jacob_cov": 1e-3, "l2_norm": 1e-6, "params": 0, "flops": 0}
n_wrong = 0
for ours, theirs in zip(*(csv.DictReader(open(path)) for path in sys.argv[1:])):
    assert ours["arch"] == theirs["arch"]
    for metric in list(ours)[1:-1]:
        x, y = float(ours[metric]), float(theirs[metric])
        if metric == "plain":
            tolerance = 1e-5 * float(theirs["snip"])
        else:
            tolerance = bound.get(metric, 3e-4) * abs(y)
        if math.isnan(x) != math.isnan(y) or abs(x - y) > tolerance:
            print(ours["arch"], metric, x, y, file=sys.stderr)
            n_wrong += 1
sys.exit(n_wrong > 0)
PYTHON
fi

# ---- The commands that the end of a log names ----

expect_exit 0 "$ROBOTNAS" score job.yaml --set output=next.h5 --set 'pool.subset={sample: 4}' --set 'metrics.names=[snip]'
follow_next
expect_line next '# a search reads them by  metrics: {source: scores, file: next.h5, ...}  in its job$'
[ "$(wc -l <scores.csv)" = 5 ] || fail "the next command leaves $(wc -l <scores.csv) lines of scores"
cp job.yaml whole.yaml
search_part >>whole.yaml
objective_table next.h5 objective.csv
expect_exit 0 "$ROBOTNAS" score whole.yaml --fresh --set output=next.h5 --set 'pool.subset={sample: 4}' --set 'metrics.names=[snip]' \
    --set search.budget=2
follow_next
expect_exit 0 "$ROBOTNAS" report next-search.h5

# ---- A second start ----

cp small.h5 before.h5
expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --resume
expect_line err 'the run is complete; nothing to do$'
cmp small.h5 before.h5
expect_exit 2 "$ROBOTNAS" score job.yaml
expect_line err '^robotnas: small\.h5: a run is there already; --resume .* --fresh '

# What scores do not depend on may change, also what only a search reads.
search_part >>job.yaml
for setting in name=other search.budget=9 'metrics.transform={synflow: log}' coordinator=dedicated checkpoint.interval=10 \
    objective.column=other; do
    expect_exit 0 "$ROBOTNAS" score job.yaml --resume --set "$setting"
done

# What they depend on may not.
python3 "$ROBOTNAS_SOURCE/tests/system/images.py" other.bin 300 2
head -c $((3073 * 280)) images.bin >fewer.bin
tac names | tail -n +2 >shorter
for setting in seed=4 metrics.batch=8 metrics.choice=per-class 'metrics.names=[snip]' 'pool.subset={sample: 25}' \
    'pool.subset={file: shorter}' network.channels=16 network.cells=2 network.convention=train 'data.train=[other.bin]' \
    'data.train=[fewer.bin]' 'data.mean=[0.5, 0.5, 0.5]' 'data.std=[0.25, 0.25, 0.25]' data.limit=290; do
    expect_exit 2 "$ROBOTNAS" score job.yaml --resume --set "$setting"
    expect_line err "^robotnas: small\.h5: belongs to another job ('small', method score)"
done
cmp small.h5 before.h5

# ---- Scores of another run are taken over ----

# take_over TAKEN PARTLY LEFT OLD.h5 SETTING...: a run that takes scores over from OLD.h5, as many, has the same scores as alone.
take_over() {
    local settings=() setting
    for setting in "${@:5}"; do settings+=(--set "$setting"); done
    expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --set output=new.h5 --fresh --reuse "$4" "${settings[@]}"
    expect_line err " scores of $1 architectures taken over from $4, of $2 more in part, $3 to compute\$"
    grep -q ', complete$' out || fail "the run that takes scores over is not complete"
}

take_over 24 0 0 small.h5 name=other
expect_scores new.h5 alone
sed -n '1,9p' names >nine
expect_exit 0 "$ROBOTNAS" score job.yaml --set 'pool.subset={file: nine}' --set output=nine.h5 --set name=nine
take_over 9 0 15 nine.h5
expect_scores new.h5 alone
expect_exit 0 "$ROBOTNAS" score job.yaml --set 'pool.subset={file: nine}' --set output=nine.h5 --fresh \
    --set 'metrics.names=[flops, nwot, grasp, synflow]'
take_over 0 9 15 nine.h5
expect_scores new.h5 alone
take_over 9 0 0 nine.h5 'pool.subset={file: nine}' 'metrics.names=[nwot]'

# Stopped with scores that are known in part, the run goes on with them and without.
for reuse in '--reuse nine.h5' ''; do
    touch new.h5.stop
    expect_exit 75 "$ROBOTNAS" score job.yaml --set output=new.h5 --fresh --reuse nine.h5
    # shellcheck disable=SC2086 # an option and its value, or nothing
    expect_exit 0 ranks 2 "$ROBOTNAS" score job.yaml --set output=new.h5 --resume $reuse
    expect_scores new.h5 alone
done

# expect_not_taken SETTING: scores measured so are not those of small.h5.
expect_not_taken() {
    expect_exit 2 "$ROBOTNAS" score job.yaml --set output=new.h5 --fresh --reuse small.h5 --set "$1"
    expect_line err '^robotnas: --reuse small\.h5: its scores cannot be taken over: network, batch of images, seed, backend or'
}

for setting in seed=4 metrics.batch=8 network.channels=16 network.cells=2 network.convention=train 'data.train=[other.bin]' \
    'data.mean=[0.5, 0.5, 0.5]'; do
    expect_not_taken "$setting"
done
[ "$backend" = ref ] || expect_not_taken backend=ref

# A search takes them over even where its objective is another one, and says so.
objective_table small.h5 objective.csv
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=search.h5 --reuse nine.h5
expect_line err ' no evaluations are taken over from nine\.h5: its objective is not this job.s$'
expect_line err ' scores of 0 architectures taken over from nine\.h5, of 9 more in part, 15 to compute$'
expect_scores search.h5 alone

# ---- Scores feed a search ----

# search_report RUN.h5: its report without the scores, which only the run that computed them has.
search_report() {
    same_report "$1" | python3 -c '
import json, sys
report = json.load(sys.stdin)
report.pop("scores", None)
print(json.dumps(report, indent=1))'
}

combined=(job.yaml --set 'metrics.names=[snip, synflow, nwot]' --set 'metrics.transform={synflow: log}')
expect_exit 0 ranks 2 "$ROBOTNAS" search "${combined[@]}" --set output=direct.h5
search_report direct.h5 >direct
grep -q '"complete": true' direct || fail "the search that scores is not complete"
for setting in search.groups=0 search.groups=2; do
    expect_exit 0 ranks 2 "$ROBOTNAS" search "${combined[@]}" --set metrics.source=scores --set metrics.file=small.h5 \
        --set output=fed.h5 --set "$setting" --fresh
    search_report fed.h5 >fed
    diff direct fed >&2 || fail "a search that is fed scores reports otherwise than one that computes them"
done

# The file is part of the run: another one is refused on a resumption.
expect_exit 0 "$ROBOTNAS" score job.yaml --set seed=4 --set 'pool.subset={file: names}' --set output=other.h5
expect_exit 2 "$ROBOTNAS" search "${combined[@]}" --set metrics.source=scores --set metrics.file=other.h5 \
    --set output=fed.h5 --resume
expect_line err '^robotnas: fed\.h5: belongs to another job'
