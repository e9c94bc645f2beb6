#!/usr/bin/env bash
# How the sources are shaped: what each folder holds, how long functions are, which folder includes which, which files call
# each other in a circle. Prints what is beyond the limits below and exits 1.
#
# usage: scripts/measure.sh [BUILD]      BUILD: a folder with the program built (default build/dev)
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C
build=${1:-build/dev}
most_files=20    # .c files of a folder's own
most_share=20    # per cent of all lines that are in one folder
most_lines=60    # of a function, from { to }
most_median=12

# Folders from the bottom to the top: a file includes headers of its own folder and of those before it. CMake links in this order.
order=(
    common/base common/io common/comm common/state common/space common/job
    worker/schedule worker/ranking worker/tables worker/data/untrusted worker/data worker/data/folders
    worker/engine/backends worker/engine/backends/ref worker/engine/backends/cpu
    worker/engine/graph worker/engine/program worker/engine/gpu/kernels worker/engine/metrics worker/engine worker/engine/host
    worker/engine/gpu/layers worker/engine/gpu/plan worker/engine/gpu/pack worker/engine/device worker/gpu_bench
    worker/candidates worker/objectives/table worker/objectives/train worker/objectives/command worker/objectives
    worker/onnx worker/onnx/file worker/onnx/read worker/onnx/measure worker/onnx/pool worker/verify worker/bench
    coordinator/report coordinator/report/html coordinator/search/bo coordinator/search/methods coordinator/registries coordinator/session coordinator/inputs
    coordinator/devices
    coordinator/score coordinator/evaluate coordinator/search coordinator/run coordinator/commands coordinator
)

faults=0
fault() {
    printf 'beyond the limits: %s\n' "$*"
    faults=$((faults + 1))
}

mapfile -t sources < <(find common worker coordinator -name '*.[ch]' | sort)

echo "Folders: .c files, lines, per cent of all"
total=$(cat "${sources[@]}" | wc -l)
while read -r folder files lines; do
    share=$((100 * lines / total))
    printf '  %-32s %3d %6d %3d\n' "$folder" "$files" "$lines" "$share"
    ((files <= most_files)) || fault "$folder has $files .c files; $most_files at most"
    ((100 * lines <= most_share * total)) || fault "$folder has $share % of all lines; $most_share at most"
    [[ " ${order[*]} " == *" $folder "* ]] || fault "$folder has no place in the order of $0"
done < <(wc -l "${sources[@]}" | awk '$2 != "total" {
    folder = $2; sub("/[^/]*$", "", folder)
    lines[folder] += $1; files[folder] += $2 ~ /\.c$/
} END { for (folder in lines) print folder, files[folder], lines[folder] }' | sort)

# The body of a function, and nothing else, begins with a { that has its line for itself.
lengths=$(awk 'FNR == 1 { begin = 0 } /^\{$/ { begin = FNR } /^\}$/ && begin { print FNR - begin + 1, FILENAME ":" begin; begin = 0 }' \
    "${sources[@]}" | sort -n)
n=$(wc -l <<<"$lengths")
median=$(sed -n "$(((n + 1) / 2))s/ .*//p" <<<"$lengths")
printf 'Functions: %d, of %d lines in the median; the longest of %s\n' "$n" "$median" "$(tail -n 1 <<<"$lengths")"
((median <= most_median)) || fault "a median of $median lines; $most_median at most"
while read -r lines place; do
    ((lines <= most_lines)) || fault "$place has $lines lines; $most_lines at most"
done <<<"$lengths"

cmake_words() { find common worker coordinator -name CMakeLists.txt -exec awk -F'[ ()]+' "$1" {} +; }

declare -A place=()
for i in "${!order[@]}"; do place[${order[i]}]=$i; done
# up FOLDER TO: whether TO stands above FOLDER, or nowhere.
up() { ((${place[$2]-1000} > ${place[$1]-0})); }

n=0
while read -r file header; do
    n=$((n + 1))
    if up "${file%/*}" "${header%/*}"; then fault "$file includes $header: an arrow that goes up"; fi
done < <(awk -F'"' '/^#include "[^"]*\// { print FILENAME, $2 }' "${sources[@]}")
printf 'Includes: %d\n' "$n"

# The libraries of a folder, and those that they link to.
declare -A home=()
# shellcheck disable=SC2016 # the dollars are awk's
libraries='/^nas_add_library\(/ { print FILENAME, $2 }'
# shellcheck disable=SC2016
links='/^nas_add_library\(/ { inside = 1 }
    inside && /DEPENDS/ { for (i = 1; i <= NF; i++) if ($i ~ /^nas_/) print FILENAME, $i }
    /\)$/ { inside = 0 }'
while read -r file target; do home[$target]=${file%/*}; done < <(cmake_words "$libraries")
while read -r file target; do
    [[ -n ${home[$target]-} && ${home[$target]} != "${file%/*}"/* ]] || continue # a list links to those in it, which are below it
    if up "${file%/*}" "${home[$target]}"; then fault "$file links to $target, which is of ${home[$target]}: an arrow that goes up"; fi
done < <(cmake_words "$links")

while read -r file; do
    [[ $file == common/comm/* ]] || fault "$file includes mpi.h; common/comm alone does"
done < <(grep -l '^#include <mpi.h>' "${sources[@]}")

# calls: "caller callee" of files, from the symbols that objects define and ask for. Objects of files that are gone do not count.
calls() {
    find "$build"/{common,worker,coordinator} -regex '.*/CMakeFiles/[^/]*/[^/]*\.c\.o' -exec nm -A {} + | awk -v build="$build/" -v sources="${sources[*]}" '
        BEGIN { n = split(sources, list, " "); for (i = 1; i <= n; i++) exists[list[i]] = 1 }
        {
            file = substr($1, length(build) + 1)
            sub(/\.o:.*/, "", file); sub(/CMakeFiles\/[^\/]*\//, "", file)
            if (!(file in exists)) next
            if ($(NF - 1) ~ /^[TDBRV]$/) owner[$NF] = file
            if ($(NF - 1) == "U") { asking[++n_asks] = file; asked[n_asks] = $NF }
        }
        END {
            for (i = 1; i <= n_asks; i++)
                if (asked[i] in owner && owner[asked[i]] != asking[i]) print asking[i], owner[asked[i]]
        }' | sort -u
}
if [ -x "$build/coordinator/robotnas" ]; then
    pairs=$(calls)
    [ -n "$pairs" ] || fault "no file of $build calls another: its objects are not where they are looked for"
    printf 'Files that call others: %d pairs\n' "$(wc -l <<<"$pairs")"
    if ! circles=$(tsort <<<"$pairs" 2>&1 >/dev/null); then
        fault "files call each other in a circle:"
        sed -n 's/^tsort: \(.*\.c\)$/    \1/p' <<<"$circles"
    fi
else
    echo "Files that call others: not looked at, for $build holds no program"
fi

((faults == 0)) || exit 1
echo "Nothing is beyond the limits"
