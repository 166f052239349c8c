# Sourced by ./demo and ./verify: finds a JDK 25, installs missing Debian packages, runs Maven with progress lines.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

require_root() {
    [[ $(id -u) == 0 ]] || die "the site is made of network namespaces, which needs root: sudo $0"
}

is_jdk_25() { [[ -x $1/bin/javac ]] && "$1/bin/javac" -version 2>&1 | grep -q '^javac 25'; }

# Sets JAVA_HOME to a JDK 25: the one it names already, the one in the path, or one in the usual folders.
find_jdk() {
    local candidate in_path home
    in_path=$(command -v javac || true)
    home=$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)
    for candidate in "${JAVA_HOME:-}" "${in_path:+$(dirname "$(dirname "$(readlink -f "$in_path")")")}" \
        /usr/lib/jvm/*25* /usr/java/*25* /opt/*jdk*25* /opt/java/* /usr/local/*jdk*25* \
        "$home"/.sdkman/candidates/java/25* "$home"/.jdks/*25*; do
        if [[ -n $candidate ]] && is_jdk_25 "$candidate"; then
            export JAVA_HOME=$candidate
            export PATH=$JAVA_HOME/bin:$PATH
            return
        fi
    done
    die "no JDK 25 found (looked at JAVA_HOME, the path, /usr/lib/jvm and /opt).
Install one, for example Eclipse Temurin 25 (https://adoptium.net, package temurin-25-jdk), or set JAVA_HOME to it."
}

# Installs the Debian packages whose programs are missing. Nothing is started; nothing happens when nothing is missing.
install_packages() {
    local missing=() entry program package
    for entry in haproxy:haproxy mariadbd:mariadb-server mariadb:mariadb-client mariadb-install-db:mariadb-server mariadb-backup:mariadb-backup mbstream:mariadb-backup \
        nginx:nginx-light nft:nftables ip:iproute2 ping:iputils-ping arping:iputils-arping nsenter:util-linux unshare:util-linux \
        sysctl:procps tc:iproute2 ss:iproute2 stress-ng:stress-ng mkfs.ext4:e2fsprogs \
        fsfreeze:util-linux findmnt:util-linux mvn:maven spin:spin gcc:gcc \
        gencat:libc6-dev exim4:exim4-daemon-light openssl:openssl promtool:prometheus amtool:prometheus-alertmanager; do
        program=${entry%%:*} package=${entry##*:}
        if ! PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null && [[ " ${missing[*]} " != *" $package "* ]]; then
            missing+=("$package")
        fi
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "missing programs of the packages ${missing[*]}, and no apt-get to install them"
    say "installing Debian packages: ${missing[*]}"
    local log policy=/usr/sbin/policy-rc.d saved=
    log=$(mktemp)
    if [[ -e $policy ]]; then
        saved=$(mktemp -u "$policy.understudy.XXXXXX")
        mv "$policy" "$saved"
    fi
    # shellcheck disable=SC2064 # the values of now
    trap "rm -f '$policy'; ${saved:+mv '$saved' '$policy'}" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends --no-remove "${missing[@]}"; } \
        >"$log" 2>&1; then
        tail -20 "$log" >&2
        die "apt-get failed (all of it in $log)"
    fi
    if [[ -d /run/systemd/system ]]; then
        for package in "${missing[@]}"; do
            case $package in
            haproxy) systemctl -q disable haproxy.service || true ;;
            nginx-light) systemctl -q disable nginx.service || true ;;
            mariadb-server) systemctl -q disable mariadb.service || true ;;
            exim4-daemon-light) systemctl -q disable exim4.service || true ;;
            prometheus) systemctl -q disable prometheus.service || true ;;
            prometheus-alertmanager) systemctl -q disable prometheus-alertmanager.service || true ;;
            esac
        done
    fi
    rm -f "$policy" "$log"
    if [[ -n $saved ]]; then mv "$saved" "$policy"; fi
    trap - EXIT
}

# run_maven LOG ARGUMENTS...: the whole output goes to LOG, what tells of progress to the terminal.
run_maven() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if ! mvn -B -ntp "$@" 2>&1 | tee "$log" | progress; then
        say ""
        grep -E '^\[ERROR\]|COMPILATION ERROR' "$log" | grep -vE '^\[ERROR\] *$|re-run Maven|Help 1|full stack trace' |
            head -40 >&2 || true
        say "the whole output is in $log" >&2
        return 1
    fi
}

progress() {
    awk '
        /^\[INFO\] Building Understudy / { sub(/^\[INFO\] /, ""); sub(/ [0-9][^ ]*-SNAPSHOT */, " "); print; fflush() }
        /^\[INFO\] Running /             { sub(/^\[INFO\] Running /, "  "); print; fflush() }
        /Tests run:.* -- in /            { sub(/^\[[A-Z]+\] /, "    "); sub(/ -- in .*/, ""); print; fflush() }
        /^  story /                      { print; fflush() }
        /^  NOT CHECKED: /               { print; fflush() }
    '
}
