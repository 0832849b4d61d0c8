/* SPDX-License-Identifier: MIT */
/*
 * arena.c - see arena.h
 *
 * A list of free objects for each size, last in, first out: programs that free what they allocated
 * find the same addresses again.  All that the arena knows lies in it.
 */
#include <stdint.h>
#include <string.h>
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include "checker/explore/arena.h"
#include "host/slab.h"

#define ARENA_BYTES (1UL << 20)
#define GRAIN 16UL
#define SIZES 128 /* up to so many grains; larger objects share the first list */
#define REGIONS 64
#define RUBBISH 0x6b

enum life { FREE = 0x4652, LIVE = 0x4c49 };

/* In front of every object, at a multiple of GRAIN. */
struct header {
	u32 bytes; /* of the object, whole grains */
	u16 life;
	u16 pad;
	u32 next; /* of the same list, offset in the arena; 0: none */
	u32 asked;
};

struct arena {
	u32 used; /* bytes of the arena; all beyond were never used */
	u32 objects;
	u32 free[SIZES];
	const char *error;
} __attribute__((aligned(GRAIN)));

static char arena[ARENA_BYTES] __attribute__((aligned(4096)));
static struct {
	void *bytes;
	size_t len;
} regions[REGIONS];
static unsigned int nr_regions;
static size_t region_bytes;

static struct arena *head(void)
{
	return (struct arena *)arena;
}

static struct header *header_at(u32 offset)
{
	return (struct header *)(arena + offset);
}

static struct header *header_of(const void *p)
{
	return (struct header *)((char *)p - sizeof(struct header));
}

static unsigned int list_of(u32 bytes)
{
	return bytes / GRAIN < SIZES ? bytes / GRAIN : 0;
}

static void wrong(const char *what)
{
	if (!head()->error)
		head()->error = what;
}

/* The first free object of this size that lies right. */
static struct header *take_free(u32 bytes, size_t align)
{
	u32 *link = &head()->free[list_of(bytes)];

	for (; *link; link = &header_at(*link)->next) {
		struct header *h = header_at(*link);

		if (h->bytes != bytes || !IS_ALIGNED((unsigned long)(h + 1), align))
			continue;
		*link = h->next;
		return h;
	}
	return NULL;
}

static void *arena_alloc(size_t size, size_t align)
{
	u32 bytes = ALIGN(size, GRAIN);
	struct header *h;
	size_t at;

	if (size > ARENA_BYTES) {
		wrong("the arena is too small for an object");
		return NULL;
	}
	h = take_free(bytes, align);
	if (!h) {
		at = ALIGN(head()->used + sizeof(*h), align);
		if (at + bytes > ARENA_BYTES) {
			wrong("the arena is full");
			return NULL;
		}
		head()->used = at + bytes;
		h = header_at(at - sizeof(*h));
	}
	head()->objects++;
	*h = (struct header){ .bytes = bytes, .life = LIVE, .asked = size };
	return h + 1;
}

static bool arena_owns(const void *p)
{
	return (uintptr_t)p - (uintptr_t)arena < ARENA_BYTES;
}

static size_t arena_size(const void *p)
{
	return header_of(p)->asked;
}

static void arena_free(void *p)
{
	struct header *h = header_of(p);
	u32 *list = &head()->free[list_of(h->bytes)];

	if (h->life != LIVE) {
		wrong("an object is freed twice");
		return;
	}
	memset(p, RUBBISH, h->bytes);
	h->life = FREE;
	head()->objects--;
	h->next = *list;
	*list = (char *)h - arena;
}

static const struct host_heap heap = {
	.alloc = arena_alloc,
	.owns = arena_owns,
	.size = arena_size,
	.free = arena_free,
};

int arena_open(void)
{
	if (WARN(host_heap, "arena: opened twice\n"))
		return -EBUSY;
	*head() = (struct arena){ .used = sizeof(struct arena) };
	nr_regions = 0;
	region_bytes = 0;
	host_heap = &heap;
	return 0;
}

void arena_close(void)
{
	host_heap = NULL;
}

bool arena_region(void *bytes, size_t len)
{
	if (nr_regions == REGIONS)
		return false;
	regions[nr_regions].bytes = bytes;
	regions[nr_regions].len = len;
	nr_regions++;
	region_bytes += len;
	return true;
}

size_t arena_bytes(size_t more)
{
	return min_t(size_t, head()->used + more, ARENA_BYTES) + region_bytes;
}

/* The arena first: its first word says where the regions begin. */
void arena_save(void *to)
{
	char *at = (char *)to + head()->used;

	memcpy(to, arena, head()->used);
	for (unsigned int i = 0; i < nr_regions; i++) {
		memcpy(at, regions[i].bytes, regions[i].len);
		at += regions[i].len;
	}
}

void arena_restore(const void *from)
{
	const char *at = (const char *)from + ((const struct arena *)from)->used;

	memcpy(arena, from, at - (const char *)from);
	for (unsigned int i = 0; i < nr_regions; i++) {
		memcpy(regions[i].bytes, at, regions[i].len);
		at += regions[i].len;
	}
}

size_t arena_objects(void)
{
	return head()->objects;
}

const char *arena_error(void)
{
	return head()->error;
}
