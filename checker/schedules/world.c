/* SPDX-License-Identifier: MIT */
/*
 * world.c - what a schedule may change: the program's data, one heap, the threads' stacks
 *
 * The heap gives out addresses once in a schedule: what is freed stays poisoned until the world is
 * put back, so a use after free is found however late it comes.  Between two objects lies a grain
 * that belongs to nobody.
 *
 * Two copies are kept: of the program before any scenario, and of the scenario when its threads
 * stand at the start.
 *
 * Deliberately not here: files, and what memory of the system's holds that nobody has added.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "checker/schedules/engine.h"
#include "host/slab.h"

#define RUBBISH 0x6b

extern char __data_start[], _end[];

void *__real_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_realloc(void *p, size_t size);
int __real_posix_memalign(void **p, size_t align, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_realloc(void *p, size_t size);
int __wrap_posix_memalign(void **p, size_t align, size_t size);
void __wrap_free(void *p);

/* A copy; everything below `heap_used` and above each thread's stack pointer. */
struct copy {
	char *data, *heap, *stacks, *regions[REGIONS];
	uint8_t *life;
	uint32_t *sizes;
	size_t heap_used;
	int objects, nr_threads, current, running;
	uint32_t sleeps;
	struct thread threads[THREADS];
};

/* Outside of the world as the engine is. */
#define COPIES ((struct copy *)(ENGINE_BASE + (1ul << 28)))
#define GRAINS (HEAP_BYTES / GRAIN)

static size_t data_bytes(void)
{
	return _end - __data_start;
}

static void *map(uintptr_t at, size_t bytes)
{
	void *p = mmap((void *)at, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0),
		       -1, 0);

	if (p == MAP_FAILED || (at && p != (void *)at)) {
		perror("dmabuf schedules: memory");
		exit(2);
	}
	return p;
}

void *world_map(size_t bytes)
{
	return map(0, bytes);
}

/* Before every constructor that makes an access or allocates. */
static void __attribute__((constructor(101))) world_init(void)
{
	map(ENGINE_BASE, sizeof(struct engine_state));
	map(WORLD_BASE, WORLD_BYTES);
	map((uintptr_t)COPIES, 2 * sizeof(struct copy));
	engine->current = -1;
	engine->step = &engine->nowhere;
	engine->life = map(0, GRAINS);
	engine->sizes = map(0, GRAINS * sizeof(uint32_t));
	for (int i = 0; i < 2; i++) {
		struct copy *copy = &COPIES[i];

		copy->data = map(0, data_bytes());
		copy->heap = map(0, HEAP_BYTES);
		copy->stacks = map(0, THREADS * STACK_BYTES);
		copy->life = map(0, GRAINS);
		copy->sizes = map(0, GRAINS * sizeof(uint32_t));
	}
}

void world_add(uintptr_t start, size_t bytes)
{
	int i = engine->nr_regions++;

	engine->regions[i] = (struct region){ start, bytes };
	for (int level = 0; level < 2; level++)
		COPIES[level].regions[i] = map(0, bytes);
}

bool world_owns(uintptr_t addr)
{
	for (int i = 0; i < engine->nr_regions; i++)
		if (addr - engine->regions[i].start < engine->regions[i].bytes)
			return true;
	return addr - WORLD_BASE < WORLD_BYTES || addr - (uintptr_t)__data_start < data_bytes();
}

static bool has_stack(const struct thread *thread)
{
	return thread->state != THREAD_NONE && thread->state != THREAD_ENDED && thread->sp;
}

static char *stack_end(int i)
{
	return (char *)STACK_BASE + (i + 1) * STACK_BYTES;
}

void world_remember(int level)
{
	struct copy *copy = &COPIES[level];

	memcpy(copy->data, __data_start, data_bytes());
	for (int i = 0; i < engine->nr_regions; i++)
		memcpy(copy->regions[i], (void *)engine->regions[i].start,
		       engine->regions[i].bytes);
	memcpy(copy->heap, (char *)HEAP_BASE, engine->heap_used);
	memcpy(copy->life, engine->life, engine->heap_used / GRAIN);
	memcpy(copy->sizes, engine->sizes, engine->heap_used / GRAIN * sizeof(uint32_t));
	copy->heap_used = engine->heap_used;
	copy->objects = engine->objects;
	copy->nr_threads = engine->nr_threads;
	copy->running = engine->running;
	copy->sleeps = engine->sleeps;
	memcpy(copy->threads, engine->threads, sizeof(copy->threads));
	for (int i = 0; i < engine->nr_threads; i++) {
		char *sp = engine->threads[i].sp;

		if (has_stack(&engine->threads[i]))
			memcpy(copy->stacks + (sp - (char *)STACK_BASE), sp, stack_end(i) - sp);
	}
}

void world_put_back(int level)
{
	struct copy *copy = &COPIES[level];

	memcpy(__data_start, copy->data, data_bytes());
	for (int i = 0; i < engine->nr_regions; i++)
		memcpy((void *)engine->regions[i].start, copy->regions[i],
		       engine->regions[i].bytes);
	memcpy((char *)HEAP_BASE, copy->heap, copy->heap_used);
	memcpy(engine->life, copy->life, copy->heap_used / GRAIN);
	memcpy(engine->sizes, copy->sizes, copy->heap_used / GRAIN * sizeof(uint32_t));
	memset(engine->life + copy->heap_used / GRAIN, LIFE_NOBODY,
	       (engine->heap_used - copy->heap_used) / GRAIN);
	engine->heap_used = copy->heap_used;
	engine->objects = copy->objects;
	engine->running = copy->running;
	engine->sleeps = copy->sleeps;
	for (int i = 0; i < engine->nr_threads || i < copy->nr_threads; i++) {
		struct thread *thread = &engine->threads[i], *before = &copy->threads[i];
		char *sp = before->sp;

		/* The views are model_begin()'s. */
		memcpy(thread, before, offsetof(struct thread, cur));
		memcpy(thread->tls, before->tls, engine->tls_bytes);
		if (has_stack(before))
			memcpy(sp, copy->stacks + (sp - (char *)STACK_BASE), stack_end(i) - sp);
	}
	engine->nr_threads = copy->nr_threads;
}

/* --- the heap --------------------------------------------------------------------------------- */

static void *take(size_t size, size_t align, enum life life)
{
	size_t at = (engine->heap_used + GRAIN + align - 1) & ~(align - 1);
	size_t grains = (size + GRAIN - 1) / GRAIN;

	if (!grains)
		grains = 1;
	if (at + grains * GRAIN > HEAP_BYTES) {
		engine_fail(0, "the explorer's heap of %d bytes is full", HEAP_BYTES);
		return NULL;
	}
	memset(engine->life + at / GRAIN, life, grains);
	engine->sizes[at / GRAIN] = size;
	engine->heap_used = at + grains * GRAIN;
	engine->objects += life == LIFE_OBJECT;
	return (char *)HEAP_BASE + at;
}

static bool in_heap(const void *p)
{
	return (uintptr_t)p - HEAP_BASE < HEAP_BYTES;
}

static size_t grain_of(const void *p)
{
	return ((uintptr_t)p - HEAP_BASE) / GRAIN;
}

static size_t size_of(const void *p)
{
	return engine->sizes[grain_of(p)];
}

static void give_back(void *p)
{
	size_t grain = grain_of(p), size = size_of(p);
	uint8_t life = engine->life[grain];

	if ((uintptr_t)p % GRAIN || (life != LIFE_OBJECT && life != LIFE_SYSTEM) ||
	    (grain && engine->life[grain - 1] != LIFE_NOBODY)) {
		engine_fail((uintptr_t)__builtin_return_address(0),
			    life == LIFE_FREED ? "freed twice" : "freed, and is no object");
		return;
	}
	/* Freeing is a write: who used it must have been ordered before. */
	plain_access((uintptr_t)p, size, true, (uintptr_t)__builtin_return_address(0));
	engine->objects -= life == LIFE_OBJECT;
	memset(engine->life + grain, LIFE_FREED, size ? (size + GRAIN - 1) / GRAIN : 1);
}

static void *object_new(size_t size, size_t align)
{
	void *p = take(size, align, LIFE_OBJECT);

	if (p)
		memset(p, RUBBISH, size);
	return p;
}

int world_objects(void)
{
	return engine->objects;
}

static const struct host_heap heap = {
	.alloc = object_new,
	.owns = in_heap,
	.size = size_of,
	.free = give_back,
};

void world_pristine(void)
{
	host_heap = &heap;
}

/*
 * What the world's code asks of the C library, too, comes from the heap: that is how threads' tasks
 * and workers go back with the rest.  They stay when a scenario ends, so nobody counts them.
 */
static bool for_the_world(void)
{
	return engine->current >= 0;
}

void *__wrap_malloc(size_t size)
{
	return for_the_world() ? take(size, GRAIN, LIFE_SYSTEM) : __real_malloc(size);
}

void *__wrap_calloc(size_t nr, size_t size)
{
	void *p;

	if (!for_the_world())
		return __real_calloc(nr, size);
	p = take(nr * size, GRAIN, LIFE_SYSTEM);
	if (p)
		memset(p, 0, nr * size);
	return p;
}

void *__wrap_realloc(void *p, size_t size)
{
	void *larger;

	if (!in_heap(p) && !for_the_world())
		return __real_realloc(p, size);
	larger = take(size, GRAIN, LIFE_SYSTEM);
	if (p && larger) {
		memcpy(larger, p, size < size_of(p) ? size : size_of(p));
		give_back(p);
	}
	return larger;
}

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
	if (!for_the_world())
		return __real_posix_memalign(p, align, size);
	*p = take(size, align, LIFE_SYSTEM);
	return *p ? 0 : 12; /* ENOMEM */
}

void __wrap_free(void *p)
{
	if (in_heap(p))
		give_back(p);
	else
		__real_free(p);
}
