/* SPDX-License-Identifier: MIT */
/*
 * slab.h - memory for objects
 *
 * Linux 6.12's functions on malloc(), one malloc() an object, so that AddressSanitizer sees each
 * object's bounds and life to the byte.
 *
 * Invariants
 *   SL1  Every allocation first asks port_should_fail(PORT_FAULT_ALLOC), except with __GFP_NOFAIL.
 *   SL2  An allocation whose flags allow sleeping checks might_sleep(), whether it sleeps or not.
 *   SL3  The memory has no struct page (linux/mm.h, MM1).
 *
 * DIFFERS: sizes that are powers of two are aligned to 16 bytes, not to themselves;
 * kzalloc_aligned() is for those who need more.  kmalloc_size_roundup() finds nothing to round up
 * to.
 */
#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H

#include <stdarg.h>
#include <linux/cache.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/gfp.h>

#define ARCH_KMALLOC_MINALIGN 16

/* What kmalloc(0) returns: not NULL, not to be dereferenced, free to give to kfree(). */
#define ZERO_SIZE_PTR ((void *)16)
#define ZERO_OR_NULL_PTR(x) ((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

/**
 * kmalloc, kzalloc - @size bytes, undefined or zero
 *
 * Context: may sleep if @gfp allows it.
 * Returns NULL when memory is exhausted or a failure was asked for.
 * Ownership: the caller gives it to kfree(), kfree_rcu() or kvfree() once.
 */
void *kmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));

/** kmalloc_array, kcalloc - @n objects of @size bytes; NULL also if the product overflows */
void *kmalloc_array(size_t n, size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1, 2)));
void *kcalloc(size_t n, size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1, 2)));

/**
 * kzalloc_aligned - @size zeroed bytes at a multiple of @align, a power of two
 *
 * DIFFERS: ours.  As kzalloc(); freed with kfree().
 */
void *kzalloc_aligned(size_t size, size_t align, gfp_t gfp);

/**
 * krealloc - move @p to a block of @size bytes
 *
 * @p NULL: kmalloc().  @size 0: kfree(), returns ZERO_SIZE_PTR.  On failure NULL is returned and @p
 * still belongs to the caller.  With __GFP_ZERO: not supported, WARN and NULL (DIFFERS).
 */
void *krealloc(const void *p, size_t size, gfp_t gfp);
void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp);

/** kfree - NULL and ZERO_SIZE_PTR are ignored. Context: any */
void kfree(const void *p);

/** kmalloc_size_roundup - the size a request of @size really gets */
static inline size_t kmalloc_size_roundup(size_t size)
{
	return size;
}

/** kvmalloc and its family - here the same as kmalloc() and its family; freed with kvfree() */
void *kvmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *kvzalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
void *kvmalloc_array(size_t n, size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1, 2)));
void *kvcalloc(size_t n, size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1, 2)));

/**
 * kvfree - free what kvmalloc(), kmalloc() or vmalloc() returned. Context: as the one that made
 * it
 */
void kvfree(const void *p);

DEFINE_FREE(kfree, void *, if (!IS_ERR_OR_NULL(_T)) kfree(_T))
DEFINE_FREE(kvfree, void *, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))

/**
 * kmemdup, kstrdup, kstrndup - a copy; NULL on failure and, for strings, for NULL. Freed with
 * kfree()
 */
void *kmemdup(const void *src, size_t len, gfp_t gfp);
char *kstrdup(const char *s, gfp_t gfp);
char *kstrndup(const char *s, size_t max, gfp_t gfp);

/** kmemdup_array - of @n elements; kmemdup_nul - @len bytes and a NUL */
static inline void *kmemdup_array(const void *src, size_t n, size_t size, gfp_t gfp)
{
	size_t len;

	return check_mul_overflow(n, size, &len) ? NULL : kmemdup(src, len, gfp);
}

static inline char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *copy = kmalloc(len + 1, gfp);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

/* kstrdup_const, kfree_const - DIFFERS: what is constant is copied, too */
static inline const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}

static inline void kfree_const(const void *p)
{
	kfree(p);
}

/** kasprintf, kvasprintf - a formatted string; NULL on failure. Freed with kfree() */
char *kasprintf(gfp_t gfp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *kvasprintf(gfp_t gfp, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* --- caches ----------------------------------------------------------------------------------- */

#define SLAB_HWCACHE_ALIGN 0x01u /* objects start on a cache line of 64 bytes */
#define SLAB_TYPESAFE_BY_RCU \
	0x02u              /* a freed object stays untouched until readers have left, see below */
#define SLAB_PANIC 0x04u   /* BUG when the cache cannot be made */
#define SLAB_ACCOUNT 0x08u /* no meaning here */
#define SLAB_RECLAIM_ACCOUNT 0x10u /* no meaning here */

struct kmem_cache;

/**
 * kmem_cache_create - a source of objects of one size
 * @align: 0 or a power of two; with SLAB_HWCACHE_ALIGN at least 64
 * @ctor: run on each object that comes from malloc(), or NULL
 *
 * Context: may sleep.  Returns NULL when memory is exhausted.
 * Ownership: the caller gives it to kmem_cache_destroy(); @name must live as long.
 *
 * With SLAB_TYPESAFE_BY_RCU a reader inside rcu_read_lock() may still look at an object that was
 * freed after he found it: it keeps its bytes until a grace period later.  DIFFERS: Linux may hand
 * it out again within the grace period; here it is never the next object, so a reader that does not
 * check what he found is not caught by that, but use after the grace period is.
 */
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *obj));

#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)

/**
 * kmem_cache_destroy - the end of a cache; NULL is ignored
 *
 * Context: may sleep; waits for a grace period if objects are RCU's.
 * Rules: WARN when objects are still allocated; they and the cache then leak, as in Linux.
 */
void kmem_cache_destroy(struct kmem_cache *cache);

/** kmem_cache_alloc, kmem_cache_zalloc - one object. Context and errors as kmalloc() */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) __attribute__((malloc));
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp) __attribute__((malloc));

/** kmem_cache_free - give back an object of @cache; NULL is not allowed. Context: any */
void kmem_cache_free(struct kmem_cache *cache, void *obj);

/** kmem_cache_size - bytes of an object as asked for */
unsigned int kmem_cache_size(struct kmem_cache *cache);

#endif
