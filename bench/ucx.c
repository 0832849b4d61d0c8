/* SPDX-License-Identifier: MIT */
/* ucx.c - see ucx.h */
#include <linux/kernel.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef HAVE_UCX
#include <ucs/memory/rcache.h>
#endif

#include "bench/measure.h"
#include "bench/ucx.h"

#ifdef HAVE_UCX

static __typeof__(ucs_rcache_create) *rcache_create;
static __typeof__(ucs_rcache_destroy) *rcache_destroy;
static __typeof__(ucs_rcache_get) *rcache_get;
static __typeof__(ucs_rcache_region_put) *rcache_put;

const char *ucx_load(void)
{
	void *library;

	/* No handlers of signals, no thread that serves statistics. */
	setenv("UCX_HANDLE_ERRORS", "none", 0);
	setenv("UCX_VFS_ENABLE", "n", 0);
	library = dlopen("libucs.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library)
		return dlerror();
	rcache_create = dlsym(library, "ucs_rcache_create");
	rcache_destroy = dlsym(library, "ucs_rcache_destroy");
	rcache_get = dlsym(library, "ucs_rcache_get");
	rcache_put = dlsym(library, "ucs_rcache_region_put");
	if (!rcache_create || !rcache_destroy || !rcache_get || !rcache_put)
		return dlerror();
	return NULL;
}

/* Regions lie apart, or the cache would make one of them. */
#define REGION_BYTES (4 * KIB)
#define STRIDE_BYTES (2 * REGION_BYTES)

/* What a thread takes turns among. */
struct regions {
	ucs_rcache_t *cache; /* of all the row's threads */
	void **address;      /* in random order */
	void *memory;        /* addresses that nobody touches; NULL: those of the first thread */
	unsigned int registered;
};

static ucs_status_t registers(void *context, ucs_rcache_t *cache, void *arg,
			      ucs_rcache_region_t *region, uint16_t flags)
{
	struct regions *r = arg;

	r->registered++;
	return UCS_OK;
}

static void deregisters(void *context, ucs_rcache_t *cache, ucs_rcache_region_t *region)
{
}

static void dump(void *context, ucs_rcache_t *cache, ucs_rcache_region_t *region, char *text,
		 size_t size)
{
	if (size)
		*text = 0;
}

static const ucs_rcache_ops_t cache_ops = {
	.mem_reg = registers,
	.mem_dereg = deregisters,
	.dump_region = dump,
};

static ucs_rcache_t *new_cache(void)
{
	ucs_rcache_params_t params = {
		.region_struct_size = sizeof(ucs_rcache_region_t),
		.alignment = UCS_RCACHE_MIN_ALIGNMENT,
		.max_alignment = REGION_BYTES,
		.ops = &cache_ops,
		.flags = UCS_RCACHE_FLAG_NO_PFN_CHECK,
		.max_regions = ULONG_MAX,
		.max_size = SIZE_MAX,
		.max_unreleased = SIZE_MAX,
	};
	ucs_rcache_t *cache = NULL;

	if (rcache_create(&params, "bench", NULL, &cache) != UCS_OK)
		bench_checked(NULL, "a registration cache");
	return cache;
}

static void hit(struct regions *r, void *address)
{
	ucs_rcache_region_t *region;

	if (rcache_get(r->cache, address, REGION_BYTES, PROT_READ | PROT_WRITE, r, &region) !=
	    UCS_OK)
		bench_checked(NULL, "a region");
	rcache_put(r->cache, region);
}

static void setup_regions(struct work *work, const struct regions *shared)
{
	struct regions *r = bench_zeroed(sizeof(*r));
	char *memory;

	r->address = bench_zeroed(work->n * sizeof(*r->address));
	if (shared) {
		memcpy(r->address, shared->address, work->n * sizeof(*r->address));
	} else {
		memory = mmap(NULL, work->n * STRIDE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED)
			bench_checked(NULL, "addresses");
		r->memory = memory;
		for (unsigned int i = 0; i < work->n; i++)
			r->address[i] = memory + i * STRIDE_BYTES;
	}
	bench_shuffle(r->address, work->n);
	r->cache = work->first ? ((struct regions *)work->first->priv)->cache : new_cache();
	for (unsigned int i = 0; i < work->n; i++)
		hit(r, r->address[i]);
	work->priv = r;
}

static void setup_own(struct work *work)
{
	setup_regions(work, NULL);
}

static void setup_shared(struct work *work)
{
	setup_regions(work, work->first ? work->first->priv : NULL);
}

/* The first thread's comes first, and takes the cache along. */
static void teardown(struct work *work)
{
	struct regions *r = work->priv;

	if (r->registered != (r->memory ? work->n : 0)) {
		fprintf(stderr,
			"dmabuf bench: UCX registered %u of %u regions: these are no hits\n",
			r->registered, work->n);
		exit(2);
	}
	if (!work->first)
		rcache_destroy(r->cache);
	if (r->memory)
		munmap(r->memory, work->n * STRIDE_BYTES);
	free(r->address);
	free(r);
}

static noinline void loop_ucx(struct work *work)
{
	struct regions *r = work->priv;

	for (u64 i = 0; i < work->pairs; i++)
		hit(r, r->address[work_take(work)]);
}

#define K 1000u
#define ROW(name_, setup_, n_, threads_)                                                         \
	{                                                                                        \
		.name = name_, .loop = loop_ucx, .setup = setup_, .teardown = teardown, .n = n_, \
		.threads = threads_, .bytes = REGION_BYTES                                       \
	}
#define ROWS(n_)                                                                            \
	ROW("cached_unlocked", setup_own, n_, 1), ROW("cached_unlocked", setup_own, n_, 2), \
		ROW("cached_unlocked_shared", setup_shared, n_, 2)

static const struct measure measures[] = { ROWS(10), ROWS(K), ROWS(100 * K) };

const struct bench_group bench_ucx = { measures, ARRAY_SIZE(measures) };

#else

const char *ucx_load(void)
{
	return "built without ucs/memory/rcache.h (Debian's libucx-dev)";
}

const struct bench_group bench_ucx = { NULL, 0 };

#endif
