#!/usr/bin/env bash
# Builds what a cluster lacks, without root, from source archives that you bring; it downloads nothing. Then
# `cmake --preset release -DCMAKE_PREFIX_PATH=DIR` finds them.
#
# usage: scripts/build-deps.sh --prefix DIR ARCHIVE|FOLDER...
#   ARCHIVE    .tar.gz, .tar.xz, .tar.bz2 or .zip, by any name: what it holds says what it is. FOLDER: all archives in it.
#              NLopt 2.7, libcsv 3, jansson 2.14, Random123 1.14, protobuf-c 1.4 or newer of the same; oneDNN 2 for the cpu
#              backend. protobuf-c needs protobuf (C++): where there is no protoc, give its archive too, 3.21 or older.
#   JOBS       compilations at once (default: processors)
#   ONEDNN_OPTIONS   more options for oneDNN's cmake; -DDNNL_ENABLE_PRIMITIVE=CONVOLUTION builds what robotnas calls
#
# Needs CMake, make or Ninja, and compilers for C and C++ (CC, CXX). Given again, an archive that was built into DIR is passed over.
set -euo pipefail

order=(nlopt libcsv jansson random123 protobuf protobuf-c onednn)
declare -A archive_of=()
prefix=

give_up() {
    printf 'build-deps: %s\n' "$*" >&2
    exit "${code:-2}"
}

usage() {
    sed -n '5,11p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# library_of ARCHIVE: print which library's sources it holds, by a file that no other has. Fails where it is none of them.
library_of() {
    local list
    list=$(cmake -E tar tf "$1" 2>/dev/null) || return 1
    case $list in
    */src/api/nlopt.h*) echo nlopt ;;
    */libcsv.c*) echo libcsv ;;
    */src/jansson.h*) echo jansson ;;
    */include/Random123/philox.h*) echo random123 ;;
    */src/google/protobuf/message.h*) echo protobuf ;;
    */protobuf-c/protobuf-c.h*) echo protobuf-c ;;
    */include/oneapi/dnnl/dnnl.h*) echo onednn ;;
    *) return 1 ;;
    esac
}

# take ARCHIVE must|may: note what it holds, which must or may be one of the libraries.
take() {
    local library
    library=$(library_of "$1") || {
        [ "$2" != must ] || give_up "$1 is no source archive of: ${order[*]}"
        return 0
    }
    [ -z "${archive_of[$library]:-}" ] || give_up "two archives of $library: ${archive_of[$library]} and $1"
    archive_of[$library]=$(realpath "$1")
}

# with_cmake SOURCE OPTION...: configure, build, install.
with_cmake() {
    cmake -S "$1" -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "${@:2}"
    cmake --build build --parallel "${JOBS:-$(nproc)}"
    cmake --install build
}

build_nlopt() {
    with_cmake "$1" -DBUILD_SHARED_LIBS=ON -DNLOPT_PYTHON=OFF -DNLOPT_OCTAVE=OFF -DNLOPT_MATLAB=OFF -DNLOPT_GUILE=OFF \
        -DNLOPT_SWIG=OFF -DNLOPT_TESTS=OFF
}
# One file, which needs no configuration.
build_libcsv() {
    mkdir -p "$prefix/lib" "$prefix/include"
    "${CC:-cc}" -O2 -fPIC -shared -Wl,-soname,libcsv.so.3 "$1/libcsv.c" -o "$prefix/lib/libcsv.so.3"
    ln -sf libcsv.so.3 "$prefix/lib/libcsv.so"
    cp "$1/csv.h" "$prefix/include/"
}
build_jansson() {
    with_cmake "$1" -DJANSSON_BUILD_SHARED_LIBS=ON -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF
}
build_random123() {
    mkdir -p "$prefix/include"
    cp -R "$1/include/Random123" "$prefix/include/"
}
# Static, since of all that is built here only protoc-c links with it.
build_protobuf() {
    with_cmake "$1" -DBUILD_SHARED_LIBS=OFF -Dprotobuf_BUILD_SHARED_LIBS=OFF -Dprotobuf_BUILD_TESTS=OFF -Dprotobuf_WITH_ZLIB=OFF
}
build_protobuf-c() {
    PATH=$prefix/bin:$PATH command -v protoc >/dev/null || {
        echo 'protobuf-c needs protobuf (C++), and there is no protoc here: give the archive of protobuf 3.21 too'
        return 1
    }
    with_cmake "$1/build-cmake" -DBUILD_SHARED_LIBS=ON -DBUILD_TESTS=OFF -DCMAKE_INSTALL_RPATH="$prefix/lib" \
        -DCMAKE_INSTALL_RPATH_USE_LINK_PATH=ON
}
build_onednn() {
    # shellcheck disable=SC2086 # words
    with_cmake "$1" -DDNNL_LIBRARY_TYPE=SHARED -DDNNL_CPU_RUNTIME=OMP -DDNNL_GPU_RUNTIME=NONE -DDNNL_BUILD_TESTS=OFF \
        -DDNNL_BUILD_EXAMPLES=OFF -DONEDNN_BUILD_GRAPH=OFF ${ONEDNN_OPTIONS:-}
}

# build LIBRARY: from its archive, in a folder that goes, with its output in DIR/build-deps/LIBRARY.log.
build() {
    local library=$1 archive=${archive_of[$1]} log=$prefix/build-deps/$1.log from=$SECONDS
    if [ "$(cat "$prefix/build-deps/$library.done" 2>/dev/null)" = "$(basename "$archive")" ]; then
        printf '%-10s is there already, of %s\n' "$library" "$(basename "$archive")"
        return
    fi
    rm -f "$prefix/build-deps/$library.done"
    mkdir "$work/$library"
    # A shell of its own: within a condition, this one would not stop at the first command that fails.
    if ! (cd "$work/$library" && cmake -E tar xf "$archive" && bash -e "$self" --build "$library" "$prefix" ./*/) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        code=1 give_up "$library failed; the whole output is $log"
    fi
    basename "$archive" >"$prefix/build-deps/$library.done"
    printf '%-10s built in %d s, of %s\n' "$library" $((SECONDS - from)) "$(basename "$archive")"
    rm -rf "${work:?}/$library"
}

self=$(realpath "${BASH_SOURCE[0]}")
if [ "${1-}" = --build ]; then
    prefix=$3
    "build_$2" "$(realpath "$4")"
    exit
fi

given=()
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -gt 1 ] || usage
        prefix=$2
        shift
        ;;
    -*) usage ;;
    *) given+=("$1") ;;
    esac
    shift
done
if [ -z "$prefix" ] || [ ${#given[@]} = 0 ]; then usage; fi
for program in cmake "${CC:-cc}"; do
    command -v "$program" >/dev/null || give_up "$program is not there: load its module, or name another compiler by CC"
done
command -v make >/dev/null || export CMAKE_GENERATOR=Ninja

for path in "${given[@]}"; do
    [ -e "$path" ] || give_up "$path is not there"
    if [ -d "$path" ]; then
        for archive in "$path"/*.tar.* "$path"/*.tgz "$path"/*.zip; do
            [ ! -f "$archive" ] || take "$archive" may
        done
    else
        take "$path" must
    fi
done
[ ${#archive_of[@]} != 0 ] || give_up "no source archive of ${order[*]} in: ${given[*]}"

for library in nlopt protobuf protobuf-c onednn; do
    [ -z "${archive_of[$library]:-}" ] || command -v "${CXX:-c++}" >/dev/null ||
        give_up "$library needs a C++ compiler, and ${CXX:-c++} is not there: load its module, or name another by CXX"
done

mkdir -p "$prefix/build-deps"
prefix=$(realpath "$prefix")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missing=()
for library in "${order[@]}"; do
    if [ -n "${archive_of[$library]:-}" ]; then build "$library"; else missing+=("$library"); fi
done
[ ${#missing[@]} = 0 ] || echo "No archive was given of: ${missing[*]}"
echo "Now: cmake --preset release -DCMAKE_PREFIX_PATH=$prefix && cmake --build --preset release"
