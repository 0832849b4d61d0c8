/* SPDX-License-Identifier: MIT */
/*
 * test-coherence.h - a directory with devices on modelled hardware (test-cache.h): for its tests
 *
 * Ownership: tear_down() ends what set_up() began; the devices leave.
 */
#ifndef CORE_TEST_COHERENCE_H
#define CORE_TEST_COHERENCE_H

#include <linux/string.h>

#include "core/test-cache.h"

#define READ_WRITE (COHERENCE_READ | COHERENCE_WRITE)
#define DEVICES 3
#define SZ_4K ((size_t)4 << 10)
#define SZ_64K ((size_t)64 << 10)
#define SZ_1M ((size_t)1 << 20)
#define C COHERENCE_SET_C
#define M COHERENCE_SET_M

/* One buffer with up to three devices; domains "C", "M", "B" or any mix of these. */
struct setup {
	struct test_hardware hw;
	struct coherence c;
	struct test_device dev[DEVICES];
	unsigned int devices;
};

static inline void set_up(struct setup *s, size_t size, const char *domains)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	test_hardware_init(&s->hw, size);
	coherence_init(&s->c, size);
	s->devices = strlen(domains);
	for (i = 0; i < s->devices; i++) {
		test_device_init(&s->dev[i], &s->hw, &s->c,
				 domains[i] == 'C'   ? COHERENCE_CACHES
				 : domains[i] == 'M' ? COHERENCE_MEMORY
						     : COHERENCE_BOUNCE,
				 &test_slot_ops);
		test_device_join(&s->dev[i], DMA_BIDIRECTIONAL);
	}
}

static inline void tear_down(struct setup *s)
{
	unsigned int i;

	for (i = 0; i < s->devices; i++) {
		test_device_leave(&s->dev[i]);
		test_device_fini(&s->dev[i]);
	}
	WARN(s->c.slots_of_memory || s->c.slots_of_others, "coherence: counts who has left\n");
	coherence_fini(&s->c);
	test_hardware_fini(&s->hw);
}

static inline void uses(struct setup *s, unsigned int i, unsigned int mode)
{
	test_device_begin(&s->dev[i], mode);
	test_device_end(&s->dev[i], mode);
}

static inline void cpu_uses(struct setup *s, size_t offset, size_t len, unsigned int mode)
{
	coherence_cpu_begin(&s->c, offset, len, mode);
	coherence_cpu_end(&s->c, offset, len, mode);
}

static inline coherence_set whole(struct setup *s, size_t offset)
{
	coherence_set set;

	coherence_lock(&s->c);
	set = coherence_whole_at(&s->c, offset);
	coherence_unlock(&s->c);
	return set;
}

static inline coherence_set open(struct setup *s, size_t offset, unsigned int modes)
{
	coherence_set set;

	coherence_lock(&s->c);
	set = coherence_open_at(&s->c, offset, modes);
	coherence_unlock(&s->c);
	return set;
}

static inline bool did(const struct setup *s, unsigned int i, char what, size_t offset, size_t len)
{
	const struct test_operation *o = &s->hw.operation[i];

	return i < s->hw.nr_operations && o->what == what && o->offset == offset && o->len == len;
}

#endif
