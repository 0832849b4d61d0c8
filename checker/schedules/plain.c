/* SPDX-License-Identifier: MIT */
/*
 * plain.c - plain accesses: are they ordered, and is it an object that they touch?
 *
 * Beside every eight bytes of the world stand the last accesses to them, with the clocks of those who
 * made them, as in the thread sanitizer.  An access is ordered behind another if its thread's view
 * has the other's clock.  Freed memory and what lies between objects belongs to nobody (world.c).
 *
 * Deliberately not here: host code, whose plain accesses nobody tells of.
 */
#include <string.h>

#include "checker/schedules/engine.h"

#define PC ((uintptr_t)__builtin_return_address(0))

static bool on(void)
{
	return engine->phase != PHASE_SETUP && engine->current >= 0;
}

void plain_check_life(uintptr_t addr, size_t bytes, uintptr_t pc)
{
	size_t first = addr - HEAP_BASE;
	uint8_t life;

	if (first >= HEAP_BYTES)
		return;
	life = engine->life[first / GRAIN];
	if (life >= LIFE_OBJECT) {
		life = engine->life[(first + bytes - 1) / GRAIN];
		if (life >= LIFE_OBJECT)
			return;
	}
	engine_fail(pc, life == LIFE_FREED ? "freed memory is used"
					   : "memory that belongs to no object is used");
}

/* The last accesses to eight bytes, as in the thread sanitizer. */
struct shadow {
	struct slot {
		uint16_t generation; /* of the run */
		int16_t clock;
		uint8_t thread; /* with the flags below */
		uint8_t mask;   /* which of the bytes */
		uint16_t pad;
	} slots[4];
};

#define SHADOW_THREAD 0x1f
#define SHADOW_WRITE 0x80
#define SHADOW_ATOMIC 0x40

extern char __data_start[], _end[];

static size_t granules(void)
{
	size_t bytes = WORLD_BYTES + (_end - __data_start) + 16;

	for (int i = 0; i < engine->nr_regions; i++)
		bytes += engine->regions[i].bytes + 16;
	return bytes / 8 + 2;
}

static long granule_of_region(uintptr_t addr)
{
	size_t before = WORLD_BYTES + (_end - __data_start) + 16;

	for (int i = 0; i < engine->nr_regions; i++) {
		const struct region *r = &engine->regions[i];

		if (addr - r->start < r->bytes)
			return before / 8 + (addr / 8 - r->start / 8);
		before += r->bytes + 16;
	}
	return -1;
}

static long granule(uintptr_t addr)
{
	if (addr - WORLD_BASE < WORLD_BYTES)
		return (addr - WORLD_BASE) / 8;
	if (addr - (uintptr_t)__data_start < (size_t)(_end - __data_start))
		return WORLD_BYTES / 8 + 1 + (addr / 8 - (uintptr_t)__data_start / 8);
	return granule_of_region(addr);
}

static void race(const struct slot *other, bool write, uintptr_t addr, uintptr_t pc)
{
	const char *name = engine->threads[other->thread & SHADOW_THREAD].name;

	engine_fail(pc, "a race: this %s and one %s by %s are not ordered",
		    write ? "write" : "read", other->thread & SHADOW_WRITE ? "write" : "read",
		    name);
}

static void look(long g, uint8_t mask, uint8_t flags, uintptr_t addr, uintptr_t pc)
{
	struct shadow *s = &engine->shadow[g];
	uint8_t me = engine->current;
	const struct view *seen = &engine->threads[me].cur; /* as long as the clocks at least */
	int16_t clock = seen->at[me];
	struct slot mine = { engine->shadow_generation, clock, me | flags, mask, 0 };
	struct slot *place = NULL;

	for (int i = 0; i < 4; i++) {
		struct slot *other = &s->slots[i];
		uint8_t thread = other->thread & SHADOW_THREAD;

		if (other->generation != mine.generation) {
			place = other;
			continue;
		}
		if (!(other->mask & mask))
			continue;
		if (thread == me) {
			if (other->thread == mine.thread && !(other->mask & ~mask))
				place = other;
			continue;
		}
		if (!((other->thread | flags) & SHADOW_WRITE) ||
		    (other->thread & flags & SHADOW_ATOMIC))
			continue;
		if (other->clock > seen->at[thread]) {
			race(other, flags & SHADOW_WRITE, addr, pc);
			return;
		}
	}
	if (!place)
		place = &s->slots[clock % 4];
	*place = mine;
}

static void plain_granule(uintptr_t addr, unsigned int first, unsigned int last, bool write,
			  uintptr_t pc)
{
	long g = granule(addr);

	if (g < 0)
		return;
	look(g, (0xff >> (7 - last)) & (0xff << first), write ? SHADOW_WRITE : 0, addr, pc);
}

/* A schedule begins: what was done before is ordered before all of it. */
void plain_begin(void)
{
	if (!engine->shadow)
		engine->shadow = world_map(granules() * sizeof(struct shadow));
	if (++engine->shadow_generation == 0) {
		memset(engine->shadow, 0, granules() * sizeof(struct shadow));
		engine->shadow_generation = 1;
	}
}

void plain_access(uintptr_t addr, size_t bytes, bool write, uintptr_t pc)
{
	uintptr_t end = addr + bytes;

	if (!on() || !bytes)
		return;
	if (!world_owns(addr))
		return;
	plain_check_life(addr, bytes, pc);
	if (engine->phase == PHASE_FINISH) /* alone */
		return;
	while (addr < end) {
		uintptr_t next = (addr & ~7ul) + 8;
		uintptr_t last = next < end ? next : end;

		plain_granule(addr & ~7ul, addr & 7, (last - 1) & 7, write, pc);
		addr = next;
	}
}

void plain_atomic(uintptr_t addr, unsigned int bytes, bool write, uintptr_t pc)
{
	long g;

	if (!on())
		return;
	plain_check_life(addr, bytes, pc);
	if (engine->phase == PHASE_FINISH)
		return;
	g = granule(addr);
	if (g < 0)
		return;
	look(g, ((1u << bytes) - 1) << (addr & 7), SHADOW_ATOMIC | (write ? SHADOW_WRITE : 0), addr,
	     pc);
}

/* --- the compiler's calls ---------------------------------------------------------------------- */

#define PLAIN(bytes)                                                     \
	void __tsan_read##bytes(void *p);                                \
	void __tsan_read##bytes(void *p)                                 \
	{                                                                \
		plain_access((uintptr_t)p, bytes, false, PC);            \
	}                                                                \
	void __tsan_write##bytes(void *p);                               \
	void __tsan_write##bytes(void *p)                                \
	{                                                                \
		plain_access((uintptr_t)p, bytes, true, PC);             \
	}                                                                \
	void __tsan_unaligned_read##bytes(void *p);                      \
	void __tsan_unaligned_read##bytes(void *p)                       \
	{                                                                \
		plain_access((uintptr_t)p, bytes, false, PC);            \
	}                                                                \
	void __tsan_unaligned_write##bytes(void *p);                     \
	void __tsan_unaligned_write##bytes(void *p)                      \
	{                                                                \
		plain_access((uintptr_t)p, bytes, true, PC);             \
	}                                                                \
	void __tsan_read##bytes##_pc(void *p, void *pc);                 \
	void __tsan_read##bytes##_pc(void *p, void *pc)                  \
	{                                                                \
		plain_access((uintptr_t)p, bytes, false, (uintptr_t)pc); \
	}                                                                \
	void __tsan_write##bytes##_pc(void *p, void *pc);                \
	void __tsan_write##bytes##_pc(void *p, void *pc)                 \
	{                                                                \
		plain_access((uintptr_t)p, bytes, true, (uintptr_t)pc);  \
	}

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

void __tsan_read_range(void *p, size_t bytes);
void __tsan_read_range(void *p, size_t bytes)
{
	plain_access((uintptr_t)p, bytes, false, PC);
}

void __tsan_write_range(void *p, size_t bytes);
void __tsan_write_range(void *p, size_t bytes)
{
	plain_access((uintptr_t)p, bytes, true, PC);
}

/* What clang calls for memset() and its kin. */
void *__tsan_memset(void *p, int byte, size_t bytes);
void *__tsan_memset(void *p, int byte, size_t bytes)
{
	plain_access((uintptr_t)p, bytes, true, PC);
	return memset(p, byte, bytes);
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
	plain_access((uintptr_t)from, bytes, false, PC);
	plain_access((uintptr_t)to, bytes, true, PC);
	return memcpy(to, from, bytes);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes);
void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
	plain_access((uintptr_t)from, bytes, false, PC);
	plain_access((uintptr_t)to, bytes, true, PC);
	return memmove(to, from, bytes);
}
