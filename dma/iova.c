/* SPDX-License-Identifier: MIT */
/*
 * iova.c - see iova.h
 *
 * The space starts as one free block [2^k, 2^(k+1)) for every k from 20 to 47.  The buddy of such a
 * block would start at 0, which is never free, so they never join.
 */
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "dma/iova.h"

#define IOVA_FIRST_BIT 20

static u64 iova_bytes(unsigned int order)
{
	return (u64)PAGE_SIZE << order;
}

static void iova_insert(struct iova_space *space, struct iova_block *block)
{
	keyed_add(&space->free_by_start, &block->by_start, block->start);
	list_add(&block->of_order, &space->free[block->order]);
}

static void iova_remove(struct iova_space *space, struct iova_block *block)
{
	keyed_del(&space->free_by_start, &block->by_start);
	list_del(&block->of_order);
}

int iova_init(struct iova_space *space)
{
	struct iova_block *block;
	unsigned int i;
	int err;

	for (i = 0; i < IOVA_ORDERS; i++)
		INIT_LIST_HEAD(&space->free[i]);
	err = keyed_init(&space->free_by_start);
	if (err)
		return err;
	for (i = IOVA_FIRST_BIT; i < IOVA_BITS; i++) {
		block = kzalloc(sizeof(*block), GFP_KERNEL);
		if (!block)
			goto err_fini;
		block->start = 1ULL << i;
		block->order = i - PAGE_SHIFT;
		iova_insert(space, block);
	}
	return 0;

err_fini:
	iova_fini(space);
	return -ENOMEM;
}

void iova_fini(struct iova_space *space)
{
	struct keyed_node *node;

	while ((node = keyed_pop(&space->free_by_start)))
		kfree(container_of(node, struct iova_block, by_start));
	keyed_fini(&space->free_by_start);
}

struct iova_block *iova_alloc(struct iova_space *space, u64 bytes, u64 limit)
{
	unsigned int want = get_order(bytes), order;
	struct iova_block *block, *upper;

	for (order = want; order < IOVA_ORDERS; order++)
		list_for_each_entry(block, &space->free[order], of_order)
			if (block->start + iova_bytes(want) - 1 <= limit)
				goto found;
	return NULL;

found:
	iova_remove(space, block);
	while (block->order > want) {
		upper = kzalloc(sizeof(*upper), GFP_ATOMIC);
		if (!upper) {
			iova_free(space, block);
			return NULL;
		}
		block->order--;
		upper->start = block->start + iova_bytes(block->order);
		upper->order = block->order;
		iova_insert(space, upper);
	}
	return block;
}

void iova_free(struct iova_space *space, struct iova_block *block)
{
	struct iova_block *buddy;
	struct keyed_node *node;

	for (;;) {
		node = keyed_first(&space->free_by_start, block->start ^ iova_bytes(block->order));
		buddy = node ? container_of(node, struct iova_block, by_start) : NULL;
		if (!buddy || buddy->order != block->order)
			break;
		iova_remove(space, buddy);
		if (buddy->start < block->start)
			block->start = buddy->start;
		block->order++;
		kfree(buddy);
	}
	iova_insert(space, block);
}
