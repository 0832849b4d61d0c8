/* SPDX-License-Identifier: MIT */
/*
 * reports.c - cases of a kernel that is built to look for mistakes: it reports each kind, and has
 * looked until the end of all other cases
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define SIZE (64 * 1024)

/* --- each kind of mistake --------------------------------------------------------------------- */

static void planted(enum planted_mistake mistake, const char *report)
{
	struct importer_call call = { .op = IMPORT_PLANT,
				      .device = mistake,
				      .fd = own_buffer(SIZE, EXPORT_DYNAMIC) };

	kernel_says("");
	/* Some reports turn the console on. */
	write_file("/proc/sys/kernel/printk", "1");
	check_equal(importer(&call), 0);
	check(kernel_says(report), "the kernel does not say: %s", report);
}

static void unmap_of_nothing(void)
{
	planted(PLANTED_UNMAP_OF_NOTHING, "tries to free DMA memory it has not allocated");
}

static void unmap_otherwise(void)
{
	planted(PLANTED_UNMAP_OTHERWISE, "frees DMA memory with different direction");
}

static void without_lock(void)
{
	planted(PLANTED_WITHOUT_LOCK, "WARNING:");
}

static void sleeps(void)
{
	planted(PLANTED_SLEEP, "BUG: sleeping function called from invalid context");
}

static void list(void)
{
	planted(PLANTED_LIST, "list_del corruption");
}

static void use_after_free(void)
{
	planted(PLANTED_USE_AFTER_FREE, "BUG: KASAN: slab-use-after-free in ");
}

static void out_of_bounds(void)
{
	planted(PLANTED_OUT_OF_BOUNDS, "BUG: KASAN: slab-out-of-bounds in ");
}

static void lock_order(void)
{
	planted(PLANTED_LOCK_ORDER, "possible circular locking dependency detected");
}

static long long reports(void)
{
	return dma_debug("error_count");
}

/* One that is not counted is one too many for any case. */
static void overlap(void)
{
	struct importer_call counted = { .op = IMPORT_OVERLAPS };
	long long before = reports();

	planted(PLANTED_OVERLAP, "cacheline tracking EEXIST");
	check_equal(importer(&counted), 0);
	check_equal(counted.size, 0);
	check_equal(reports() - before, 1);
}

/* --- and the count of what is none ------------------------------------------------------------- */

/*
 * Entries are of one page.  Three directions of one device: the second that may write overlaps; then
 * both of another device; and a dynamic importer's own mapping.
 */
static void overlaps(void)
{
	const unsigned int dirs[] = { TO_DEVICE, FROM_DEVICE, BOTH }, pages = SIZE / 4096;
	const unsigned int after[] = { 0, 0, pages, pages, 2 * pages, 3 * pages };
	int fd = wrapped(own_buffer(SIZE, 0), 0), handles[2];
	long long before = reports();

	for (unsigned int i = 0; i < 2; i++)
		handles[i] = attach(fd, i ? DEVICE_SECOND : DEVICE_PLAIN, 0);
	for (unsigned int i = 0; i < 6; i++) {
		check_equal(map(handles[i / 3], dirs[i % 3]), 0);
		check_equal(unmap(handles[i / 3], dirs[i % 3]), 0);
		check_equal(reports() - before, after[i]);
	}
	/* Hits map nothing. */
	for (unsigned int i = 0; i < 6; i++) {
		check_equal(map(handles[i / 3], dirs[i % 3]), 0);
		check_equal(unmap(handles[i / 3], dirs[i % 3]), 0);
	}
	check_equal(reports() - before, 3 * pages);
	detach(handles[0]);
	detach(handles[1]);
}

/* --- until the end ---------------------------------------------------------------------------- */

static void still_watched(void)
{
	static char text[65536];
	const char *at;

	read_file("/proc/lockdep_stats", text, sizeof(text));
	at = strstr(text, "debug_locks:");
	check(at && atoi(at + strlen("debug_locks:")) == 1, "locks are no longer watched");
	read_file("/sys/kernel/debug/dma-api/disabled", text, sizeof(text));
	check(text[0] == 'N', "mappings are no longer watched");
}

const struct guest_case planted_cases[] = {
	{ "an_unmap_of_nothing_is_reported", unmap_of_nothing, NULL },
	{ "an_unmap_in_another_direction_is_reported", unmap_otherwise, NULL },
	{ "an_overlap_is_reported", overlap, NULL },
	{ "a_map_without_the_reservation_is_reported", without_lock, NULL },
	{ "a_sleep_under_a_spinlock_is_reported", sleeps, NULL },
	{ "a_list_that_is_broken_is_reported", list, NULL },
	/* The next two end the watch of locks, as does this one. */
	{ "locks_in_two_orders_are_reported", lock_order, NULL },
	{ "a_use_after_free_is_reported", use_after_free, NULL },
	{ "a_read_past_the_end_is_reported", out_of_bounds, NULL },
	{ NULL, NULL, NULL },
};

const struct guest_case watch_cases[] = {
	{ "overlapping_mappings_are_reported_one_by_one", overlaps, "uml" },
	{ "the_kernel_has_watched_until_the_end", still_watched, "uml" },
	{ NULL, NULL, NULL },
};
