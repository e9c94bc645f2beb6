#!/usr/bin/env bash
# What a new user meets: makes a bare Debian 12 in DIR (debootstrap, minbase), clones the committed checkout into it, and runs
# there what README.md says: the quickstart as root, the build as an ordinary user, the test suite as root. Prints how
# long each took, and what was skipped and why; the whole output of each lies in DIR/var/log/robotnas.
#
# usage: scripts/bare_machine.sh DIR      DIR: new or empty; it stays, some 4 GB of it, until you remove it
#
# Packages come from where this machine's apt takes them, with its settings (proxy and the like). Everything runs with mounts
# and processes of its own, which end with the script however it ends: nothing stays mounted, nothing goes on.
set -euo pipefail

say() { printf 'bare_machine: %s\n' "$*"; }
give_up() {
    say "$*" >&2
    exit 1
}

checkout=$(cd "$(dirname "$0")/.." && pwd)
self=$checkout/scripts/$(basename "$0")
[ $# = 1 ] || {
    sed -n '6p' "$0" >&2
    exit 2
}
[ "$(id -u)" = 0 ] || give_up 'only root can make a machine in a folder: run it as root'
for program in debootstrap git unshare pivot_root; do
    command -v "$program" >/dev/null || give_up "$program is missing: apt-get install debootstrap git util-linux"
done

if [ -z "${BARE_MACHINE_INSIDE:-}" ]; then
    mkdir -p "$1"
    [ -z "$(ls -A "$1")" ] || give_up "$1 is not empty: give a new folder"
    BARE_MACHINE_INSIDE=1 unshare --mount --uts --pid --fork --kill-child=KILL --mount-proc bash "$self" "$(cd "$1" && pwd)" &
    trap 'kill -KILL $!; exit 130' INT TERM HUP # unshare itself passes none of them on
    wait $!
    exit
fi
machine=$1
where=$1
logs=$machine/var/log/robotnas
unset BARE_MACHINE_INSIDE

# ---- The machine ----

# sources: the lines of this machine's apt that are Debian 12's own, for a sources.list; that of the release itself first.
sources() {
    apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' |
        awk '$3 ~ /^bookworm(-updates|-security)?$/ && $4 == "main"' | sort -u -k3,3
}

# apt_settings: how this machine's apt reaches its sources.
apt_settings() {
    apt-config dump | grep -E '^Acquire::(http|https|ForceIPv4|ForceIPv6|Retries|Check-Date|Check-Valid-Until)\b'
}

# inside COMMAND...: as root, with a root's environment and no other; in the machine, before enter has made it all that there is.
inside() {
    chroot "$machine" /usr/bin/env -i HOME=/root LOGNAME=root USER=root SHELL=/bin/bash TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# as_user COMMAND: a line for the shell of the ordinary user, in the clone.
as_user() {
    inside su - somebody -c "cd robotnas && $1"
}

make_machine() {
    local mirror proxy extra=()
    mirror=$(sources | awk '$3 == "bookworm" { print $2 }')
    [ -n "$mirror" ] || give_up 'apt of this machine has no source of Debian 12 (bookworm)'
    proxy=$(apt-config shell proxy Acquire::http::Proxy)
    eval "$proxy" # proxy='...', quoted by apt-config
    [ -z "$proxy" ] || export http_proxy=$proxy https_proxy=$proxy
    if sources | grep -q ' https:'; then extra=(--include=ca-certificates); fi
    debootstrap --variant=minbase "${extra[@]}" bookworm "$machine" "$mirror"
    sources >"$machine/etc/apt/sources.list"
    apt_settings >"$machine/etc/apt/apt.conf.d/90from-outside" || true
    printf '#!/bin/sh\nexit 101\n' >"$machine/usr/sbin/policy-rc.d" # packages start no services
    chmod +x "$machine/usr/sbin/policy-rc.d"
    hostname bare
    printf '127.0.0.1 localhost bare\n' >"$machine/etc/hosts"
    echo bare >"$machine/etc/hostname"
    cp -L /etc/resolv.conf "$machine/etc/resolv.conf"
    mount --bind "$machine" "$machine"
    mount -t proc proc "$machine/proc"
    mount --rbind /sys "$machine/sys"
    mount --rbind /dev "$machine/dev"
    mount -t tmpfs tmpfs "$machine/dev/shm"
    inside useradd --create-home --shell /bin/bash somebody
}

# enter: from here on there is nothing but the machine. With chroot alone, tests that make nodes by namespaces would fall out of it.
enter() {
    cd "$machine"
    pivot_root . mnt
    cd /
    umount --lazy /mnt
    machine=/
    logs=/var/log/robotnas
}

# clone PATH: the committed checkout, whoever owns it.
clone() {
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' git clone --quiet --no-local "$checkout" "$machine$1"
}

# ---- What a new user does ----

# step NAME WHAT COMMAND...: with its output in NAME.log; ends the script where the command fails.
step() {
    local name=$1 what=$2 from=$SECONDS code
    shift 2
    set +e # a shell of its own stops at the first command that fails, which one within a condition would not
    (set -e && "$@") </dev/null >"$logs/$name.log" 2>&1
    code=$?
    set -e
    if [ "$code" != 0 ]; then
        tail -n 60 "$logs/$name.log"
        give_up "$what: FAILED with exit code $code after $((SECONDS - from)) s; the whole output is $where/var/log/robotnas/$name.log"
    fi
    say "$what: passed in $((SECONDS - from)) s"
}

mkdir -p "$logs"
say "$(git -C "$checkout" -c safe.directory='*' log -1 --format='commit %h, %s'); $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
step machine 'a bare Debian 12' make_machine
step clone 'git clone' clone /srv/robotnas
step clone-user 'git clone for an ordinary user' clone /home/somebody/robotnas
inside chown -R somebody: /home/somebody/robotnas
enter
step quickstart './jobs/quickstart.sh as root' inside sh -c 'cd /srv/robotnas && ./jobs/quickstart.sh'
sed -n '/^== Result/,$p' "$logs/quickstart.log"
step build "the build as an ordinary user, by README's words" as_user \
    'cmake --preset release && cmake --build --preset release && cmake --install build/release --prefix ~/.local'
# shellcheck disable=SC2016 # the user's shell expands it
step user-search 'a search by what that user installed' as_user '"$HOME/.local/bin/robotnas" search jobs/fashion-mnist-table.yaml'
step tests './tests/run.sh as root' inside sh -c 'cd /srv/robotnas && ./tests/run.sh'
grep -E '^[0-9]+% tests passed|^Total Test time' "$logs/tests.log"
sed -n '/^Skipped/,$p' "$logs/tests.log"
