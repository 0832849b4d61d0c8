# SPDX-License-Identifier: MIT
# cases.sh - for tests that compile Linux's files: without the package each of their cases is skipped
#
# Sourced by bash with the tree's root as working directory.

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
