/* SPDX-License-Identifier: MIT */
/* watch-tables.c - see watch-tables.h */
#include <pthread.h>
#include <stdlib.h>

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>

#include "checker/check/finding.h"
#include "checker/check/watch-tables.h"
#include "checker/check/watch.h"
#include "core/event.h"

/* A table that is mapped, as it was first. */
struct seal {
	struct seal *next;
	const struct sg_table *sgt;
	const struct dma_buf *dmabuf;
	u64 sum;
	unsigned int maps;
	struct check_stack stack; /* who mapped it first */
};

struct range {
	unsigned long pfn, end;
};

/* What a live buffer consists of. */
struct memory {
	struct memory *next;
	const struct dma_buf *dmabuf;
	unsigned int nr;
	struct range *ranges;
	struct check_stack stack; /* who mapped it last */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct seal *seals;      /* under lock */
static struct memory *memories; /* under lock */

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* --- addresses -------------------------------------------------------------------------------- */

static u64 add(u64 sum, u64 value)
{
	return (sum ^ value) * 0x100000001b3ull;
}

static u64 sum_of(const struct sg_table *sgt)
{
	u64 sum = add(0xcbf29ce484222325ull, sgt->nents);
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		sum = add(add(sum, sg_dma_address(sg)), sg_dma_len(sg));
	return sum;
}

/* Where the pointer to it is, or to the end.  Under lock. */
static struct seal **seal_at(const struct sg_table *sgt)
{
	struct seal **at = &seals;

	while (*at && (*at)->sgt != sgt)
		at = &(*at)->next;
	return at;
}

static void tell_edited(const struct dma_buf *dmabuf, const struct check_stack *stack)
{
	struct check_state state = { .what = "the table was mapped by", .stack = *stack };

	check_found(CHECK_EXP_03, dmabuf, &state,
		    "a table has other addresses or lengths than when it was mapped");
}

static void seal(const struct dma_buf *dmabuf, const struct sg_table *sgt)
{
	struct check_stack stack;
	struct seal *known;
	u64 sum = sum_of(sgt);
	bool edited;

	pthread_mutex_lock(&lock);
	known = *seal_at(sgt);
	if (!known) {
		known = need(calloc(1, sizeof(*known)));
		known->sgt = sgt;
		known->dmabuf = dmabuf;
		known->sum = sum;
		check_stack_take(&known->stack);
		known->next = seals;
		seals = known;
	}
	known->maps++;
	edited = known->sum != sum;
	stack = known->stack;
	pthread_mutex_unlock(&lock);
	if (edited)
		tell_edited(dmabuf, &stack);
}

void watch_table_unmaps(const struct dma_buf *dmabuf, const struct sg_table *sgt)
{
	u64 sum = sum_of(sgt);
	struct check_stack stack;
	struct seal **at, *known;
	bool edited = false;

	pthread_mutex_lock(&lock);
	at = seal_at(sgt);
	known = *at;
	if (known) {
		edited = known->sum != sum;
		stack = known->stack;
	}
	if (known && !--known->maps) {
		*at = known->next;
		free(known);
	}
	pthread_mutex_unlock(&lock);
	if (edited)
		tell_edited(dmabuf, &stack);
}

/* The first table of a buffer with this reservation that is not as it was.  Under lock. */
static struct seal *edited_of(const struct ww_mutex *mutex)
{
	struct watched mapped;

	for (struct seal *s = seals; s; s = s->next)
		if (watch_find(WATCHED_MAP, s->sgt, NULL, &mapped) && !mapped.late.nr &&
		    &s->dmabuf->resv->lock == mutex && s->sum != sum_of(s->sgt))
			return s;
	return NULL;
}

void watch_tables_unlocked(const struct ww_mutex *mutex)
{
	const struct dma_buf *dmabuf = NULL;
	struct check_stack stack;
	struct seal *edited;

	pthread_mutex_lock(&lock);
	edited = edited_of(mutex);
	if (edited) {
		dmabuf = edited->dmabuf;
		stack = edited->stack;
	}
	pthread_mutex_unlock(&lock);
	if (edited)
		tell_edited(dmabuf, &stack);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* Under lock. */
static struct memory **memory_at(const struct dma_buf *dmabuf)
{
	struct memory **at = &memories;

	while (*at && (*at)->dmabuf != dmabuf)
		at = &(*at)->next;
	return at;
}

static void listen(const struct event *event)
{
	struct memory **at, *memory;

	if (event->kind != EVENT_RELEASE && event->kind != EVENT_MOVE)
		return;
	pthread_mutex_lock(&lock);
	at = memory_at(event->subject);
	memory = *at;
	if (memory) {
		*at = memory->next;
		free(memory->ranges);
		free(memory);
	}
	pthread_mutex_unlock(&lock);
}

void watch_tables_start(void)
{
	event_listen(listen);
}

static bool overlap(const struct memory *a, const struct memory *b)
{
	for (unsigned int i = 0; i < a->nr; i++)
		for (unsigned int j = 0; j < b->nr; j++)
			if (a->ranges[i].pfn < b->ranges[j].end &&
			    b->ranges[j].pfn < a->ranges[i].end)
				return true;
	return false;
}

/* Entries without pages, a device's memory, are left out. */
static void fill(struct memory *memory, const struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	free(memory->ranges);
	memory->nr = 0;
	memory->ranges = need(calloc(sgt->orig_nents ?: 1, sizeof(*memory->ranges)));
	for_each_sgtable_sg(sgt, sg, i) {
		if (!sg_page(sg) || !sg->length)
			continue;
		memory->ranges[memory->nr].pfn = page_to_pfn(sg_page(sg));
		memory->ranges[memory->nr].end =
			memory->ranges[memory->nr].pfn + PFN_UP(sg->offset + sg->length);
		memory->nr++;
	}
}

static void note_pages(const struct dma_buf *dmabuf, const struct sg_table *sgt)
{
	struct check_state state = { .what = "the other buffer was mapped by" };
	struct memory *mine, *other;
	bool both = false;

	pthread_mutex_lock(&lock);
	mine = *memory_at(dmabuf);
	if (!mine) {
		mine = need(calloc(1, sizeof(*mine)));
		mine->dmabuf = dmabuf;
		mine->next = memories;
		memories = mine;
	}
	check_stack_take(&mine->stack);
	fill(mine, sgt);
	for (other = memories; other && !both; other = other->next) {
		if (other == mine || !overlap(mine, other))
			continue;
		both = true;
		state.stack = other->stack;
	}
	pthread_mutex_unlock(&lock);
	if (both)
		check_found(CHECK_EXP_02, dmabuf, &state, "the buffer has pages of another one");
}

void watch_table_mapped(const struct dma_buf *dmabuf, const struct sg_table *sgt)
{
	seal(dmabuf, sgt);
	note_pages(dmabuf, sgt);
}
