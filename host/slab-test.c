/* SPDX-License-Identifier: MIT */
/* Objects: sizes, alignment, caches, and what a reader may still see of a freed one. */
#include <string.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "host/asan.h"
#include "host/port.h"
#include "host/slab.h"
#include "tests/ktap.h"

static bool all_zero(const char *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static void zeroed_allocations(struct ktap *t)
{
	char *p;

	for (size_t size = 1; size < 10000; size = size * 3 + 1) {
		p = kmalloc(size, GFP_KERNEL);
		KT_ASSERT(t, p);
		memset(p, 0xff, size);
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		KT_ASSERT(t, p);
		KT_CHECK(t, all_zero(p, size));
		kfree(p);
		p = kcalloc(size, 3, GFP_KERNEL);
		KT_ASSERT(t, p);
		KT_CHECK(t, all_zero(p, size * 3));
		kfree(p);
		p = kvzalloc(size, GFP_KERNEL);
		KT_ASSERT(t, p);
		KT_CHECK(t, all_zero(p, size));
		kvfree(p);
	}
}

static void nothing_is_something(struct ktap *t)
{
	KT_CHECK(t, kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	KT_CHECK(t, krealloc(kmalloc(5, GFP_KERNEL), 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	kvfree(NULL);
}

static void products_do_not_wrap(struct ktap *t)
{
	volatile size_t many = SIZE_MAX / 2;
	char *p = kmalloc(8, GFP_KERNEL);

	KT_CHECK(t, !kmalloc_array(many, 3, GFP_KERNEL));
	KT_CHECK(t, !kcalloc(many, 4, GFP_KERNEL));
	KT_CHECK(t, !kvmalloc_array(many, 8, GFP_KERNEL));
	KT_CHECK(t, !krealloc_array(p, many, 8, GFP_KERNEL));
	kfree(p);
}

static void aligned_on_request(struct ktap *t)
{
	for (size_t align = 1; align <= 4096; align *= 2) {
		char *p = kzalloc_aligned(align + 3, align, GFP_KERNEL);

		KT_ASSERT(t, p);
		KT_EQ(t, (uintptr_t)p % align, 0);
		KT_CHECK(t, all_zero(p, align + 3));
		kfree(p);
	}
	ktap_expect_warn(t, "is no power of two");
	KT_CHECK(t, !kzalloc_aligned(8, 24, GFP_KERNEL));
}

static void moved_with_its_bytes(struct ktap *t)
{
	char *p = krealloc(NULL, 4, GFP_KERNEL), *bigger;

	KT_ASSERT(t, p);
	memcpy(p, "abcd", 4);
	bigger = krealloc(p, 4000, GFP_KERNEL);
	KT_ASSERT(t, bigger);
	KT_CHECK(t, !memcmp(bigger, "abcd", 4));

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !krealloc(bigger, 8000, GFP_KERNEL));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_CHECK(t, !memcmp(bigger, "abcd", 4));
	ktap_expect_warn(t, "__GFP_ZERO");
	KT_CHECK(t, !krealloc(bigger, 8000, GFP_KERNEL | __GFP_ZERO));
	kfree(bigger);
}

static void copies_and_strings(struct ktap *t)
{
	char *p;

	p = kmemdup("abc", 4, GFP_KERNEL);
	KT_CHECK(t, p && !strcmp(p, "abc"));
	kfree(p);
	p = kstrdup("hello", GFP_KERNEL);
	KT_CHECK(t, p && !strcmp(p, "hello"));
	kfree(p);
	p = kstrndup("hello", 2, GFP_KERNEL);
	KT_CHECK(t, p && !strcmp(p, "he"));
	kfree(p);
	p = kasprintf(GFP_KERNEL, "%s-%d", "dev", 42);
	KT_CHECK(t, p && !strcmp(p, "dev-42"));
	kfree(p);
	KT_CHECK(t, !kstrdup(NULL, GFP_KERNEL));
}

static void failure_on_demand(struct ktap *t)
{
	struct kmem_cache *cache = kmem_cache_create("fail", 32, 0, 0, NULL);
	void *p;

	KT_ASSERT(t, cache);
#define FAILS(call)                                 \
	do {                                        \
		port_fail_nth(PORT_FAULT_ALLOC, 1); \
		KT_CHECK(t, !(call));               \
		port_fail_nth(PORT_FAULT_ALLOC, 0); \
	} while (0)
	FAILS(kmalloc(8, GFP_KERNEL));
	FAILS(kzalloc_aligned(8, 64, GFP_KERNEL));
	FAILS(kcalloc(8, 8, GFP_KERNEL));
	FAILS(kvmalloc(8, GFP_KERNEL));
	FAILS(kmemdup("a", 2, GFP_KERNEL));
	FAILS(kstrdup("a", GFP_KERNEL));
	FAILS(kasprintf(GFP_KERNEL, "a"));
	FAILS(kmem_cache_alloc(cache, GFP_KERNEL));
	FAILS(kmem_cache_create("more", 32, 0, 0, NULL));
#undef FAILS
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	p = kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);
	KT_CHECK(t, p);
	kfree(p);
	KT_EQ(t, port_fault_count(PORT_FAULT_ALLOC), 0);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	kmem_cache_destroy(cache);
}

/* --- caches ----------------------------------------------------------------------------------- */

struct sample {
	char name[40];
	u64 value;
};

static void caches_align(struct ktap *t)
{
	struct kmem_cache *plain = KMEM_CACHE(sample, 0);
	struct kmem_cache *lines = KMEM_CACHE(sample, SLAB_HWCACHE_ALIGN);
	struct kmem_cache *rcu = KMEM_CACHE(sample, SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU);
	struct kmem_cache *wide = kmem_cache_create("wide", 24, 512, 0, NULL);
	struct sample *p[4];

	KT_ASSERT(t, plain && lines && rcu && wide);
	KT_EQ(t, kmem_cache_size(plain), sizeof(struct sample));
	for (int i = 0; i < 20; i++) {
		p[0] = kmem_cache_zalloc(plain, GFP_KERNEL);
		p[1] = kmem_cache_zalloc(lines, GFP_KERNEL);
		p[2] = kmem_cache_zalloc(rcu, GFP_KERNEL);
		p[3] = kmem_cache_zalloc(wide, GFP_KERNEL);
		KT_ASSERT(t, p[0] && p[1] && p[2] && p[3]);
		KT_EQ(t, (uintptr_t)p[1] % 64, 0);
		KT_EQ(t, (uintptr_t)p[2] % 64, 0);
		KT_EQ(t, (uintptr_t)p[3] % 512, 0);
		KT_CHECK(t, all_zero((char *)p[0], sizeof(*p[0])));
		KT_CHECK(t, all_zero((char *)p[2], sizeof(*p[2])));
		kmem_cache_free(plain, p[0]);
		kmem_cache_free(lines, p[1]);
		kmem_cache_free(rcu, p[2]);
		kmem_cache_free(wide, p[3]);
	}
	kmem_cache_destroy(plain);
	kmem_cache_destroy(lines);
	kmem_cache_destroy(rcu);
	kmem_cache_destroy(wide);
	kmem_cache_destroy(NULL);
}

static void construct(void *obj)
{
	((struct sample *)obj)->value = 77;
}

static void constructor_runs(struct ktap *t)
{
	struct kmem_cache *cache =
		kmem_cache_create("made", sizeof(struct sample), 0, 0, construct);
	struct sample *s = kmem_cache_alloc(cache, GFP_KERNEL);

	KT_ASSERT(t, s);
	KT_EQ(t, s->value, 77);
	kmem_cache_free(cache, s);
	kmem_cache_destroy(cache);
}

static void readers_keep_freed_objects(struct ktap *t)
{
	struct kmem_cache *cache = KMEM_CACHE(sample, SLAB_TYPESAFE_BY_RCU);
	struct sample *s = kmem_cache_alloc(cache, GFP_KERNEL);

	KT_ASSERT(t, s);
	s->value = 1234;
	rcu_read_lock();
	kmem_cache_free(cache, s);
	KT_EQ(t, s->value, 1234);
	rcu_read_unlock();
	rcu_barrier();
#ifdef __SANITIZE_ADDRESS__
	KT_CHECK(t, __asan_address_is_poisoned(s));
#endif
	kmem_cache_destroy(cache);
}

static void plain_objects_go_at_once(struct ktap *t)
{
#ifdef __SANITIZE_ADDRESS__
	struct kmem_cache *cache = KMEM_CACHE(sample, 0);
	char *s = kmem_cache_alloc(cache, GFP_KERNEL);

	KT_ASSERT(t, s);
	KT_CHECK(t, !__asan_address_is_poisoned(s + sizeof(struct sample) - 1));
	KT_CHECK(t, __asan_address_is_poisoned(s + sizeof(struct sample)));
	kmem_cache_free(cache, s);
	KT_CHECK(t, __asan_address_is_poisoned(s));
	kmem_cache_destroy(cache);
#else
	ktap_skip(t, "needs AddressSanitizer");
#endif
}

static void broken_cache_uses(struct ktap *t)
{
	struct kmem_cache *cache = KMEM_CACHE(sample, 0);
	void *obj = kmem_cache_alloc(cache, GFP_KERNEL);

	KT_ASSERT(t, obj);
	ktap_expect_warn(t, "sample still has 1 objects");
	kmem_cache_destroy(cache);
	ktap_expect_warn(t, "NULL");
	kmem_cache_free(cache, NULL);
	kmem_cache_free(cache, obj);
	kmem_cache_destroy(cache);

	ktap_expect_warn(t, "bad alignment");
	KT_CHECK(t, !kmem_cache_create("odd", 8, 24, 0, NULL));
	ktap_expect_warn(t, "no size");
	KT_CHECK(t, !kmem_cache_create("empty", 0, 0, 0, NULL));
}

static void copies_of_strings_and_arrays(struct ktap *t)
{
	static const int three[] = { 1, 2, 3 };
	const char *constant = kstrdup_const("constant", GFP_KERNEL);
	char *part = kmemdup_nul("partial", 4, GFP_KERNEL);
	int *copy = kmemdup_array(three, 3, sizeof(*three), GFP_KERNEL);

	KT_CHECK(t, constant && !strcmp(constant, "constant"));
	KT_CHECK(t, part && !strcmp(part, "part"));
	KT_CHECK(t, copy && !memcmp(copy, three, sizeof(three)));
	KT_CHECK(t, !kmemdup_array(three, SIZE_MAX / 2, 4, GFP_KERNEL));
	kfree_const(constant);
	kfree(part);
	kfree(copy);
}

/* --- another heap ----------------------------------------------------------------------------- */

static char elsewhere[2048] __attribute__((aligned(64)));
static size_t elsewhere_used, elsewhere_freed;

static void *elsewhere_alloc(size_t size, size_t align)
{
	void *p = elsewhere + ALIGN(elsewhere_used, align);

	if (p + size > (void *)elsewhere + sizeof(elsewhere))
		return NULL;
	elsewhere_used = p + size - (void *)elsewhere;
	return p;
}

static bool elsewhere_owns(const void *p)
{
	return p >= (void *)elsewhere && p < (void *)elsewhere + sizeof(elsewhere);
}

static size_t elsewhere_size(const void *p)
{
	return 16; /* the only object that is moved */
}

static void elsewhere_free(void *p)
{
	elsewhere_freed++;
}

static void another_heap_takes_over(struct ktap *t)
{
	static const struct host_heap heap = { elsewhere_alloc, elsewhere_owns, elsewhere_size,
					       elsewhere_free };
	char *before = kmalloc(16, GFP_KERNEL), *p, *q;

	memset(elsewhere, 0xff, sizeof(elsewhere));
	host_heap = &heap;
	p = kzalloc(16, GFP_KERNEL);
	q = kzalloc_aligned(64, 64, GFP_KERNEL);
	KT_CHECK(t, elsewhere_owns(p) && elsewhere_owns(q) && !((unsigned long)q % 64));
	KT_CHECK(t, all_zero(p, 16) && all_zero(q, 64));
	p[15] = 7;
	p = krealloc(p, 100, GFP_KERNEL);
	KT_CHECK(t, elsewhere_owns(p) && p[15] == 7 && elsewhere_freed == 1);
	KT_CHECK(t, !krealloc(p, 10000, GFP_KERNEL) && !kmalloc(10000, GFP_KERNEL));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_CHECK(t, !kmalloc(1, GFP_KERNEL));
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	kfree(before); /* it goes where it came from */
	KT_EQ(t, elsewhere_freed, 1);
	kfree(p);
	kfree(q);
	KT_EQ(t, elsewhere_freed, 3);
	host_heap = NULL;
}

KTAP_MAIN(KTAP_CASE(copies_of_strings_and_arrays), KTAP_CASE(zeroed_allocations),
	  KTAP_CASE(nothing_is_something), KTAP_CASE(products_do_not_wrap),
	  KTAP_CASE(aligned_on_request), KTAP_CASE(moved_with_its_bytes),
	  KTAP_CASE(copies_and_strings), KTAP_CASE(failure_on_demand), KTAP_CASE(caches_align),
	  KTAP_CASE(constructor_runs), KTAP_CASE(readers_keep_freed_objects),
	  KTAP_CASE(plain_objects_go_at_once), KTAP_CASE(broken_cache_uses),
	  KTAP_CASE(another_heap_takes_over))
