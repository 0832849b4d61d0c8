/* SPDX-License-Identifier: MIT */
/*
 * state.c - when are two states equal?  When all that any later operation reads is
 *
 * In the hash
 *   the agents' and the specification's state (who is open, for what, who may read what);
 *   the directory: its word, each range with counts, pins, whole set and what is known clean; its
 *   members in their order, for the order says whose table is used;
 *   each kept slot: its words, its direction, whether it has joined; the sets' borrowers; the order
 *   of idle ones;
 *   what each device's page table allows;
 *   bytes: of each byte that is written, and of one other of each line (nobody writes those, so all
 *   of a line have one history), which of its copies are equal.
 *
 * Not in it
 *   values: the core and the hardware compare the copies of a byte with each other and look at
 *   nothing else, and a write takes a value that no copy has.  So states that differ by a renaming
 *   of each byte's values go the same ways.
 *   addresses, of objects, of mappings and of bounce slots; where the next bounce slot is looked
 *   for; room for more ranges; the plan of a transition, made anew by the next; locks, all free
 *   between operations; statistics.
 *   brackets: each open access of the CPU is one of the agents', and brackets that are alike are.
 *
 * explore_config.verify tries it: of two states held equal the successors are, too.
 */
#include "checker/explore/scene.h"
#include "core/buffer.h"
#include "core/slot-set.h"
#include "dma/view.h"

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

static u64 hash_agents(const struct scene *w, u64 hash)
{
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		const struct agent *a = &w->agents[i];

		hash = mix(hash, (a->attach != NULL) | a->open << 1 | a->paused << 2 |
					 a->told << 3 |
					 (a->open ? a->dir << 4 | a->range << 8 : 0));
	}
	hash = mix(hash, w->revoked | w->reused << 1 | to_buffer(w->dmabuf)->quarantined << 2);
	for (unsigned int line = 0; line < w->lines; line++)
		hash = mix(hash, w->synced[line] | w->writer[line] << 8);
	return hash;
}

static u64 hash_slot(const struct coherence *c, const struct mapping_slot *slot, u64 hash)
{
	hash = mix(hash, (u32)atomic_read(&slot->word) | (u64)slot->held << 32);
	hash = mix(hash, slot->table_dir | (slot->dir == &c->dir) << 4 |
				 (slot->table != NULL) << 5 | list_empty(&slot->member.node) << 6);
	return slot->table ? mix(hash, slot->member.bit) : hash;
}

static u64 hash_sets(const struct scene *w, const struct coherence *c, u64 hash)
{
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		struct slot_set *set = w->agents[i].dev ? scene_set(w, i) : NULL;

		hash = mix(hash, set ? 1 + set->borrowers + (set->own_lent << 4) : 0);
		if (!set)
			continue;
		hash = mix(hash,
			   list_count_nodes(&set->late) << 1 | (w->agents[i].attach == &set->own));
		hash = hash_slot(c, &set->first.slot, hash);
		for (unsigned int k = 0; set->rest && k < 2; k++)
			hash = hash_slot(c, &set->rest[k].slot, hash);
	}
	return hash;
}

/* Which agent's set, and which of its slots. */
static u64 slot_name(const struct scene *w, const struct mapping_slot *slot)
{
	const struct slot_set *set = slot->owner;
	unsigned int agent = 0, nr = 0;

	while (w->agents[agent].dev != set->dev)
		agent++;
	if (slot != &set->first.slot)
		nr = slot == &set->rest[0].slot ? 1 : 2;
	return agent * 3 + nr;
}

static u64 hash_lists(const struct scene *w, const struct coherence *c, u64 hash)
{
	const struct coherence_member *member;
	const struct slot_set *set;

	list_for_each_entry(member, &c->members, node)
		hash = mix(hash, slot_name(w, container_of(member, struct mapping_slot, member)));
	hash = mix(hash, ~0ull);
	list_for_each_entry(set, &slot_lru.sets, lru)
		hash = mix(hash, slot_name(w, &set->first.slot));
	return hash;
}

static u64 hash_directory(const struct coherence *c, u64 hash)
{
	hash = mix(hash, (u32)atomic_read(&c->dir) | (u64)c->shared << 32 | (u64)c->uncached << 33 |
				 (u64)c->slots_of_memory << 40);
	hash = mix(hash, c->bounced);
	for (unsigned int i = 0; i < c->nr_ranges; i++) {
		const struct coherence_range *r = &c->ranges[i];

		hash = mix(hash, r->start | (u64)r->pins << 32 | (u64)r->readers << 36 |
					 (u64)r->writers << 40 | (u64)r->uncached_readers << 44 |
					 (u64)r->uncached_writers << 48 | (u64)r->c_clean << 63);
		hash = mix(hash, r->whole);
	}
	return hash;
}

static unsigned int allowed(const struct scene *w, const struct scene_table *table)
{
	struct dma_view *view = dma_view_of(w->agents[table->agent].dev);
	struct dma_reach at;

	return (dma_view_reach(view, table->addr, 1, DMA_MAY_READ, &at) == DMA_FAULT_NONE) |
	       (dma_view_reach(view, table->addr, 1, DMA_MAY_WRITE, &at) == DMA_FAULT_NONE) << 1;
}

/* Tables have no order of their own: a sum. */
static u64 hash_permission(const struct scene *w, u64 hash)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < SCENE_TABLES; i++) {
		const struct scene_table *table = &w->tables[i];

		if (table->sgt)
			sum += mix(table->agent + 1, allowed(w, table) | table->asked << 4);
	}
	return mix(hash, sum);
}

/* Which copies of one byte are equal: each is the number of the first like it. */
static u64 hash_byte(const u8 *const *copies, unsigned int nr, size_t offset, u64 hash)
{
	u8 values[SCENE_COPIES];
	unsigned int i, k;
	u64 names = 0;

	for (i = 0; i < nr; i++) {
		values[i] = copies[i][offset];
		for (k = 0; values[k] != values[i];)
			k++;
		names = names * 31 + k + 1;
	}
	return mix(hash, names);
}

u64 scene_hash(const struct scene *w)
{
	const struct coherence *c = &to_buffer(w->dmabuf)->coherence;
	const u8 *copies[SCENE_COPIES];
	unsigned int nr = scene_copies(w, copies);
	u64 hash = nr;

	hash = hash_agents(w, hash);
	hash = hash_directory(c, hash);
	hash = hash_sets(w, c, hash);
	hash = hash_lists(w, c, hash);
	hash = hash_permission(w, hash);
	for (unsigned int i = 0; i < SCENE_BYTES(w->lines); i++)
		hash = hash_byte(copies, nr, scene_byte(i), hash);
	for (unsigned int line = 0; line < w->lines; line++)
		hash = hash_byte(copies, nr, line * SCENE_LINE + 2, hash);
	return hash;
}
