# Shared by the scripts here: packages, kernel file systems, builds, messages. Sourced by bash.
# shellcheck shell=bash

set -euo pipefail

SOURCE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${COFF_JOBS:-2}
export DEBIAN_FRONTEND=noninteractive

# Packages put their daemons and tools there, and sudo or cron may leave it out.
export PATH=$PATH:/usr/sbin:/sbin

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' PLAIN=$'\e[0m'
else
	BOLD='' PLAIN=''
fi

say() { printf '%s== %s%s\n' "$BOLD" "$*" "$PLAIN"; }

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root: run it again with sudo"
}

# Names of the packages of the given groups that are not installed.
missing_packages() {
	local group package
	for group in "$@"; do
		while read -r package; do
			[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
				printf '%s\n' "$package"
		done < <(awk -v group="$group" '$1 == group { print $2 }' "$SOURCE_DIR/scripts/packages")
	done | sort -u
}

# Installs what is missing of the given groups of scripts/packages; silent when nothing is.
install_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${#missing[@]} packages: ${missing[*]}"
	local log
	log=$(mktemp)
	if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
		>"$log" 2>&1; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		die "the packages could not be installed; see above"
	fi
	rm -f "$log"
}

# The agent reads tracepoints, pins maps and resolves control groups: mounts what is not there.
mount_kernel_file_systems() {
	local kind
	kind=$(findmnt -n -o FSTYPE /sys/kernel/tracing || true)
	[ -n "$kind" ] || mount -t tracefs tracefs /sys/kernel/tracing ||
		printf 'tracefs cannot be mounted here: tracepoints will not be observed\n' >&2
	kind=$(findmnt -n -o FSTYPE /sys/fs/bpf || true)
	[ -n "$kind" ] || mount -t bpf bpf /sys/fs/bpf ||
		printf 'the BPF file system cannot be mounted here: nothing can be pinned\n' >&2
	if ! findmnt -n -t cgroup,cgroup2 >/dev/null; then
		mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
			printf 'no control groups can be mounted here: containers will not be found\n' >&2
	fi
}

# build PRESET [TARGET...]: configures and builds; prints the compiler's words only on failure.
build() {
	local preset=$1 log started=$SECONDS targets=()
	shift
	[ $# = 0 ] || targets=(--target "$@")
	log=$(mktemp)
	say "building $preset${*:+ ($*)}"
	if ! { cmake -S "$SOURCE_DIR" --preset "$preset" &&
		cmake --build "$SOURCE_DIR/build/$preset" -j "$JOBS" "${targets[@]}"; } \
		>"$log" 2>&1; then
		grep -vE '^\[[0-9]+/[0-9]+\]|^-- ' "$log" | tail -n 80 >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
	hand_over "$SOURCE_DIR/build"
	printf '   %s s\n' $((SECONDS - started))
}

# What root makes under sudo belongs to the person who called.
hand_over() {
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
}

has_systemd() { [ -d /run/systemd/system ]; }
