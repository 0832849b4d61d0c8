/* SPDX-License-Identifier: MIT */
/*
 * coherence-word-test.c - what the directory tells: its word to hits, its events to listeners; and
 * how it begins and ends
 */
#include <linux/slab.h>

#include "core/event.h"
#include "core/test-coherence.h"
#include "tests/ktap.h"

#define OPEN_BITS (COHERENCE_OTHER_READS | COHERENCE_OTHER_WRITES)
#define WHOLE_BITS (COHERENCE_M_WHOLE | COHERENCE_M_ALONE)

static unsigned int word(const struct setup *s)
{
	return atomic_read(&s->c.dir);
}

static unsigned int bits_of(unsigned int mode)
{
	return (mode & COHERENCE_READ ? COHERENCE_OTHER_READS : 0) |
	       (mode & COHERENCE_WRITE ? COHERENCE_OTHER_WRITES : 0);
}

/* --- the word --------------------------------------------------------------------------------- */

static void it_says_where_the_newest_bytes_are(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MC");
	KT_EQ(t, word(&s), 0);
	uses(&s, 0, COHERENCE_READ);
	KT_EQ(t, word(&s), COHERENCE_M_WHOLE);
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, word(&s), COHERENCE_M_WHOLE | COHERENCE_M_ALONE);
	cpu_uses(&s, 256, 64, COHERENCE_READ);
	KT_EQ(t, word(&s), COHERENCE_M_WHOLE);
	cpu_uses(&s, 256, 64, COHERENCE_WRITE);
	KT_EQ(t, word(&s), 0);
	uses(&s, 0, COHERENCE_READ);
	KT_EQ(t, word(&s), COHERENCE_M_WHOLE);
	tear_down(&s);
}

static void it_says_who_has_it_open(struct ktap *t)
{
	static const unsigned int modes[] = { COHERENCE_READ, COHERENCE_WRITE, READ_WRITE };
	struct setup s;

	set_up(&s, SZ_4K, "MCB");
	for (int i = 0; i < 3; i++) {
		uses(&s, 0, COHERENCE_WRITE);
		KT_EQ(t, word(&s) & OPEN_BITS, 0);
		coherence_cpu_begin(&s.c, 256, 64, modes[i]);
		KT_EQ(t, word(&s) & OPEN_BITS, bits_of(modes[i]));
		coherence_cpu_end(&s.c, 256, 64, modes[i]);
		KT_EQ(t, word(&s) & OPEN_BITS, 0);
	}
	/* A device's slot allows both, so one that writes counts as one that reads, too. */
	for (int i = 0; i < 3; i++) {
		bool writes = modes[i] & COHERENCE_WRITE;

		for (int d = 0; d < 3; d++) {
			test_device_begin(&s.dev[d], modes[i]);
			KT_EQ(t, word(&s) & OPEN_BITS,
			      !d       ? 0
			      : writes ? OPEN_BITS
				       : COHERENCE_OTHER_READS);
			test_device_end(&s.dev[d], modes[i]);
			KT_EQ(t, word(&s) & OPEN_BITS, 0);
		}
	}
	tear_down(&s);
}

static unsigned int word_meanwhile, looks, ends_meanwhile;

static void look_meanwhile(struct test_hardware *hw)
{
	struct setup *s = container_of(hw, struct setup, hw);
	const struct mapping_slot *slot = &s->dev[0].slot;

	word_meanwhile = word(s);
	ends_meanwhile += (slot_look(slot) & slot->end_mask[1]) == slot->end_want[1];
	looks++;
}

static void a_begin_announces_what_it_will_do(struct ktap *t)
{
	static const unsigned int modes[] = { COHERENCE_READ, COHERENCE_WRITE, READ_WRITE };
	struct setup s;

	set_up(&s, SZ_4K, "MC");
	s.hw.meanwhile = look_meanwhile;
	looks = ends_meanwhile = 0;
	for (int i = 0; i < 3; i++) {
		uses(&s, 0, COHERENCE_WRITE);
		coherence_cpu_begin(&s.c, 0, SZ_4K, modes[i]);
		KT_EQ(t, word_meanwhile & OPEN_BITS, bits_of(modes[i]));
		coherence_cpu_end(&s.c, 0, SZ_4K, modes[i]);

		uses(&s, 0, COHERENCE_WRITE);
		coherence_lock(&s.c);
		coherence_begin(&s.c, &s.dev[1].slot, modes[i]);
		KT_EQ(t, word_meanwhile & OPEN_BITS, bits_of(modes[i]));
		coherence_unlock(&s.c);
	}
	KT_CHECK(t, looks >= 6);
	/* A writer of M whose bytes are being gathered does not end past it, though M is alone. */
	KT_EQ(t, ends_meanwhile, 0);
	tear_down(&s);
}

static struct test_device *mapper;
static bool mapper_began;

static void begin_if_nothing_is_in_the_way(const struct event *event)
{
	const struct mapping_slot *slot = &mapper->slot;

	if (event->kind != EVENT_BOUNCED || mapper_began ||
	    (slot_look(slot) & slot->begin_mask) != slot->begin_want)
		return;
	test_device_begin(mapper, COHERENCE_WRITE);
	mapper_began = true;
}

/*
 * What no bracket covers is the end of a write, whatever it says: a mapper of M that begins beside
 * it would have begun where M is no longer whole (CO3).
 */
static void an_end_of_what_was_not_begun_announces_a_write(struct ktap *t)
{
	static const unsigned int modes[] = { COHERENCE_READ, COHERENCE_WRITE, READ_WRITE };
	struct setup s;

	for (int i = 0; i < 3; i++) {
		set_up(&s, SZ_4K, "MB");
		uses(&s, 0, COHERENCE_READ);
		test_device_begin(&s.dev[1], COHERENCE_READ);
		test_store(&s.hw, NULL, 0, 5);
		mapper = &s.dev[0];
		mapper_began = false;
		event_listener = begin_if_nothing_is_in_the_way;
		KT_CHECK(t, !coherence_cpu_end(&s.c, 0, 64, modes[i]));
		event_listener = NULL;
		KT_CHECK(t, !mapper_began);
		KT_EQ(t, test_load(&s.hw, &s.dev[1], 0), 5);
		if (mapper_began)
			test_device_end(mapper, COHERENCE_WRITE);
		test_device_end(&s.dev[1], COHERENCE_READ);
		tear_down(&s);
	}
}

/* --- events ----------------------------------------------------------------------------------- */

static struct event heard[16];
static unsigned int nr_heard;

static void listen(const struct event *event)
{
	if (event->kind >= EVENT_CLEAN && event->kind <= EVENT_BOUNCED && nr_heard < 16)
		heard[nr_heard++] = *event;
}

static bool hears(const struct setup *s, unsigned int device, enum event_kind kind, u64 a, u64 b)
{
	const struct event *event = &heard[0];
	bool good = nr_heard == 1 && event->kind == kind &&
		    event->subject == &s->dev[device].slot && event->a == a && event->b == b;

	nr_heard = 0;
	return good;
}

static void events_tell_each_transfer(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "MB");
	nr_heard = 0;
	event_listener = listen;
	uses(&s, 0, COHERENCE_READ);
	KT_CHECK(t, hears(&s, 0, EVENT_CLEAN, 0, SZ_4K));
	uses(&s, 0, COHERENCE_WRITE);
	KT_EQ(t, nr_heard, 0);
	coherence_cpu_begin(&s.c, 256, 64, COHERENCE_WRITE);
	KT_CHECK(t, hears(&s, 0, EVENT_INVALIDATE, 256, 64));
	test_store(&s.hw, NULL, 256, 1);
	coherence_cpu_end(&s.c, 256, 64, COHERENCE_WRITE);
	cpu_uses(&s, 0, SZ_4K, READ_WRITE);
	nr_heard = 0;

	/* To the slot the byte that the CPU wrote, back the two that the device did. */
	uses(&s, 1, COHERENCE_READ);
	coherence_cpu_begin(&s.c, 256, 64, READ_WRITE);
	test_store(&s.hw, NULL, 300, ~test_load(&s.hw, NULL, 300));
	coherence_cpu_end(&s.c, 256, 64, READ_WRITE);
	nr_heard = 0;
	test_device_begin(&s.dev[1], READ_WRITE);
	KT_CHECK(t, hears(&s, 1, EVENT_BOUNCED, 64, 1));
	test_store(&s.hw, &s.dev[1], 0, ~test_load(&s.hw, &s.dev[1], 0));
	test_store(&s.hw, &s.dev[1], 64, ~test_load(&s.hw, &s.dev[1], 64));
	test_device_end(&s.dev[1], READ_WRITE);
	KT_EQ(t, nr_heard, 0);
	cpu_uses(&s, 0, SZ_4K, COHERENCE_READ);
	KT_CHECK(t, hears(&s, 1, EVENT_BOUNCED, SZ_4K, 2));
	event_listener = NULL;
	tear_down(&s);
}

static struct event changes[8];
static unsigned int nr_changes;

static void note_changes(const struct event *event)
{
	if (event->kind == EVENT_WHOLE && nr_changes < 8)
		changes[nr_changes++] = *event;
}

/* Only where it has changed. */
static void events_tell_what_is_whole(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	nr_changes = 0;
	event_listener = note_changes;
	uses(&s, 0, COHERENCE_WRITE);
	cpu_uses(&s, 256, 64, COHERENCE_WRITE);
	uses(&s, 0, COHERENCE_READ);
	uses(&s, 0, COHERENCE_READ);
	event_listener = NULL;
	KT_EQ(t, nr_changes, 5);
	for (int i = 0; i < 5; i++) {
		static const coherence_set then[] = { C | M, M, C | M, C, C | M };

		KT_CHECK(t, changes[i].subject == &s.c);
		KT_EQ(t, changes[i].a, i < 2 ? 0 : 256);
		KT_EQ(t, changes[i].b, i < 2 ? SZ_4K : 64);
		KT_EQ(t, changes[i].c, then[i]);
	}
	tear_down(&s);
}

/* --- ranges ----------------------------------------------------------------------------------- */

static void a_piece_cut_off_has_no_pins_of_the_rest(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "M");
	coherence_cpu_begin(&s.c, 0, SZ_4K, COHERENCE_READ);
	coherence_cpu_begin(&s.c, 512, 512, COHERENCE_READ);
	coherence_cpu_begin(&s.c, 640, 64, COHERENCE_READ);
	KT_EQ(t, s.c.nr_ranges, 5);
	coherence_cpu_end(&s.c, 640, 64, COHERENCE_READ);
	KT_EQ(t, s.c.nr_ranges, 3);
	coherence_cpu_end(&s.c, 512, 512, COHERENCE_READ);
	KT_EQ(t, s.c.nr_ranges, 1);
	coherence_cpu_end(&s.c, 0, SZ_4K, COHERENCE_READ);
	KT_EQ(t, s.c.ranges[0].pins, 0);
	tear_down(&s);
}

/* --- begin and end of a directory ------------------------------------------------------------- */

static void without_the_lock_it_is_told(struct ktap *t)
{
	struct setup s;

	set_up(&s, SZ_4K, "C");
	for (int i = 0; i < 4; i++)
		ktap_expect_warn(t, "lockdep_assert_held(&c->lock)");
	coherence_begin(&s.c, &s.dev[0].slot, COHERENCE_READ);
	coherence_end(&s.c, &s.dev[0].slot, COHERENCE_READ);
	KT_EQ(t, coherence_whole_at(&s.c, 0), C);
	KT_EQ(t, coherence_open_at(&s.c, 0, READ_WRITE), 0);
	tear_down(&s);
}

static void a_directory_needs_no_zeroed_memory(struct ktap *t)
{
	struct coherence *c = kmalloc(sizeof(*c), GFP_KERNEL);

	KT_ASSERT(t, c);
	for (int uncached = 0; uncached < 2; uncached++) {
		unsigned int mode = COHERENCE_READ | (uncached ? COHERENCE_UNCACHED : 0);

		memset(c, 0xa5, sizeof(*c));
		if (uncached)
			coherence_init_uncached(c, SZ_4K);
		else
			coherence_init(c, SZ_4K);
		KT_EQ(t, atomic_read(&c->dir),
		      uncached ? COHERENCE_M_WHOLE | COHERENCE_M_ALONE : 0);
		KT_EQ(t, c->shared, uncached);
		KT_EQ(t, c->uncached, uncached);
		KT_EQ(t, c->bounced, 0);
		KT_EQ(t, c->slots_of_memory, 0);
		KT_EQ(t, c->slots_of_others, 0);
		KT_EQ(t, coherence_cpu_begin(c, 0, 64, mode), 0);
		KT_EQ(t, c->nr_ranges, 2);
		KT_CHECK(t, coherence_cpu_end(c, 0, 64, mode));
		coherence_fini(c);
	}
	kfree(c);
}

/* The CPU looks past C: what a device wrote there is cleaned as the device's slot goes. */
static void leave_beside_an_uncached_cpu(struct ktap *t)
{
	struct mapping_slot_ops ops = test_slot_ops;
	struct test_device dev;
	struct test_hardware hw;
	struct coherence c;

	ops.syncs_any = true;
	for (int writes = 0; writes < 2; writes++) {
		unsigned int mode = writes ? COHERENCE_WRITE : COHERENCE_READ;

		test_hardware_init(&hw, SZ_4K);
		coherence_init_uncached(&c, SZ_4K);
		test_device_init(&dev, &hw, &c, COHERENCE_CACHES, &ops);
		test_device_join(&dev, DMA_BIDIRECTIONAL);
		test_device_begin(&dev, mode);
		if (writes)
			test_store(&hw, NULL, 5, 55); /* it snoops: as the CPU's caches */
		test_device_end(&dev, mode);
		test_hardware_forget(&hw);
		test_device_leave(&dev);
		KT_EQ(t, hw.cleaned, writes ? SZ_4K : 0);
		KT_EQ(t, hw.invalidated, 0);
		coherence_lock(&c);
		KT_EQ(t, coherence_whole_at(&c, 0), C | M);
		coherence_unlock(&c);
		KT_EQ(t, hw.memory[5] == 55, writes);
		test_device_fini(&dev);
		coherence_fini(&c);
		test_hardware_fini(&hw);
	}
}

KTAP_MAIN(KTAP_CASE(it_says_where_the_newest_bytes_are), KTAP_CASE(it_says_who_has_it_open),
	  KTAP_CASE(a_begin_announces_what_it_will_do),
	  KTAP_CASE(an_end_of_what_was_not_begun_announces_a_write),
	  KTAP_CASE(events_tell_each_transfer), KTAP_CASE(events_tell_what_is_whole),
	  KTAP_CASE(a_piece_cut_off_has_no_pins_of_the_rest),
	  KTAP_CASE(without_the_lock_it_is_told), KTAP_CASE(a_directory_needs_no_zeroed_memory),
	  KTAP_CASE(leave_beside_an_uncached_cpu))
