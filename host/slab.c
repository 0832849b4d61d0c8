/* SPDX-License-Identifier: MIT */
/*
 * slab.c - objects on malloc()
 *
 * One malloc() an object and nothing kept back, so that each object's bounds and life are
 * AddressSanitizer's.
 *
 * Invariants
 *   SB1  Only allocate() calls malloc(), or the heap that takes its place (host/slab.h): it alone
 *        asks for injected failures.
 *   SB2  An object of an RCU cache has its rcu_head before it, never in it: its bytes stay as they
 *        were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "host/port.h"
#include "host/slab.h"

const struct host_heap *host_heap;

static void *allocate_elsewhere(size_t size, size_t align, gfp_t gfp)
{
	void *p = host_heap->alloc(size, max_t(size_t, align, ARCH_KMALLOC_MINALIGN));

	if (p && gfp & __GFP_ZERO)
		memset(p, 0, size);
	return p;
}

static bool is_elsewhere(const void *p)
{
	return unlikely(host_heap) && host_heap->owns(p);
}

static void *allocate(size_t size, size_t align, gfp_t gfp)
{
	void *p = NULL;

	might_alloc(gfp);
	if (!(gfp & __GFP_NOFAIL) && port_should_fail(PORT_FAULT_ALLOC))
		return NULL;
	/* No size: what saturated or was negative (linux/overflow.h). */
	if (size > PTRDIFF_MAX)
		return NULL;
	if (!size)
		return ZERO_SIZE_PTR;
	if (unlikely(host_heap))
		return allocate_elsewhere(size, align, gfp);
	if (align <= ARCH_KMALLOC_MINALIGN)
		return gfp & __GFP_ZERO ? calloc(1, size) : malloc(size);
	if (posix_memalign(&p, align, size))
		return NULL;
	if (gfp & __GFP_ZERO)
		memset(p, 0, size);
	return p;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return allocate(size, 0, gfp);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return allocate(size, 0, gfp | __GFP_ZERO);
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return allocate(bytes, 0, gfp);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

void *kzalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	if (WARN(!align || align & (align - 1), "kzalloc_aligned: %zu is no power of two", align))
		return NULL;
	return allocate(size, align, gfp | __GFP_ZERO);
}

void kfree(const void *p)
{
	if (ZERO_OR_NULL_PTR(p))
		return;
	if (is_elsewhere(p))
		host_heap->free((void *)p);
	else
		free((void *)p);
}

/* Asked for injected failures already. */
static void *move_elsewhere(void *p, size_t size)
{
	void *larger = host_heap->alloc(size, ARCH_KMALLOC_MINALIGN);

	if (!larger)
		return NULL;
	memcpy(larger, p, min(size, host_heap->size(p)));
	host_heap->free(p);
	return larger;
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	if (WARN(gfp & __GFP_ZERO, "krealloc: __GFP_ZERO is not supported"))
		return NULL;
	if (!size) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return kmalloc(size, gfp);
	might_alloc(gfp);
	if (!(gfp & __GFP_NOFAIL) && port_should_fail(PORT_FAULT_ALLOC))
		return NULL;
	if (is_elsewhere(p))
		return move_elsewhere((void *)p, size);
	return realloc((void *)p, size);
}

void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return krealloc(p, bytes, gfp);
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

void *kvzalloc(size_t size, gfp_t gfp)
{
	return kzalloc(size, gfp);
}

void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp);
}

void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kcalloc(n, size, gfp);
}

void kvfree(const void *p)
{
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *copy = kmalloc(len, gfp);

	if (copy && len)
		memcpy(copy, src, len);
	return copy;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	size_t len;
	char *copy;

	if (!s)
		return NULL;
	len = strnlen(s, max);
	copy = kmalloc(len + 1, gfp);
	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return kstrndup(s, SIZE_MAX, gfp);
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return NULL;
	text = kmalloc((size_t)len + 1, gfp);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, args);
	return text;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(gfp, fmt, args);
	va_end(args);
	return text;
}

/* --- caches ----------------------------------------------------------------------------------- */

struct kmem_cache {
	const char *name;
	unsigned int size;
	unsigned int align;
	unsigned int lead; /* room before the object for struct rcu_lead, or 0 */
	void (*ctor)(void *obj);
	atomic_t live; /* allocated and not freed by their user */
};

/* Ends where the object begins. */
struct rcu_lead {
	struct rcu_head rcu;
	void *block; /* what malloc() returned */
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *obj))
{
	struct kmem_cache *cache = NULL;

	if (!WARN(!size || align & (align - 1),
		  "kmem_cache_create: %s: no size, or bad alignment %u", name, align))
		cache = kzalloc(sizeof(*cache), GFP_KERNEL);
	BUG_ON(!cache && flags & SLAB_PANIC);
	if (!cache)
		return NULL;
	cache->name = name;
	cache->size = size;
	cache->align = max_t(unsigned int, align, ARCH_KMALLOC_MINALIGN);
	if (flags & SLAB_HWCACHE_ALIGN)
		cache->align = max_t(unsigned int, cache->align, SMP_CACHE_BYTES);
	if (flags & SLAB_TYPESAFE_BY_RCU)
		cache->lead = ALIGN(sizeof(struct rcu_lead), cache->align);
	cache->ctor = ctor;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	int live;

	if (!cache)
		return;
	might_sleep();
	if (cache->lead)
		rcu_barrier();
	live = atomic_read(&cache->live);
	if (WARN(live, "kmem_cache_destroy: %s still has %d objects", cache->name, live))
		return;
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	char *block = allocate(cache->lead + cache->size, cache->align, gfp);
	char *obj;

	if (!block)
		return NULL;
	obj = block + cache->lead;
	if (cache->lead)
		((struct rcu_lead *)obj)[-1].block = block;
	if (cache->ctor)
		cache->ctor(obj);
	atomic_inc(&cache->live);
	return obj;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}

static void rcu_lead_free(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct rcu_lead, rcu)->block);
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	if (WARN(!obj, "kmem_cache_free: %s: NULL", cache->name))
		return;
	if (cache->lead)
		call_rcu(&((struct rcu_lead *)obj)[-1].rcu, rcu_lead_free);
	else
		kfree(obj);
	atomic_dec(&cache->live);
}

unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache->size;
}
