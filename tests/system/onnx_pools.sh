#!/usr/bin/env bash
# Pools of ONNX files: scored, searched and trained alike on any number of ranks and after kills, by files that a table names, a
# template, or a program that writes them; files that are broken, huge or changed; weights of all kinds; the winner as a file with
# the names of its own.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

# ---- The pool: eight cells of NAS-Bench-201, trained a little, as files ----

score_job cells.yaml
sed -i -e 's/^name: .*/name: cells/' -e 's/small\.h5/cells.h5/' -e 's/sample: 24/sample: 8/' -e 's/channels: 8/channels: 4/' \
    -e 's/names: .*/names: [params]/' cells.yaml
cat >>cells.yaml <<'JOB'
objective: {kind: train, epochs: 1, batch: 50}
search: {method: random, budget: 8}
JOB
expect_exit 0 "$ROBOTNAS" search cells.yaml
mkdir nets
echo 'arch,onnx,accuracy,"code"' >pool.csv
n=0
while IFS= read -r arch; do
    expect_exit 0 "$ROBOTNAS" export cells.h5 --arch "$arch" --format onnx --output "nets/net $n.onnx"
    echo "net $n,nets/net $n.onnx,$((n * 7 % 5)),$n" >>pool.csv
    n=$((n + 1))
done < <("$ROBOTNAS" report cells.h5 --csv - | cut -d, -f3 | sed 1d | sort -u)
[ "$n" = 8 ] || fail "$n networks were made"

cat >job.yaml <<JOB
name: files
seed: 3
output: files.h5
backend: $backend
pool: {space: onnx, table: pool.csv}
metrics: {source: compute, names: [grad_norm, snip, synflow, jacob_cov, nwot, params, flops], batch: 10}
data: {format: cifar-binary, train: [images.bin]}
objective: {kind: train, epochs: 1, batch: 50, shards: 2}
search: {method: pool-gp, budget: 4}
checkpoint: {interval: 0}
JOB

# ---- Any number of ranks, and after kills ----

for ranks in 1 2 4; do
    expect_exit 0 ranks "$ranks" "$ROBOTNAS" search job.yaml --set "output=on$ranks.h5"
    scores_of "on$ranks.h5" >"scores$ranks"
    same_report "on$ranks.h5" >"report$ranks"
done
diff scores1 scores2 >&2 || fail 'two ranks have other scores than one'
diff scores1 scores4 >&2 || fail 'four ranks have other scores than one'
diff report1 report2 >&2 || fail 'two ranks find something else than one'
diff report1 report4 >&2 || fail 'four ranks find something else than one'
grep -q failed scores1 && fail "scores: $(<scores1)"
if grep -q NAS_FAULT "$ROBOTNAS"; then
    export OMPI_MCA_odls_base_sigkill_timeout=0
    while read -r point rank; do
        strike "$point:9" "$rank" "$ROBOTNAS" search job.yaml --resume
        [ "$code" != 0 ] || fail "$point did not strike"
    done <<'POINTS'
score:1 1
look:2 1
training:3 0
training:4 0
POINTS
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume
    expect_report files.h5 report1
    expect_scores files.h5 scores1
fi

# ---- What is in the files is part of what is run ----

cp 'nets/net 0.onnx' kept.onnx
cp 'nets/net 1.onnx' 'nets/net 0.onnx'
expect_exit 2 "$ROBOTNAS" search job.yaml --set output=on1.h5 --resume
expect_line err "^robotnas: on1\.h5: the pool's networks are not those this run began with"
expect_exit 2 "$ROBOTNAS" score job.yaml --set output=on1.h5 --resume
cp kept.onnx 'nets/net 0.onnx'
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=on1.h5 --resume
expect_line err 'the run is complete'

# ---- Weights ----

for weights in kaiming uniform file; do
    expect_exit 0 "$ROBOTNAS" score job.yaml --set "network.weights=$weights" --set "output=$weights.h5"
    scores_of "$weights.h5" >"$weights"
done
diff scores1 kaiming >&2 || fail 'kaiming is not the default'
if cmp -s kaiming uniform || cmp -s uniform file || cmp -s file kaiming; then fail 'kinds of weights do not count'; fi
expect_exit 0 "$ROBOTNAS" search job.yaml --set network.weights=file --set output=trained.h5
if same_report trained.h5 | cmp -s - report1; then fail 'trainings do not begin with the weights of the files'; fi
score_job cells-kaiming.yaml
expect_exit 0 "$ROBOTNAS" score cells-kaiming.yaml --set output=usual.h5
expect_exit 0 "$ROBOTNAS" score cells-kaiming.yaml --set output=uniform-cells.h5 --set network.weights=uniform
expect_exit 0 "$ROBOTNAS" score cells-kaiming.yaml --set output=kaiming-cells.h5 --set network.weights=kaiming
cmp <(scores_of usual.h5) <(scores_of uniform-cells.h5) || fail 'uniform is not what spaces have'
if cmp -s <(scores_of usual.h5) <(scores_of kaiming-cells.h5); then fail 'kaiming does not count in a space'; fi

# ---- The winner, with the names of its file ----

expect_exit 0 "$ROBOTNAS" export on2.h5 --format onnx --output winner.onnx
best=$("$ROBOTNAS" report on2.h5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["repeats"][0]["best"]["arch"])')
expect_exit 0 "$ROBOTNAS" check winner.onnx
sed 1d out >winner
expect_exit 0 "$ROBOTNAS" check "nets/$best.onnx"
sed 1d out | diff winner - >&2 || fail 'the winner is another network than its file has'
# names_of FILE: those of its parameters, as far as this network has them.
names_of() {
    grep -aoE '[a-z0-9/_]+/(weight|bias|gamma|beta|mean|variance)' "$1" | sort -u
}
cmp <(names_of winner.onnx) <(names_of "nets/$best.onnx") || fail 'the winner has other names than its file'
expect_exit 0 "$ROBOTNAS" export on2.h5
grep -q "\"arch\": \"$best\"" out || fail "exported: $(<out)"
mv "nets/$best.onnx" gone.onnx
expect_exit 2 "$ROBOTNAS" export on2.h5 --format onnx --output none.onnx
expect_line err "nets/$best\.onnx"
mv gone.onnx "nets/$best.onnx"

# ---- A template, a program, and the other objectives ----

cut -d, -f1,3 pool.csv >list.csv
expect_exit 0 "$ROBOTNAS" score job.yaml --set 'pool={space: onnx, table: list.csv, onnx: "nets/{arch}.onnx"}' --set output=template.h5
expect_scores template.h5 scores1
cat >write.sh <<'SCRIPT'
#!/bin/sh
echo "$1" >>written
[ "$1" != 'net 3' ] || { echo 'no such network' >&2; exit 7; }
cp "nets/$1.onnx" "$2"
SCRIPT
chmod +x write.sh
written="pool={space: onnx, table: list.csv, command: [$PWD/write.sh, '{arch}', '{onnx}']}"
expect_exit 0 "$ROBOTNAS" check job.yaml --set "$written"
expect_line out '^# scoring:     how long is known once pool.command has written'
! grep -qw nan out || fail "check says: $(<out)"
for ranks in 1 2; do
    expect_exit 0 ranks "$ranks" "$ROBOTNAS" search job.yaml --set "$written" --set "output=written$ranks.h5"
    expect_line err 'net 3: the command ended with exit code 7: no such network$'
    sed 's/^net 3,.*/net 3,,,,,,,,failed/' scores1 | diff - <(scores_of "written$ranks.h5") >&2 || fail 'a program has other scores'
    [ "$(sort written | uniq -c | awk '$1 > 1' | grep -vc 'net 3')" = 0 ] || fail "written twice: $(sort written | uniq -c)"
    rm written
done
diff <(same_report written1.h5) <(same_report written2.h5) >&2 || fail 'a program has another report on two ranks'
expect_exit 0 "$ROBOTNAS" export written1.h5 --format onnx --output written.onnx
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --set "$written" --set search.method=random --set output=team.h5
[ -z "$(sort written | uniq -d)" ] || fail "a team wrote twice: $(sort written | uniq -c)"
ln write.sh again.sh
expect_exit 2 "$ROBOTNAS" search job.yaml --set "${written/write/again}" --set output=again.h5 --reuse written1.h5
expect_line err 'nor can its scores'
sed 's/^objective: .*/objective: {kind: table, column: accuracy}/' job.yaml >looked.yaml
expect_exit 0 "$ROBOTNAS" search looked.yaml --set 'metrics={source: scores, file: on1.h5, names: [snip, nwot]}' \
    --set search.method=robot --set output=table.h5
expect_exit 0 "$ROBOTNAS" search looked.yaml --set 'metrics={source: table, names: [code]}' --set search.method=robot \
    --set output=columns.h5
# shellcheck disable=SC2016 # the shell that the command starts expands it
sed 's/^objective: .*/objective: {kind: command, command: [sh, -c, '\''echo "{{\\"score\\": ${{0#net }}}}"'\'', "{arch}"]}/' job.yaml >told.yaml
expect_exit 0 "$ROBOTNAS" search told.yaml --set search.budget=8 --set output=command.h5
grep -q 'net 7' out || fail "the command's best: $(<out)"

# ---- Files that cannot be read ----

head -c 3000 'nets/net 2.onnx' >nets/short.onnx
{
    cat pool.csv
    echo 'short,nets/short.onnx,1,9'
    echo 'absent,nets/absent.onnx,1,9'
    echo "other,$ROBOTNAS_SOURCE/tests/data/network-mixed.onnx,1,9"
} >broken.csv
expect_exit 0 "$ROBOTNAS" check job.yaml --set pool.table=broken.csv
for name in short absent other; do
    grep -q "^# note: pool.table: '$name' will count as failed: .*onnx: " out || fail "check says nothing of $name: $(<out)"
done
for ranks in 1 2; do
    expect_exit 0 ranks "$ranks" "$ROBOTNAS" search job.yaml --set pool.table=broken.csv --set search.method=random \
        --set search.budget=11 --set "output=broken$ranks.h5"
    same_report "broken$ranks.h5" >"broken$ranks"
    expect_exit 0 ranks "$ranks" "$ROBOTNAS" score job.yaml --set pool.table=broken.csv --set "output=left$ranks.h5"
    [ "$(scores_of "left$ranks.h5" | grep -v ',failed$')" = "$(<scores1)" ] || fail "scores beside broken files: $(scores_of "left$ranks.h5")"
done
diff broken1 broken2 >&2 || fail 'broken files are not the same on two ranks'
[ "$(grep -c '"status": "failed"' broken1)" = 3 ] || fail "not three have failed: $(<broken1)"
grep -E '^(arch|short|absent|other),' broken.csv >bad.csv
expect_exit 2 "$ROBOTNAS" check job.yaml --set pool.table=bad.csv --set search.budget=1
expect_line err 'pool\.table: none of its 3 networks can be read; the first: .*short\.onnx: '
expect_exit 2 ranks 2 "$ROBOTNAS" score job.yaml --set pool.table=bad.csv --set output=bad.h5

# ---- What a job may not say ----

refuse() {
    expect_exit 2 "$ROBOTNAS" check job.yaml --set "$1"
    expect_line err "$2"
}
refuse network.channels=8 '^robotnas: --set network\.channels: networks of ONNX files are as they are'
refuse network.cells=8 '^robotnas: --set network\.cells: networks of ONNX files are as they are'
refuse pool.subset=all 'pool\.subset: has no meaning with pool\.space onnx'
refuse pool.onnx=nets/one.onnx 'pool\.onnx: has no {arch}'
refuse 'pool.command=[sh, "{arch}"]' 'pool\.command: has no {onnx}'
refuse 'pool.command=[sh, "{arch}", "{seed}", "{onnx}"]' 'pool\.command: .*unknown placeholder {seed}'
refuse 'pool.command=[./none, "{onnx}"]' 'pool\.command: no program \./none'
refuse pool.table=list.csv "list\.csv:1: no column 'onnx'"
expect_exit 2 "$ROBOTNAS" check cells.yaml --set network.weights=file
expect_line err 'network\.weights: networks of this pool have no files'
