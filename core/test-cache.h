/* SPDX-License-Identifier: MIT */
/*
 * test-cache.h - hardware for the directory's tests: caches, memory behind them, bounce slots
 *
 * A line is absent, clean or dirty; a dirty one is written back whole, over whatever memory holds.
 * That is all there is to coherence, and enough for every mistake to give wrong bytes.  dma/cache.h
 * is the honest machine; this one has states that a test can set, compare and count, and breaks on
 * purpose when asked.
 */
#ifndef CORE_TEST_CACHE_H
#define CORE_TEST_CACHE_H

#include <linux/spinlock.h>

#include "core/coherence.h"
#include "core/mapping-slot.h"

#define TEST_LINE 64
#define TEST_LOG 64

enum test_defect {
	TEST_SOUND,
	TEST_NEVER_CLEANS,
	TEST_NEVER_INVALIDATES,
	TEST_DROPS_DIRTY_LINES, /* clean+invalidate does not clean */
	TEST_INVALIDATES_BEFORE_CLEAN,
	TEST_WRONG_SLOT_BYTE,
	TEST_DEFECTS
};

/* 'c' clean, 'i' invalidate, 'x' both */
struct test_operation {
	char what;
	size_t offset, len;
	enum dma_data_direction dir;
};

struct test_hardware {
	/* immutable */
	size_t size;
	enum test_defect defect;
	void (*meanwhile)(struct test_hardware *hw); /* called in each operation, before it */

	/* under lock: what the machine holds.  line[]: '-' absent, 'c' clean, 'd' dirty */
	spinlock_t lock;
	u8 *memory, *cached;
	char *line;
	size_t lent;          /* the line whose address memory() gave out, or SIZE_MAX */
	u8 before[TEST_LINE]; /* what it held then */

	/* under lock: what it was told to do */
	u64 cleaned, invalidated; /* bytes; clean+invalidate counts as invalidated, once */
	unsigned int nr_operations;
	struct test_operation operation[TEST_LOG];
};

/* A device and its slot. */
struct test_device {
	struct mapping_slot slot;
	struct test_hardware *hw;
	u8 *bounced; /* COHERENCE_BOUNCE: the slot's bytes */
};

/* With clean+invalidate in one, and as Linux has it. */
extern const struct mapping_slot_ops test_slot_ops, test_slot_ops_linux;

void test_hardware_init(struct test_hardware *hw, size_t size);
void test_hardware_fini(struct test_hardware *hw);

/** test_hardware_forget - count from zero again */
void test_hardware_forget(struct test_hardware *hw);

/** test_device_init - not joined yet; a bounced one's slot is filled with rubbish */
void test_device_init(struct test_device *dev, struct test_hardware *hw, struct coherence *c,
		      enum coherence_domain domain, const struct mapping_slot_ops *ops);
void test_device_fini(struct test_device *dev);

/**
 * test_device_join, test_device_leave - with a table that allows @dir; returns coherence_join()'s
 * result
 */
int test_device_join(struct test_device *dev, enum dma_data_direction dir);
void test_device_leave(struct test_device *dev);

/**
 * test_device_begin, test_device_end - map and unmap; the lock-free look is taken where there is
 * one
 */
void test_device_begin(struct test_device *dev, unsigned int mode);
void test_device_end(struct test_device *dev, unsigned int mode);

/** test_load, test_store - one byte, as @dev reaches it; NULL: the CPU */
u8 test_load(struct test_hardware *hw, struct test_device *dev, size_t offset);
void test_store(struct test_hardware *hw, struct test_device *dev, size_t offset, u8 value);

/** test_adversary - what a cache may do to a line any moment, chosen by @choice */
void test_adversary(struct test_hardware *hw, size_t line, unsigned int choice);

#endif
