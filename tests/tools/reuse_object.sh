#!/usr/bin/env bash
# A compiler launcher for a copy of the source tree: takes the object of a file that is as in the original from the original's build
# folder, and compiles the others. Right as long as no header differs.
#
# usage: reuse_object.sh COMPILER OPTION...       with COPY, ORIGINAL and BUILD, the original's build folder, in the environment
set -euo pipefail
output=
for ((i = 1; i < $#; i++)); do
    next=$((i + 1))
    if [ "${!i}" = -o ]; then output=${!next}; fi
done
file=${!#}
case $file in
"$COPY"/build/*) was=$BUILD/${file#"$COPY"/build/} ;;
*) was=$ORIGINAL/${file#"$COPY"/} ;;
esac
if [ -f "$BUILD/$output" ] && cmp -s "$file" "$was"; then
    cp "$BUILD/$output" "$output"
else
    printf 'compiled %s\n' "${file#"$COPY"/}" >>"$COPY/compiled"
    exec "$@"
fi
