/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h */
#include <linux/dma-buf.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include <stdlib.h>

#include "bench/measure.h"
#include "bench/memory.h"
#include "host/slab.h"

/* --- counting --------------------------------------------------------------------------------- */

/* What came while it was counted and has not gone, by its address; more than half is never used. */
#define BLOCKS (1u << 16)

struct use {
	long bytes, blocks;
};

/* Under the lock. */
static DEFINE_SPINLOCK(lock);
static struct block {
	const void *address;
	size_t bytes; /* as asked for; 0: it has gone */
} * table;
static struct use use;

/* Where it is, or could be. */
static struct block *find(const void *address)
{
	size_t i = ((unsigned long)address >> 4) * 0x9e3779b97f4a7c15ul >> 48;

	while (table[i].address && table[i].address != address)
		i = (i + 1) % BLOCKS;
	return &table[i];
}

static size_t size_of(const void *address)
{
	unsigned long flags;
	size_t bytes;

	spin_lock_irqsave(&lock, flags);
	bytes = find(address)->bytes;
	spin_unlock_irqrestore(&lock, flags);
	return bytes;
}

static bool is_counted(const void *address)
{
	return size_of(address);
}

/* malloc()'s, so that what is left at the end can be freed like any other. */
static void *allocate(size_t bytes, size_t align)
{
	unsigned long flags;
	void *address;

	if (posix_memalign(&address, align, bytes))
		return NULL;
	spin_lock_irqsave(&lock, flags);
	BUG_ON(use.blocks >= BLOCKS / 2);
	*find(address) = (struct block){ address, bytes };
	use.bytes += bytes;
	use.blocks++;
	spin_unlock_irqrestore(&lock, flags);
	return address;
}

static void forget(void *address)
{
	struct block *block;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	block = find(address);
	use.bytes -= block->bytes;
	use.blocks--;
	block->bytes = 0;
	spin_unlock_irqrestore(&lock, flags);
	free(address);
}

static const struct host_heap counted_heap = {
	.alloc = allocate,
	.owns = is_counted,
	.size = size_of,
	.free = forget,
};

static void count_start(void)
{
	rcu_barrier();
	table = bench_zeroed(BLOCKS * sizeof(*table));
	use = (struct use){};
	host_heap = &counted_heap;
}

static void count_end(void)
{
	rcu_barrier();
	host_heap = NULL;
	free(table);
}

static struct use now(void)
{
	rcu_barrier();
	return use;
}

/* --- the life of buffers ---------------------------------------------------------------------- */

struct held {
	struct dma_buf *dmabuf[MEMORY_N];
	struct dma_buf_attachment *attach[MEMORY_N];
	struct sg_table *sgt[MEMORY_N];
};

static void fill(struct memory_row *row, const char *name, const char *machine, size_t bytes,
		 struct use since)
{
	struct use is = now();

	*row = (struct memory_row){
		.name = name,
		.machine = machine,
		.bytes = bytes,
		.held = (double)(is.bytes - since.bytes) / MEMORY_N,
		.blocks = (double)(is.blocks - since.blocks) / MEMORY_N,
	};
}

static struct memory_row *lives(struct memory_row *row, const char *machine, size_t bytes)
{
	struct subject *subject = subject_create(SUBJECT_OWN, machine, 1, bytes);
	struct use nothing, buffers, attachments;
	struct held *held = bench_zeroed(sizeof(*held));

	count_start();
	nothing = now();
	for (unsigned int i = 0; i < MEMORY_N; i++)
		held->dmabuf[i] = subject_buffer(subject);
	fill(row++, "memory_buffer", machine, bytes, nothing);

	buffers = now();
	for (unsigned int i = 0; i < MEMORY_N; i++)
		held->attach[i] = bench_checked(dma_buf_attach(held->dmabuf[i], subject->dev),
						"an attachment");
	fill(row++, "memory_attachment", machine, bytes, buffers);

	attachments = now();
	for (unsigned int i = 0; i < MEMORY_N; i++)
		held->sgt[i] = bench_checked(
			dma_buf_map_attachment_unlocked(held->attach[i], DMA_BIDIRECTIONAL),
			"a mapping");
	fill(row++, "memory_mapped", machine, bytes, attachments);
	for (unsigned int i = 0; i < MEMORY_N; i++)
		dma_buf_unmap_attachment_unlocked(held->attach[i], held->sgt[i], DMA_BIDIRECTIONAL);
	fill(row++, "memory_unmapped", machine, bytes, attachments);
	for (unsigned int i = 0; i < MEMORY_N; i++)
		dma_buf_detach(held->dmabuf[i], held->attach[i]);
	fill(row++, "memory_detached", machine, bytes, buffers);

	for (unsigned int i = 0; i < MEMORY_N; i++)
		dma_buf_put(held->dmabuf[i]);
	count_end();
	free(held);
	subject_destroy(subject);
	return row;
}

void bench_memory(struct memory_row rows[MEMORY_ROWS])
{
	struct memory_row *row = rows;

	row = lives(row, "arm", 4 * KIB);
	row = lives(row, "arm", MIB);
	BUG_ON(row != rows + MEMORY_ROWS);
}
