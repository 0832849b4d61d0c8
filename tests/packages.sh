# SPDX-License-Identifier: MIT
# packages.sh - for ./run and ./check: what is missing here, as one apt-get line, and installs it
#
# Sourced by bash with the checkout as working directory.  Something is missing when what we need of it
# cannot be found, however it came; when nothing is, no package tool is called and nothing is sent.
# All that is printed goes to standard error; all that is written goes into build/ (and what apt-get does).

have() {
	case $1 in
	abigail-tools) command -v abidiff ;;
	gcc) command -v cc ;;
	chromium-headless-shell) command -v chromium-headless-shell || command -v chromium || command -v google-chrome ;;
	clang-14) command -v clang-14 || command -v clang ;;
	clang-format-14) command -v clang-format-14 ;;
	gcc-aarch64-linux-gnu) command -v aarch64-linux-gnu-gcc ;;
	libc6-dev-arm64-cross) test -e /usr/aarch64-linux-gnu/include/stdio.h ;;
	qemu-system-x86) command -v qemu-system-x86_64 ;;
	qemu-system-arm) command -v qemu-system-aarch64 ;;
	qemu-user-static) command -v qemu-aarch64-static ;;
	libc6-dev) test -e /usr/include/stdio.h ;;
	libclang-rt-14-dev) compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*' ;;
	libelf1) compgen -G '/lib*/libelf.so.1' || compgen -G '/lib/*/libelf.so.1' ;;
	libjson-c-dev) pkg-config --exists json-c ;;
	intel-gpu-tools) compgen -G '/usr/lib/*/libigt.so.0' ;;
	libcairo2-dev) pkg-config --exists cairo ;;
	libdrm-dev) pkg-config --exists libdrm ;;
	libpciaccess-dev) pkg-config --exists pciaccess ;;
	libudev-dev) pkg-config --exists libudev ;;
	libpng-dev) pkg-config --exists libpng ;;
	libucx-dev) test -e /usr/include/ucs/memory/rcache.h ;;
	liburcu-dev) pkg-config --exists liburcu-bp ;;
	gir1.2-gst-plugins-base-1.0) compgen -G '/usr/lib/*/girepository-1.0/GstAllocators-1.0.typelib' ;;
	gstreamer1.0-plugins-base) compgen -G '/usr/lib/*/gstreamer-1.0/libgstapp.so' ;;
	python3-gi) /usr/bin/python3 -c 'import gi' ;;
	linux-source-6.12) test -e /usr/src/linux-source-6.12.tar.xz ;;
	ninja-build) command -v ninja ;;
	xz-utils) command -v xz ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

# missing PACKAGE...: those of them, on one line
missing() {
	local package list=()
	for package; do
		have "$package" || list+=("$package")
	done
	echo "${list[*]}"
}

# step TITLE COMMAND...: runs it, shows after a second that it goes on; what it printed, only when it fails
step() {
	local title=$1 log=build/last-step.log start=$SECONDS ticks=0 pid status=0
	shift
	mkdir -p build
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		sleep 0.05
		: $((ticks++))
		[ $ticks != 20 ] || printf '%s ...' "$title" >&2
		[ $((ticks % 40)) != 0 ] || printf '.' >&2
	done
	wait $pid || status=$?
	[ $ticks -lt 20 ] || printf ' %d s\n' $((SECONDS - start)) >&2
	[ $status = 0 ] || tail -n 20 "$log" >&2
	return $status
}

# as_root COMMAND...: as root or with sudo where that asks for no password; says so where neither is to be had
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		echo "neither root nor sudo without a password: going on with what is there"
		return 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=60 "$@"
}

# install_missing PACKAGE...: 0 when all of them are here at the end
install_missing() {
	local list
	list=$(missing "$@")
	[ -n "$list" ] || return 0
	echo "apt-get install -y --no-install-recommends $list" >&2
	as_root true >&2 || return 1
	# The lists may be absent or old; they are fetched anew only if the line does not work as it is.
	# shellcheck disable=SC2086 # one word a package
	if ! apt -s install --no-install-recommends $list >/dev/null 2>&1 ||
	   ! step "installing" apt install --no-install-recommends $list; then
		step "fetching package lists" apt update && step "installing" apt install --no-install-recommends $list
	fi
	[ -z "$(missing "$@")" ]
}
