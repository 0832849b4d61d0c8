/* SPDX-License-Identifier: MIT */
/* cases.c - see cases.h */
#include <linux/kernel.h>

#include "cases.h"

const struct kept_case kept_cases[] = {
	/* --- what the fuzzer found ------------------------------------------------------------ */
	{ "the ops go with the buffer", "export kind=0\n"
					"put buffer=0\n" },
	{ "a name of no letters", "export kind=0\n"
				  "fd buffer=0\n"
				  "set-name file=0 n=0\n"
				  "fdinfo file=0\n" },
	{ "an argument that counts", "export kind=0\n"
				     "lock buffer=0\n"
				     "fence context=own\n"
				     "add-fence buffer=0 fence=0 usage=read\n"
				     "put-fence fence=0\n"
				     "reserve buffer=0 n=15\n" },
	{ "a poll outlives an open access", "export kind=0\n"
					    "begin buffer=0 dir=to\n"
					    "fd buffer=0\n"
					    "fence context=own\n"
					    "add-fence buffer=0 fence=0 usage=write\n"
					    "poll file=0 events=out\n"
					    "close file=0\n"
					    "signal fence=0\n" },
	{ "an end that nobody began beside a bounced mapping",
	  "machine bounce\n"
	  "export kind=0\n"
	  "attach buffer=0 device=own importer=static\n"
	  "map attachment=0 dir=both\n"
	  "device-write mapping=0 place=0 value=1\n"
	  "end buffer=0 dir=from how=3\n"
	  "device-read mapping=0 place=0\n" },
	{ "a poll outlives an open access until its fence goes",
	  "export kind=0\n"
	  "begin buffer=0 dir=to\n"
	  "fd buffer=0\n"
	  "fence context=own\n"
	  "add-fence buffer=0 fence=0 usage=write\n"
	  "poll file=0 events=out\n"
	  "close file=0\n"
	  "put-fence fence=0\n" },
	{ "a poll after a copy of other fences", "export kind=0\n"
						 "fd buffer=0\n"
						 "fence context=own\n"
						 "add-fence buffer=0 fence=0 usage=write\n"
						 "poll file=0 events=out\n"
						 "export kind=0\n"
						 "copy-fences buffer=0 other=1\n"
						 "poll file=0 events=both\n" },
	{ "a merge is ordered by context", "fence context=own\n"
					   "fence context=own\n"
					   "sync-file fence=0\n"
					   "sync-file fence=1\n"
					   "merge file=1 other=0\n"
					   "signal fence=1\n"
					   "info file=2 n=35\n" },
	{ "a poll of a merge", "export kind=0\n"
			       "fence context=own how=4\n"
			       "sync-file fence=0\n"
			       "fence context=own\n"
			       "sync-file fence=1\n"
			       "merge file=0 other=1\n"
			       "poll file=2 events=out\n" },
	{ "a begin that one core refuses beside caches",
	  "machine arm\n"
	  "improper\n"
	  "export kind=135\n"
	  "attach buffer=0 device=own importer=peer\n"
	  "map attachment=0 dir=from\n"
	  "device-write mapping=0 place=75 value=155\n"
	  "lock buffer=0\n"
	  "begin buffer=0 dir=to\n"
	  "cpu-read buffer=0 place=247\n" },
	{ "an end that one core refuses beside slots", "machine bounce\n"
						       "improper\n"
						       "export kind=135\n"
						       "attach buffer=0 device=own importer=peer\n"
						       "map attachment=0 dir=from\n"
						       "device-write mapping=0 place=75 value=155\n"
						       "lock buffer=0\n"
						       "map attachment=0 dir=to\n"
						       "fd buffer=0\n"
						       "unmap mapping=0\n"
						       "sync file=0 flags=5\n"
						       "device-read mapping=0 place=61\n" },

	/* --- each deliberate difference ------------------------------------------------------- */
	{ "kept at attach", "export kind=1\n"
			    "attach buffer=0 importer=static\n" },
	{ "bytes and costs of what is kept", "export kind=1\n"
					     "attach buffer=0 importer=static\n" },
	{ "policy cached", "export kind=0\n"
			   "attach buffer=0 importer=static\n"
			   "map attachment=0 dir=both\n" },
	{ "policy cached, bytes beside the rules", "machine bounce\n"
						   "improper\n"
						   "export kind=0\n"
						   "attach buffer=0 importer=static\n"
						   "map attachment=0 dir=both\n"
						   "device-write mapping=0 place=1 value=0\n"
						   "begin buffer=0 dir=both\n"
						   "cpu-read buffer=0 place=1\n" },
	{ "pin while mapped", "export kind=1\n"
			      "attach buffer=0 importer=peer\n"
			      "map attachment=0 dir=both\n" },
	{ "reservation held", "export kind=0\n"
			      "fd buffer=0\n"
			      "lock buffer=0\n"
			      "sync file=0 flags=1\n" },
	{ "export with the reservation held", "export kind=32\n"
					      "lock buffer=0\n"
					      "export kind=32\n" },
	{ "export with cache_sgt_mapping and pin", "export kind=0 how=6\n" },
	{ "a descriptor of no buffer", "export kind=0\n"
				       "fd buffer=0 how=1\n" },
	{ "pin by a static importer", "export kind=0\n"
				      "attach buffer=0 importer=static\n"
				      "pin attachment=0 how=1\n" },
	{ "a direction that is none", "export kind=0\n"
				      "end buffer=0 how=2\n" },
	{ "begin whose wait is interrupted", "export kind=2\n"
					     "fence context=own\n"
					     "add-fence buffer=0 fence=0 usage=kernel\n"
					     "interrupt\n"
					     "begin buffer=0 dir=both\n" },
	{ "an exporter's vmap that fails", "export kind=4\n"
					   "fail op=vmap answer=nomem\n"
					   "vmap buffer=0\n" },
	{ "move_notify by an exporter without pin", "export kind=0\n"
						    "move buffer=0 how=1\n" },
	{ "released while the CPU accesses it", "export kind=0\n"
						"begin buffer=0 dir=both\n"
						"put buffer=0\n" },
	{ "a poll after a fence was replaced", "export kind=0\n"
					       "fd buffer=0\n"
					       "fence context=own\n"
					       "fence context=own\n"
					       "add-fence buffer=0 fence=0 usage=write\n"
					       "poll file=0 events=out\n"
					       "signal fence=1\n"
					       "replace buffer=0 fence=0 other=1\n"
					       "poll file=0 events=both\n" },
	{ "another direction than the kept one", "export kind=128\n"
						 "attach buffer=0 importer=static\n"
						 "map attachment=0 dir=to\n"
						 "map attachment=0 dir=both\n" },

	/* --- what is not sent ----------------------------------------------------------------- */
	{ "locks", "export kind=32\n"
		   "lock buffer=0\n"
		   "attach buffer=0 importer=static\n"
		   "2: attach buffer=0 importer=static\n"
		   "put buffer=0\n"
		   "2: export kind=32\n"
		   "2: unlock buffer=0\n" },
	{ "fences nobody signals", "export kind=128\n"
				   "attach buffer=0 importer=static\n"
				   "fence context=own\n"
				   "add-fence buffer=0 fence=0 usage=kernel how=1\n"
				   "add-fence buffer=0 fence=0 usage=kernel\n"
				   "begin buffer=0 dir=both\n"
				   "map attachment=0 dir=both\n" },
	{ "ends that come too early", "export kind=0\n"
				      "attach buffer=0 importer=static\n"
				      "put buffer=0\n"
				      "map attachment=0 dir=both\n"
				      "detach attachment=0\n"
				      "unmap mapping=0 how=6\n"
				      "unmap mapping=0 how=2\n" },
	{ "arguments that are not there", "export kind=4\n"
					  "attach buffer=0 importer=static\n"
					  "map attachment=0 how=2\n"
					  "end buffer=0 how=1\n"
					  "unpin attachment=0 how=3\n"
					  "vunmap buffer=0\n"
					  "vmap buffer=0 how=2\n"
					  "vmap buffer=0\n"
					  "vunmap buffer=0 how=2\n" },
	{ "what only a kept mapping allows", "export kind=0\n"
					     "attach buffer=0 importer=dynamic\n"
					     "map attachment=0 dir=from\n"
					     "device-read mapping=0\n" },
};

const unsigned int kept_cases_nr = ARRAY_SIZE(kept_cases);
