/* SPDX-License-Identifier: MIT */
/*
 * bounce.c - see bounce.h
 *
 * Next fit: the entries of one table usually get neighbouring runs, so that dma_table_bounce() can
 * answer for many entries at once.
 */
#include <sys/mman.h>
#include <linux/bug.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dma/bounce.h"
#include "dma/view.h"
#include "host/memory.h"
#include "host/port.h"

int bounce_init(struct bounce_pool *pool, size_t bytes)
{
	if (bytes > BOUNCE_MAX_BYTES)
		return -EINVAL;
	spin_lock_init(&pool->lock);
	pool->next = 0;
	pool->slots = PAGE_ALIGN(bytes) >> PAGE_SHIFT;
	pool->slot = kvcalloc(pool->slots, sizeof(*pool->slot), GFP_KERNEL);
	if (!pool->slot)
		return -ENOMEM;
	pool->memory = port_mmap(NULL, pool->slots << PAGE_SHIFT, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->memory == MAP_FAILED)
		goto err_slot;
	return 0;

err_slot:
	kvfree(pool->slot);
	return -ENOMEM;
}

void bounce_fini(struct bounce_pool *pool)
{
	munmap(pool->memory, pool->slots << PAGE_SHIFT);
	kvfree(pool->slot);
}

/* Where a run of @need slots may start, not before @at: it crosses no multiple of @boundary + 1. */
static size_t bounce_place(size_t at, size_t need, u64 boundary)
{
	u64 addr = BOUNCE_BASE + ((u64)at << PAGE_SHIFT), last = ((u64)need << PAGE_SHIFT) - 1;

	if (last > boundary || (addr & boundary) + last <= boundary)
		return at;
	return (((addr | boundary) + 1) - BOUNCE_BASE) >> PAGE_SHIFT;
}

/* The first free run of @need slots in [@from, @to), or @to. */
static size_t bounce_find(const struct bounce_pool *pool, size_t from, size_t to, size_t need,
			  u64 boundary)
{
	size_t start = from, at = from;

	while (at < to && at - start < need) {
		if (at == start)
			at = start = bounce_place(at, need, boundary);
		if (at >= to)
			break;
		if (pool->slot[at].owner) {
			at += pool->slot[at].run;
			start = at;
		} else {
			at++;
		}
	}
	return at - start >= need ? start : to;
}

dma_addr_t bounce_get(struct bounce_pool *pool, struct dma_view *view, phys_addr_t phys, size_t len)
{
	size_t need = PAGE_ALIGN(offset_in_page(phys) + len) >> PAGE_SHIFT, at, i;
	u64 boundary = dma_get_seg_boundary(view->dev);

	spin_lock(&pool->lock);
	at = bounce_find(pool, pool->next, pool->slots, need, boundary);
	if (at == pool->slots) {
		at = bounce_find(pool, 0, pool->slots, need, boundary);
		if (at == pool->slots) {
			spin_unlock(&pool->lock);
			return DMA_MAPPING_ERROR;
		}
	}
	for (i = 0; i < need; i++) {
		pool->slot[at + i].owner = view;
		pool->slot[at + i].memory = (phys & PAGE_MASK) + (i << PAGE_SHIFT);
		pool->slot[at + i].from = 0;
		pool->slot[at + i].to = PAGE_SIZE;
		pool->slot[at + i].run = 0;
	}
	pool->slot[at].from = offset_in_page(phys);
	pool->slot[at + need - 1].to = offset_in_page(phys + len - 1) + 1;
	pool->slot[at].run = need;
	pool->next = at + need;
	spin_unlock(&pool->lock);
	memset(pool->memory + (at << PAGE_SHIFT), 0, need << PAGE_SHIFT); /* BO1 */
	return BOUNCE_BASE + ((dma_addr_t)at << PAGE_SHIFT) + offset_in_page(phys);
}

/* Lock held. Where the search stands must stay the start of a run or of free slots: it does. */
static void bounce_release(struct bounce_pool *pool, size_t at)
{
	size_t i, run = pool->slot[at].run;

	for (i = 0; i < run; i++)
		pool->slot[at + i].owner = NULL;
}

static size_t bounce_index(dma_addr_t addr)
{
	return (addr - BOUNCE_BASE) >> PAGE_SHIFT;
}

void bounce_put(struct bounce_pool *pool, dma_addr_t addr)
{
	if (WARN_ON(!bounce_has(pool, addr)))
		return;
	spin_lock(&pool->lock);
	bounce_release(pool, bounce_index(addr));
	spin_unlock(&pool->lock);
}

size_t bounce_put_all(struct bounce_pool *pool, const struct dma_view *view)
{
	size_t at, runs = 0;

	spin_lock(&pool->lock);
	for (at = 0; at < pool->slots; at++) {
		if (pool->slot[at].owner != view)
			continue;
		bounce_release(pool, at);
		runs++;
	}
	spin_unlock(&pool->lock);
	return runs;
}

bool bounce_has(const struct bounce_pool *pool, dma_addr_t addr)
{
	return addr >= BOUNCE_BASE && addr - BOUNCE_BASE < pool->slots << PAGE_SHIFT;
}

void *bounce_virt(const struct bounce_pool *pool, dma_addr_t addr)
{
	return pool->memory + (addr - BOUNCE_BASE);
}

phys_addr_t bounce_phys(const struct bounce_pool *pool, dma_addr_t addr)
{
	return pool->slot[bounce_index(addr)].memory + offset_in_page(addr);
}

/* BO3.  Within a run all bytes between its first and its last are mapped. */
static bool bounce_covers(const struct bounce_pool *pool, dma_addr_t addr, size_t len)
{
	const struct bounce_slot *slot, *last;

	if (!bounce_has(pool, addr) || !bounce_has(pool, addr + len - 1))
		return false;
	slot = &pool->slot[bounce_index(addr)];
	last = &pool->slot[bounce_index(addr + len - 1)];
	if (!slot->owner || offset_in_page(addr) < slot->from)
		return false;
	for (; slot < last; slot++)
		if (slot[1].run || slot[1].owner != slot->owner)
			return false;
	return offset_in_page(addr + len - 1) < last->to;
}

void bounce_copy(const struct bounce_pool *pool, dma_addr_t addr, size_t len, bool to_slot)
{
	void *slot, *memory;

	if (WARN(!bounce_covers(pool, addr, len),
		 "DMA-API: %zu bytes at 0x%llx are not all of the mapping", len,
		 (unsigned long long)addr))
		return;
	slot = bounce_virt(pool, addr);
	memory = host_phys_to_virt(bounce_phys(pool, addr));
	if (WARN_ON(!memory))
		return;
	if (to_slot)
		memcpy(slot, memory, len);
	else
		memcpy(memory, slot, len);
	dma_cost_add(DMA_COST_BYTES_BOUNCED, len);
}
