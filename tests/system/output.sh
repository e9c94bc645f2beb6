#!/usr/bin/env bash
# The output: one writer at a time, folders made, a disk that takes no more, damaged state files, and what may change
# between a run and its --resume.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

small_job job.yaml
expect_exit 0 "$ROBOTNAS" search job.yaml --set checkpoint.interval=0
same_report small.h5 >expected
mkdir intact
mv small.h5 small.h5.prev intact
seed_draws

# restore: the finished run with the save before it.
restore() {
    rm -rf small.h5*
    cp intact/* .
}

# expect_refused PATTERN ARGUMENT...: a search with these arguments is refused in one line and leaves the run alone.
expect_refused() {
    local pattern=$1
    shift
    expect_exit 2 "$ROBOTNAS" search "$@"
    expect_line err "$pattern"
    expect_line err '^'
    cmp small.h5 intact/small.h5
}

test_lock() {
    local pid code=0
    rm -f small.h5* err
    "$ROBOTNAS" search job.yaml --set search.budget=200 --set search.repeats=10 >first.out 2>first.err &
    pid=$!
    wait_for test -e small.h5
    expect_exit 2 "$ROBOTNAS" search job.yaml --fresh
    expect_line err "^robotnas: small\.h5 is in use by process $pid on host $(uname -n); "
    expect_exit 0 "$ROBOTNAS" report small.h5
    kill -TERM "$pid"
    wait "$pid" || code=$?
    [ "$code" = 75 ] || fail "the first job ended with $code: $(cat first.err)"
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
    expect_line err '.*--fresh: the run of [1-9][0-9]* evaluations at small\.h5 is replaced; it stays as small\.h5\.prev until the second save$'
    expect_report small.h5 expected
}

test_folders() {
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --set output=one/two/three/small.h5
    expect_report one/two/three/small.h5 expected
    expect_exit 1 "$ROBOTNAS" search job.yaml --set output=job.yaml/small.h5
    expect_line err '^robotnas: cannot make the folder job\.yaml: '
}

# A limit on file sizes, set once the run is under way: mpiexec and MPI have files of their own.
test_file_size_limit() {
    local pid code=0
    command -v prlimit >/dev/null || {
        skip_part 'a limit on file sizes: no prlimit'
        return
    }
    rm -f small.h5*
    "$ROBOTNAS" search job.yaml --set checkpoint.interval=0 --set search.repeats=50 >out 2>err &
    pid=$!
    wait_for test -e small.h5
    prlimit --pid "$pid" --fsize=100000
    wait "$pid" || code=$?
    [ "$code" = 1 ] || fail "exit code $code instead of 1: $(cat err)"
    expect_line err '^robotnas: cannot write small\.h5\.tmp: File too large; free space there and run again with --resume$'
    [ ! -e small.h5.tmp ] || fail 'the temporary file is still there'
    same_report small.h5 >saved
    grep -q '"phase"' saved || fail 'nothing was saved before the limit was reached'
    expect_exit 0 "$ROBOTNAS" search job.yaml --set search.repeats=50 --resume
    same_report small.h5 >resumed
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --set search.repeats=50 --fresh
    expect_report small.h5 resumed
}

# A file system of 64 KiB, too small for three states; then a larger one, and one that is read-only.
test_full_disk() {
    mkdir small
    mount -t tmpfs -o size=64k tmpfs small 2>/dev/null || {
        skip_part 'a full disk and a read-only one: mount is not permitted'
        return
    }
    trap 'umount --lazy "$folder/small"; leave' EXIT
    local job=(job.yaml --set output=small/small.h5)
    expect_exit 1 ranks 2 "$ROBOTNAS" search "${job[@]}" --set checkpoint.interval=0
    expect_line err '^robotnas: cannot write small/small\.h5\.tmp: No space left on device; free space there and run again with --resume$'
    [ ! -e small/small.h5.tmp ] || fail 'the temporary file is still there'
    same_report small/small.h5 >saved
    grep -q '"phase"' saved || fail 'nothing was saved before the disk was full'
    mount -o remount,ro small
    expect_exit 1 "$ROBOTNAS" search "${job[@]}" --resume
    expect_line err '^robotnas: .*Read-only file system'
    expect_report small/small.h5 saved
    mount -o remount,rw,size=1m small
    expect_exit 0 "$ROBOTNAS" search "${job[@]}" --resume
    expect_report small/small.h5 expected
}

# By a user who is not root, who may write everywhere; where this one may run programs.
test_unwritable_folder() {
    local robotnas
    robotnas=$(for_everybody)
    mkdir -m 555 closed
    cp "$example" pool.csv
    sed 's/table: [^,]*/table: pool.csv/' job.yaml >closed.yaml
    chmod a+r pool.csv closed.yaml
    as_nobody "$robotnas" --version >out 2>err || {
        skip_part "a folder without write permission: $(head -n 1 err)"
        return
    }
    expect_exit 1 as_nobody "$robotnas" search closed.yaml --set output=closed/small.h5
    expect_line err '^robotnas: .*closed/small\.h5.*: Permission denied'
}

# flip FILE OFFSET BIT
flip() {
    python3 - "$@" <<'PYTHON'
import sys
path, offset, bit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "r+b") as file:
    file.seek(offset)
    byte = file.read(1)[0]
    file.seek(offset)
    file.write(bytes([byte ^ 1 << bit]))
PYTHON
}

# damage FILE KIND
damage() {
    local size n=0 offset=0 bit=0
    size=$(stat -c %s "$1")
    case $2 in
    truncated)
        draw n 1 $((size - 1))
        truncate -s "$n" "$1"
        ;;
    flipped)
        draw offset 0 $((size - 1))
        draw bit 0 7
        flip "$1" "$offset" "$bit"
        ;;
    zeroed) head -c "$size" /dev/zero >"$1" ;;
    emptied) : >"$1" ;;
    missing) rm "$1" ;;
    esac
    printf '%s %s: %s\n' "$1" "$2" "$([ "$2" = flipped ] && echo "bit $bit of byte $offset" || echo "$n bytes left")"
}

test_damage() {
    local kind
    for kind in truncated truncated flipped flipped flipped flipped flipped zeroed emptied missing; do
        restore
        damage small.h5 "$kind"
        expect_exit 0 "$ROBOTNAS" search job.yaml --resume
        expect_line err 'small\.h5.*; going on from the file before it, small\.h5\.prev$'
        expect_report small.h5 expected
    done
    for kind in truncated flipped zeroed emptied; do
        restore
        damage small.h5.prev "$kind"
        expect_exit 0 "$ROBOTNAS" search job.yaml --resume
        expect_line err 'the run is complete; nothing to do$'
        damage small.h5 flipped
        expect_exit 2 "$ROBOTNAS" search job.yaml --resume
        expect_line err '^robotnas: small\.h5.*; the file before it is no help: small\.h5\.prev.*start anew with --fresh$'
        expect_line err '^'
    done
}

test_another_job() {
    restore
    expect_refused "^robotnas: small\.h5: belongs to another job ('small', method robot): seed differs; " job.yaml --resume --set seed=4
    expect_refused 'belongs to another job .*: search.method differs; give the job another output and --reuse small\.h5 to take over what still counts, or discard that run with --fresh$' job.yaml --resume --set search.method=random
    expect_refused 'belongs to another job .*: search.method differs; ' job.yaml --resume --set search.method=pool-gp
    expect_refused 'belongs to another job .*: search.parallel differs; ' job.yaml --resume --set search.parallel=2
    expect_refused 'belongs to another job' job.yaml --resume --set 'metrics.names=[snip, synflow]'
    expect_refused 'budget of 12, the job says 20; .* --reuse small\.h5 ' job.yaml --resume --set search.budget=20
    sed '$s/[0-9]/7/' "$example" >changed.csv
    cmp -s "$example" changed.csv && fail 'the table was not changed'
    expect_refused 'the table changed\.csv is not the one .*; restore it, give the job another output, or discard that run with --fresh$' job.yaml --resume --set pool.table=changed.csv
}

# A job that names no method goes on with that of the run, finished or not, whatever the default is; --fresh takes the default.
test_no_method() {
    local goes_on='the job names no search\.method: it goes on with %s, with which the run at %s began$' run='search unnamed.yaml'
    # shellcheck disable=SC2059 # the pattern is one's own
    goes_on_with() { expect_line err "$(printf "$goes_on" "$1" "$2")"; }
    sed 's/method: robot, //' job.yaml >unnamed.yaml
    rm -rf small.h5*
    expect_exit 0 "$ROBOTNAS" search job.yaml --set search.method=rea --set checkpoint.interval=0
    same_report small.h5 >by_rea
    cp small.h5.prev half.h5
    cp small.h5 whole.h5

    # shellcheck disable=SC2086 # words
    {
        expect_exit 0 "$ROBOTNAS" $run --resume --set output=half.h5
        goes_on_with rea half.h5
        expect_line err ': method rea, '
        expect_line out 'search unnamed\.yaml --set search\.method=rea --set search\.budget=24 '
        expect_report half.h5 by_rea
        expect_exit 0 ranks 2 "$ROBOTNAS" $run --resume --set output=whole.h5
        goes_on_with rea whole.h5
        expect_line err 'the run is complete; nothing to do$'
        expect_exit 2 "$ROBOTNAS" $run --resume --set output=whole.h5 --set seed=4
        expect_line err "belongs to another job ('small', method rea): seed differs; "
        expect_line err '^'
    }
    "$ROBOTNAS" check unnamed.yaml --set output=whole.h5 >checked
    expect_line checked '^# note: output: a run is at whole\.h5 already; --resume goes on with it by its method rea, since the job names none, --fresh starts anew$'

    # A key of a method that only the run's file names is no fault.
    expect_exit 0 "$ROBOTNAS" search job.yaml --set output=one.h5 --set search.method=single --set search.metric=snip
    expect_exit 0 "$ROBOTNAS" search unnamed.yaml --resume --set output=one.h5 --set search.metric=snip
    goes_on_with single one.h5

    expect_exit 0 "$ROBOTNAS" search unnamed.yaml --fresh --set output=whole.h5
    if grep -q 'names no search.method' err; then fail 'a run that is begun anew goes on'; fi
    "$ROBOTNAS" check unnamed.yaml --set output=new.h5 >checked
    expect_line checked "^  method: $("$ROBOTNAS" report whole.h5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["method"])')$"
    expect_exit 0 "$ROBOTNAS" search unnamed.yaml --resume --set output=whole.h5
    if grep -q 'names no search.method' err; then fail 'what is the default is said'; fi
}

# The save before the last is an unfinished run: it goes on elsewhere, with another interval, groups, ranks, and the
# same table under another name.
test_what_may_change() {
    cp intact/small.h5.prev elsewhere.h5
    cp "$example" moved.csv
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume --set output=elsewhere.h5 --set checkpoint.interval=5 \
        --set search.groups=2 --set pool.table=moved.csv
    expect_line err 'going on after [0-9]* evaluations$'
    expect_report elsewhere.h5 expected
}

# An output that is a link of the user: the run is where it leads, with all that stands beside it.
test_links() {
    local command
    rm -rf small.h5* scratch
    mkdir -p scratch
    ln -s scratch/run.h5 small.h5
    expect_exit 0 "$ROBOTNAS" search job.yaml --set checkpoint.interval=0 # a link to nothing: it starts there
    [ -L small.h5 ] || fail 'the link was replaced'
    [ "$(echo small.h5*)" = small.h5 ] || fail "there is more than the link: $(echo small.h5*)"
    [ "$(cd scratch && echo *)" = 'run.h5 run.h5.prev' ] || fail "scratch has $(ls scratch)"
    expect_report small.h5 expected
    expect_exit 2 "$ROBOTNAS" search job.yaml
    expect_line err ': scratch/run\.h5: a run is there already; '
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume
    expect_line err 'the run is complete; nothing to do$'
    damage scratch/run.h5 missing
    expect_exit 0 "$ROBOTNAS" report small.h5
    expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --resume
    expect_report small.h5 expected
    expect_exit 0 "$ROBOTNAS" search job.yaml --set output=other.h5 --set search.budget=15 --reuse small.h5
    rm scratch/run.h5*
    touch small.h5.stop # by the name that the user knows
    expect_exit 75 "$ROBOTNAS" search job.yaml --resume
    [ ! -e small.h5.stop ] || fail 'the request to stop is still there'
    touch scratch/run.h5.stop
    expect_exit 75 "$ROBOTNAS" search job.yaml --resume
    expect_exit 0 "$ROBOTNAS" search job.yaml --resume
    expect_report small.h5 expected
    ln -sf circle.h5 circle.h5
    expect_exit 2 "$ROBOTNAS" search job.yaml --set output=circle.h5
    expect_line err '^robotnas: circle\.h5: a circle of symbolic links$'
    for command in report export; do
        expect_exit 2 "$ROBOTNAS" "$command" circle.h5
        expect_line err '^robotnas: cannot open circle\.h5: Too many levels of symbolic links$'
    done
}

# What commands print into a file that is there: through a link, with its mode, and as a whole.
test_written_files() {
    local code=0
    restore
    mkdir -p elsewhere
    echo old >elsewhere/best.json
    chmod 600 elsewhere/best.json
    ln -sf elsewhere/best.json best.json
    mkfifo pipe best.json.tmp
    expect_exit 0 "$ROBOTNAS" export small.h5 --output best.json
    [ -p best.json.tmp ] || fail 'what stands beside the link was touched'
    [ -L best.json ] || fail 'the link was replaced'
    grep -q '"arch"' elsewhere/best.json || fail 'the target was not written'
    [ "$(stat -c %a elsewhere/best.json)" = 600 ] || fail 'the mode was lost'
    expect_exit 2 timeout 20 "$ROBOTNAS" export small.h5 --output pipe
    expect_line err '^robotnas: pipe is a pipe that nobody reads from$'
    cat pipe >received &
    timeout 20 "$ROBOTNAS" export small.h5 --output pipe || code=$?
    wait $!
    [ "$code" = 0 ] || fail "exit code $code of a pipe with a reader"
    cmp received elsewhere/best.json
    expect_exit 2 "$ROBOTNAS" export small.h5 --output elsewhere
    expect_line err '^robotnas: elsewhere is a directory; '
    expect_exit 0 "$ROBOTNAS" export small.h5 --output /dev/null
    [ -c /dev/null ] || fail '/dev/null was replaced'
}

# The mode that a user has given a run stays.
test_modes() {
    local file
    rm -rf small.h5*
    expect_exit 0 "$ROBOTNAS" search job.yaml --set checkpoint.interval=0
    chmod 600 small.h5
    expect_exit 0 "$ROBOTNAS" search job.yaml --fresh --set checkpoint.interval=0
    for file in small.h5 small.h5.prev; do
        [ "$(stat -c %a "$file")" = 600 ] || fail "$file has mode $(stat -c %a "$file")"
    done
}

# plant KIND PATH: a link to the file precious, symbolic or hard, a pipe, or a folder.
plant() {
    rm -rf "$2"
    case $1 in
    link) ln -s "$PWD/precious" "$2" ;;
    hard) ln precious "$2" ;;
    pipe) mkfifo "$2" ;;
    folder) mkdir "$2" ;;
    esac
}

# Names beside the output can be foretold: whatever stands there is not written to, and no pipe makes the run wait.
test_planted() {
    local kind name code
    echo precious >precious
    cat >command.yaml <<JOB
name: command
output: small.h5
pool: {space: table, table: $example}
objective: {kind: command, command: [sh, -c, 'echo "{{\"score\": {index}}}"']}
search: {method: random, budget: 2}
JOB
    expect_exit 0 "$ROBOTNAS" search command.yaml --fresh
    candidate=$(basename "$(find small.h5.d -name '*.out' | sort | head -n 1)" .out)
    for name in small.h5.tmp small.h5.prev small.h5.lock "small.h5.d/$candidate".{h5,h5.tmp,out,err,work}; do
        for kind in link hard pipe folder; do
            [ $kind != folder ] || [ "${name##*.}" = tmp ] || [ "${name##*.}" = out ] || continue
            rm -rf small.h5*
            mkdir small.h5.d
            plant "$kind" "$name"
            code=0
            timeout -k 5 60 "$ROBOTNAS" search command.yaml --fresh >out 2>err || code=$?
            [ "$(<precious)" = precious ] || fail "$kind $name: a file elsewhere was overwritten"
            case $code in
            0) ;;
            1 | 2) expect_line err "^robotnas: .*$name" ;;
            *) fail "$kind $name: exit code $code: $(<err)" ;;
            esac
        done
    done
    rm -rf small.h5*
    mkdir small.h5.stop
    expect_exit 2 "$ROBOTNAS" search job.yaml
    expect_line err '^robotnas: small\.h5\.stop is a directory; '
    rmdir small.h5.stop
    for kind in pipe folder; do
        plant "$kind" small.h5
        expect_exit 2 timeout 20 "$ROBOTNAS" search job.yaml --fresh
        expect_line err '^robotnas: small\.h5 is '
    done
    rm -rf small.h5*
}

# What report says of a step that is not done: one candidate is, the other one's command waits for a file.
test_under_way() {
    local pid
    rm -rf small.h5* first
    cat >command.yaml <<JOB
name: command
output: small.h5
pool: {space: table, table: $example}
objective: {kind: command, command: [sh, "{job}/trainer.sh", "{index}"]}
search: {method: random, budget: 2, parallel: 2}
JOB
    cat >trainer.sh <<'TRAINER'
cd "$(dirname "$0")"
mkdir first || until [ -e go ]; do sleep 0.02; done
echo "{\"score\": $1}"
TRAINER
    "$ROBOTNAS" search command.yaml >first.out 2>first.err &
    pid=$!
    # shellcheck disable=SC2317 # wait_for calls it
    two_begun() { [ "$(find small.h5.d -name '*.out' 2>/dev/null | wc -l)" = 2 ]; }
    wait_for two_begun
    expect_exit 0 "$ROBOTNAS" report small.h5
    expect_line out '^    seed 0, done, objective [0-9]*$'
    expect_line out '^    seed 0, its command has begun$'
    expect_exit 0 "$ROBOTNAS" report small.h5 --json
    same_report small.h5 >under_way
    grep -q '"repeats"' under_way || fail 'no report'
    if grep -q begun under_way; then fail 'what may differ is not under timing alone'; fi
    touch go
    wait "$pid"
    expect_exit 0 "$ROBOTNAS" report small.h5 --json
    expect_line out '"candidates": \[\],$'
    expect_exit 0 "$ROBOTNAS" report small.h5 --csv -
    [ "$(wc -l <out)" = 3 ] || fail "not two evaluations: $(<out)"
    expect_line out '^repeat,seed,arch,target,cost,phase,status,reason$'
}

# A file system without locks: the run goes on and says what is not protected.
test_no_locks() {
    local reason
    if is_sanitized; then
        skip_part 'a file system without locks: a sanitizer has to be the first library that is loaded'
        return
    fi
    for reason in 37 95; do # ENOLCK, EOPNOTSUPP
        rm -rf small.h5*
        expect_exit 0 env NO_LOCKS=$reason LD_PRELOAD="$NO_LOCKS_LIBRARY" "$ROBOTNAS" search job.yaml
        expect_line err ' small\.h5: its file system has no locks (.*), so nothing keeps a second job from writing the same output'
        expect_report small.h5 expected
        [ ! -e small.h5.lock ] || fail 'the lock file is still there'
    done
}

for part in lock folders file_size_limit full_disk unwritable_folder damage another_job no_method what_may_change links written_files \
    modes planted under_way no_locks; do
    printf '%s\n' "-- $part"
    "test_$part"
done
