#!/usr/bin/env bash
# scripts/gpu_day.sh, with the kernels as C for a device, from its first step to its last: each step is in the report, with its
# output or with the reason why it was left out, and one that fails stops no other.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'this is about a script'

: "${GPU_BENCH:?}"
day=("$ROBOTNAS_SOURCE/scripts/gpu_day.sh")

# verdict TITLE: what the report says of a step.
verdict() {
    awk -v title="## $1" 'found && NF { print; exit } $0 == title { found = 1 }' day/report.md
}

# done_well TITLE FILE PATTERN: the step succeeded, and a line of what it printed matches, there and in the report.
done_well() {
    [[ $(verdict "$1") =~ ^ok,\ [0-9]+\ s$ ]] || fail "$1: '$(verdict "$1")'"
    grep -q -e "$3" "day/$2.txt" || fail "$1 printed: $(<"day/$2.txt")"
    grep -q -e "$3" day/report.md || fail "the report lacks what $1 printed"
}

# left_out REASON TITLE...
left_out() {
    local title
    for title in "${@:2}"; do
        [ "$(verdict "$title")" = "SKIPPED: $1" ] || fail "$title: '$(verdict "$title")'"
    done
}

# ---- All of it ----

expect_exit 0 "${day[@]}" day --device threads --quick --bench "$GPU_BENCH" --robotnas "$ROBOTNAS"
done_well Devices devices '^ *threads '
done_well 'Golden kernels' golden '^ *[0-9a-f]\{16\} .* yes *$'
done_well Rates rates '^Launches that do nothing$'
done_well 'Rates, for programs' json '"golden"'
done_well References verify '^[1-9][0-9]* values, 0 differ$'
done_well 'Scoring: three cells' score 'nor_conv_3x3~0'
done_well 'Training: three cells' train 'nor_conv_3x3~0'
done_well 'Bits of some cells' bits '^digest [0-9a-f]\{64\}$'
left_out 'not a device of cuda' 'compute-sanitizer '{mem,race,sync,init}check Counters 'cuDNN through PyTorch' 'Training by PyTorch'
left_out --quick 'Scores of a sample' 'Scores of the pool'
python3 -c 'import json; json.load(open("day/json.txt"))' || fail "no JSON: $(<day/json.txt)"
[ "$(wc -l <day/bits.csv)" = 3 ] || fail "not a header and two cells: $(<day/bits.csv)"
if grep -q '^ *opencl:.*pthread' day/devices.txt; then
    done_well 'The same on PoCL' pocl "$(tail -n 1 day/bits.txt)"
    expect_line day/report.md '^The same bits\.$'
else
    left_out 'PoCL is not here; compare the digest above with that of another machine' 'The same on PoCL'
fi

# ---- A step that fails ----

printf '#!/bin/sh\necho broken\nexit 3\n' >broken
chmod +x broken
rm -r day
expect_exit 1 "${day[@]}" day --device threads --quick --bench "$PWD/broken" --robotnas none
for title in Devices 'Golden kernels' Rates 'Rates, for programs'; do
    [[ $(verdict "$title") == 'FAILED: exit code 3, '* ]] || fail "$title: '$(verdict "$title")'"
done
left_out 'no robotnas' References 'Scoring: three cells' 'Bits of some cells' 'Scores of the pool'

# ---- Wrong options ----

for wrong in '' '--quick' 'day more' 'day --fast' 'day --device'; do
    # shellcheck disable=SC2086 # options are words
    expect_exit 2 "${day[@]}" $wrong
    expect_line err '^# usage: scripts/gpu_day.sh '
done
