#!/usr/bin/env bash
# What the sources may call, and which names they may know: files are opened, made and renamed in a few places, which look at what stands there first
# (common/io/file.h). A new place is added here once it does so, too.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$ROBOTNAS_SOURCE"

# call_of NAMES: a pattern of a call of one of the functions, not of a structure's.
call_of() {
    printf '(^|[^.>[:alnum:]_])(%s) ?\\(' "$1"
}

# only NAMES FILE...: none but these files call one of the functions.
only() {
    local found
    found=$(grep -rnE --include='*.c' "$(call_of "$1")" common worker coordinator | grep -vE ':[[:space:]]*(/?\*|//)' |
        grep -vE "$(printf '^%s:|' "${@:2}")^$") || true
    [ -z "$found" ] || fail "called where the name may have been planted, see common/io/file.h:
$found"
}

# The pattern finds what it is for.
for line in 'fd = open(path, 0)' 'open ("a", 0)' '(open(path, 0))'; do
    grep -qE "$(call_of 'open|open64')" <<<"$line" || fail "not found: $line"
done
for line in 'nas_file_open(path)' 'place.layer->open(place.position)'; do
    if grep -qE "$(call_of 'open|open64')" <<<"$line"; then fail "another function is found: $line"; fi
done

only 'open|open64' common/io/file.c worker/objectives/command/output.c worker/objectives/command/supervisor_detach.c worker/objectives/command/descendants.c worker/data/untrusted/sandbox.c \
    coordinator/report/user_file.c worker/engine/gpu/layers/cache.c
only 'openat|mkdirat|renameat|renameat2' worker/objectives/command/work_folder.c
only 'fopen|fopen64' worker/data/untrusted/sandbox.c worker/engine/gpu/layers/threads_build.c
only 'creat|freopen|truncate|link|symlink|mkfifo|mknod|tmpfile|tmpnam|tempnam|mktemp|popen|system' none
only 'mkstemp|mkdtemp' worker/engine/gpu/layers/threads_build.c
only 'rename' common/io/replace.c worker/engine/gpu/layers/cache.c
only 'mkdir' common/io/file.c worker/engine/gpu/layers/cache.c worker/objectives/command/work_folder.c
only 'unlink|remove' common/io/replace.c common/io/lock.c common/io/stop.c coordinator/report/user_file.c \
    worker/objectives/command/work_folder.c worker/data/folders/folder_file.c worker/engine/gpu/layers/cache.c worker/engine/gpu/layers/threads_build.c
only 'chmod|chown|fchmod|fchown' common/io/replace.c
only 'H5Fcreate' common/state/h5_file.c worker/data/folders/folder_file.c
only 'H5Fopen' common/state/h5_file.c worker/data/untrusted/untrusted_child.c
only 'gzopen|jpeg_stdio_src|png_init_io' none

# What belongs to a registry has its name in the registry's folder: common/job is handed all of them (common/job/section.h).
names='ref|cpu|nas-bench-201|transnas-micro|transnas-macro|darts|digits|robot|pool-gp|random|rea|reinforce|single|synflow|nwot|grad_norm|train|command|cifar-binary|idx|hdf5'
found=$(grep -rnE "\"($names)\"" common/job | grep -v 'convention_names') || true
[ -z "$found" ] || fail "names of registries in common/job:
$found"
for owner in worker/engine/host common/space coordinator/search/methods worker/engine/metrics worker/objectives worker/data; do
    grep -rqE "\"($names)\"" "$owner" || fail "no name of a registry in $owner"
done
