# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2001,SC2034
# cases.sh - for tests that compile Linux's files: their cases, each of which is skipped without the package
#
# Sourced by bash with the tree's root as working directory. $log is the file that has what was printed last.

# make_or_skip COMMAND NAME...: sets $made to the last line that COMMAND prints. Exits with 77 of it: each NAME is
# told as a case that is skipped, and that line is why; any other failure: each as one that failed.
make_or_skip() {
	local log status=0 n=0
	log=$($1 2>&1) || status=$?
	shift
	made=$(tail -n 1 <<<"$log")
	[ $status != 0 ] || return 0
	echo "1..$#"
	[ $status = 77 ] || sed 's/^/# /' <<<"$log"
	for name; do
		n=$((n + 1))
		if [ $status = 77 ]; then echo "ok $n - $name # SKIP $made"; else echo "not ok $n - $name"; fi
	done
	[ $status = 77 ]
	exit
}

number=0 failed=0
# say STATUS [NAME]: tells a case, NAME or the next of $names; it held if STATUS is 0, else $log says more. Sets $failed.
say() {
	local name=${2-${names[number]}} word=ok
	[ "$1" = 0 ] || { word="not ok" failed=1; sed 's/^/# /' "$log"; }
	number=$((number + 1))
	echo "$word $number - $name"
}

# exits STATUS COMMAND...: is that its exit status? What it prints is in $log.
exits() {
	local want=$1
	shift
	"$@" >"$log" 2>&1
	[ $? = "$want" ]
}

# has PATTERN: is there such a line in $log?
has() { grep -q -- "$1" "$log"; }

# fail NAME: instead of all cases one, which failed with what $log says
fail() {
	say 1 "$1"
	echo "1..1"
	exit 1
}
