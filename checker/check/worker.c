/* SPDX-License-Identifier: MIT */
/*
 * worker.c - one driver, one machine, one policy: the process in which a driver runs
 *
 *	dmabuf-check-worker DRIVER.so MACHINE POLICY SEED RULE|- FD [pictures] [hasty]
 *
 * Started by `dmabuf check`, which reads what comes on FD (finding.h) and ends it when it takes too
 * long.  Exit status 0: all was tried, or a finding says why not; 2: the driver could not be loaded,
 * a line on FD says why; any other: it died.
 */
#include "checker/check/own.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/file.h>
#include <linux/rcupdate.h>

#include "checker/check/bench.h"
#include "checker/check/drive.h"
#include "checker/check/history.h"
#include "checker/check/mishap.h"
#include "checker/check/module.h"
#include "checker/check/watch-buffers.h"
#include "checker/check/watch-files.h"
#include "checker/check/watch-pages.h"
#include "checker/check/watch-tables.h"
#include "checker/check/watch.h"

static void tell(const char *key, struct json_object *value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, key, value);
	check_tell(object);
}

/* One more way is told before it is tried: a finding may end this process. */
static void drive(const struct check_adapter *adapter)
{
	static int ways;

	tell("ways", json_object_new_int(++ways));
	if (adapter->export) {
		drive_exporter(adapter);
		drive_permission(adapter);
	}
	if (adapter->open) {
		drive_importer(adapter);
		drive_pairs(adapter);
		drive_moves(adapter);
	}
	if (adapter->run)
		drive_run(adapter);
	drive_leaks(adapter);
	drive_failing(adapter);
}

/* Returns how many ways there were. */
static unsigned int drive_all(void)
{
	const struct check_adapter *adapter;
	unsigned int ways = 0, i;
	const void *object;
	const char *name;

	for (i = 0; module_heap(i); i++, ways++) {
		drive(drive_heap(module_heap(i)));
		drive_heap_permission(module_heap(i));
	}
	for (i = 0; (adapter = drive_misc(i)); i++, ways++)
		drive(adapter);
	for (i = 0; (object = module_object(drive_is_vb2, i, &name)); i++, ways++)
		drive(drive_vb2(name, object));
	adapter = module_adapters();
	/* An adapter that has one drives it, and has what its device needs. */
	for (i = 0; !adapter && (object = module_object(drive_is_drm, i, &name)); i++, ways++)
		drive(drive_drm(name, object));
	for (; adapter && adapter->name; adapter++, ways++)
		drive(adapter);
	return ways;
}

static int say(const char *why)
{
	tell("cannot", json_object_new_string(why));
	return 2;
}

/* Who had nothing to drive has shown nothing: silence would pass for a clean driver. */
static int say_idle(void)
{
	tell("idle",
	     json_object_new_string(
		     "it registers no dma-heap, no misc device whose ioctls are known and has no "
		     "struct vb2_mem_ops: nothing to drive. A misc device's ioctls are listed, by "
		     "its name, with DMABUF_CHECK_IOCTLS(); for others an adapter of some lines, "
		     "DMABUF_CHECK(), says how: <libdmabuf-check.h> has both"));
	return 2;
}

/* A mistake of an adapter's is no finding about its driver.  NULL: there is none. */
static const char *adapters_lack(void)
{
	const struct check_adapter *adapter = module_adapters();
	static char text[160];

	for (; adapter && adapter->name; adapter++) {
		bool kept = adapter->export && !adapter->release;

		if (!kept && (!adapter->open || adapter->close))
			continue;
		snprintf(text, sizeof(text), "its adapter \"%s\" has .%s, but no .%s",
			 adapter->name, kept ? "export" : "open", kept ? "release" : "close");
		return text;
	}
	return NULL;
}

static bool has_word(char **words, const char *word)
{
	for (; *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

static int check(int argc, char **argv)
{
	const char *problem;
	bool gone = false;
	int ret;

	if (argc < 7) {
		fprintf(stderr, "dmabuf-check-worker: `dmabuf check` starts it\n");
		return 2;
	}
	check_findings_open(atoi(argv[6]), check_rule_find(argv[5]));
	bench.remaps = !strcmp(argv[3], "remap");
	dma_buf_set_policy(bench.remaps ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	if (!bench_create(argv[2], strtoul(argv[4], NULL, 0)))
		return say("there is no such machine");
	check_history_start(has_word(argv + 7, "pictures"));
	drive_hasty = has_word(argv + 7, "hasty");
	watch_tables_start();
	watch_pages_start();
	watch_buffers_start();
	mishap_watch();
	check_at("the driver is loaded");
	problem = module_load(argv[1]) ?: adapters_lack();
	if (problem)
		return say(problem);
	check_at("module_init()");
	ret = module_init_call();
	if (!ret)
		drive_platform_devices();
	if (!drive_failed(NULL, "the driver", "module_init", ret) && !drive_all())
		return say_idle();
	if (!ret) {
		check_at("module_exit()");
		gone = module_exit_call();
	}
	drive_platform_devices_end();
	check_at("what is left");
	flush_delayed_fput();
	rcu_barrier();
	watch_left();
	watch_files_left();
	if (!check_any_found() && bench_buffers())
		check_found(CHECK_BAL_11, NULL, NULL,
			    "%u buffers that the driver imported are not released",
			    bench_buffers());
	if (!check_any_found())
		watch_buffers_left(gone);
	if (gone && !drive_gone()) {
		tell("done", json_object_new_boolean(true));
		_exit(0); /* before the ground goes under its threads */
	}
	bench_destroy();
	mishap_leaks();
	tell("done", json_object_new_boolean(true));
	return 0;
}

int main(int argc, char **argv)
{
	int ret = check(argc, argv);

	mishap_over();
	return ret;
}
