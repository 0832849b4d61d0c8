/* SPDX-License-Identifier: MIT */
/*
 * test-spec-world.c - a state of the specification in real structures, over a model of its hardware
 *
 * exporter-access.c is compiled in, with the model's hardware in place of dma/.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/dma-buf.h>
#include <linux/dma-table.h>
#include <linux/list.h>

#include "core/mapping-slot.h"
#include "core/remap.h"
#include "core/test-spec-world.h"

#define dma_device_domain model_device_domain
#define dma_table_sync model_table_sync
#define dma_sync_sgtable_for_device model_sync_bounced
#define dma_sync_sgtable_for_cpu model_sync_bounced
enum dma_domain model_device_domain(struct device *dev);
void model_table_sync(struct device *dev, struct sg_table *sgt, size_t offset, size_t len,
		      enum dma_table_op op);
void model_sync_bounced(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir);
#include "core/exporter-access.c"

#define LINE 64 /* bytes, where there are two; the model has the first of each */
#define READ_WRITE (COHERENCE_READ | COHERENCE_WRITE)

/* --- the hardware, as the specification has it ------------------------------------------------ */

static enum spec_defect defect;

static struct world {
	const struct spec_graph *g;
	struct spec_hardware hw;
	struct buffer buffer;
	struct dma_buf_ops ops;
	struct device device[SPEC_AGENTS];
	struct mapping_slot slots[SPEC_AGENTS];
	struct dma_buf_attachment *fresh[SPEC_AGENTS];
	struct sg_table table;
	bool halves; /* the exporter's map and unmap do nothing, nor where there are no pages */
	char log[SPEC_STEPS];
	u8 before[SPEC_BYTES]; /* what the CPU saw when its memory was handed out */
	bool handed_out;
} * world;

static void note(char what, unsigned int k)
{
	char step[] = { what, '0' + k, 0 };

	strncat(world->log, step, SPEC_STEPS - 1 - strlen(world->log));
}

static unsigned int lines(void)
{
	return world->g->lines == 2 ? 2 : 1;
}

static unsigned int line_of(unsigned int byte)
{
	return world->g->lines == 2 ? byte : 0;
}

static bool in_line(unsigned int byte, unsigned int line)
{
	return line_of(byte) == line;
}

static void prefetch(struct spec_hardware *hw, unsigned int line)
{
	if (hw->line[line] != '-')
		return;
	for (unsigned int b = 0; b < SPEC_BYTES; b++)
		if (in_line(b, line))
			hw->cached[b] = hw->memory[b];
	hw->line[line] = 'c';
}

static void clean(struct spec_hardware *hw, unsigned int line)
{
	if (hw->line[line] != 'd' || defect == SPEC_NEVER_CLEANS)
		return;
	for (unsigned int b = 0; b < SPEC_BYTES; b++)
		if (in_line(b, line))
			hw->memory[b] = hw->cached[b];
	hw->line[line] = 'c';
}

static void invalidate(struct spec_hardware *hw, unsigned int line)
{
	if (defect != SPEC_NEVER_INVALIDATES)
		hw->line[line] = '-';
}

/* Stores through the pointer that memory() gave out become visible to the model here. */
static void settle(void)
{
	for (unsigned int b = 0; world->handed_out && b < SPEC_BYTES; b++)
		if (world->before[b] != world->hw.cached[b])
			world->hw.line[line_of(b)] = 'd';
	world->handed_out = false;
}

/* 'c' clean, 'i' invalidate, 'x' both */
static void maintain_lines(char what, size_t offset, size_t len)
{
	settle();
	for (unsigned int line = 0; line < lines(); line++) {
		if (world->g->lines == 2 && (line * LINE < offset || line * LINE >= offset + len))
			continue;
		note(what, line);
		if (what == 'x' && defect == SPEC_INVALIDATES_BEFORE_CLEAN)
			invalidate(&world->hw, line);
		if (what == 'c' || (what == 'x' && defect != SPEC_DROPS_DIRTY_LINES))
			clean(&world->hw, line);
		if (what != 'c')
			invalidate(&world->hw, line);
	}
}

static void sync_for_device(struct mapping_slot *slot, size_t offset, size_t len,
			    enum dma_data_direction dir)
{
	maintain_lines(world->g->arm && dir == DMA_FROM_DEVICE ? 'i' : 'c', offset, len);
}

static void sync_for_cpu(struct mapping_slot *slot, size_t offset, size_t len,
			 enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		maintain_lines('i', offset, len);
}

static void clean_invalidate(struct mapping_slot *slot, size_t offset, size_t len)
{
	maintain_lines('x', offset, len);
}

static unsigned int slot_index(const struct mapping_slot *slot)
{
	return (unsigned long)slot->owner;
}

/* Of two lines the model has one byte each; the rest is there and never changes. */
static void *model_byte(u8 *bytes, u8 *rest, size_t offset, size_t *len)
{
	if (world->g->lines == 1)
		return bytes + offset;
	*len = offset % LINE ? LINE - offset % LINE : 1;
	return offset % LINE ? rest : bytes + offset / LINE;
}

static void *bounce(struct mapping_slot *slot, size_t offset, size_t *len)
{
	static u8 rest[LINE];
	unsigned int b;

	settle();
	for (b = 0; b < SPEC_BYTES; b++) {
		if (world->g->lines == 2 ? b * LINE != offset : offset)
			continue;
		note('b', slot_index(slot));
		note(b ? '1' : '0', 0);
	}
	if (defect == SPEC_WRONG_SLOT_BYTE && world->g->lines == 1) {
		*len = 1;
		offset = SPEC_BYTES - 1 - offset;
	}
	return model_byte(world->hw.slot[slot_index(slot)], rest, offset, len);
}

static void *memory(struct mapping_slot *slot, size_t offset, size_t *len)
{
	static u8 rest[LINE];

	settle();
	for (unsigned int line = 0; line < lines(); line++)
		if (world->g->lines == 1 || offset == line * LINE)
			prefetch(&world->hw, line);
	memcpy(world->before, world->hw.cached, SPEC_BYTES);
	world->handed_out = true;
	return model_byte(world->hw.cached, rest, offset, len);
}

static const struct mapping_slot_ops ops = {
	.sync_for_device = sync_for_device,
	.sync_for_cpu = sync_for_cpu,
	.clean_invalidate = clean_invalidate,
	.bounce = bounce,
	.memory = memory,
};

static const struct mapping_slot_ops linux_ops = {
	.sync_for_device = sync_for_device,
	.sync_for_cpu = sync_for_cpu,
};

/* --- outside the directory -------------------------------------------------------------------- */

static const struct spec_agent *agent_of_device(const struct device *dev)
{
	return &world->g->agents[dev - world->device];
}

enum dma_domain model_device_domain(struct device *dev)
{
	return agent_of_device(dev)->place == IN_MEMORY ? DMA_DOMAIN_MEMORY : DMA_DOMAIN_CACHES;
}

void model_table_sync(struct device *dev, struct sg_table *sgt, size_t offset, size_t len,
		      enum dma_table_op op)
{
	if (agent_of_device(dev)->place == IN_MEMORY)
		maintain_lines(op == DMA_TABLE_CLEAN        ? 'c'
			       : op == DMA_TABLE_INVALIDATE ? 'i'
							    : 'x',
			       offset, len);
}

/* Nobody who brackets is bounced here. */
void model_sync_bounced(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	abort();
}

/* A fresh mapping, as Linux makes it: all of the slot, or all of the memory. */
static void map_afresh(const struct spec_agent *agent)
{
	if (agent->place == IN_SLOT) {
		prefetch(&world->hw, 0);
		memcpy(world->hw.slot[agent->slot], world->hw.cached, SPEC_BYTES);
	} else {
		clean(&world->hw, 0);
	}
}

static void unmap_afresh(const struct spec_agent *agent, enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE)
		return;
	if (agent->place == IN_SLOT) {
		memcpy(world->hw.cached, world->hw.slot[agent->slot], SPEC_BYTES);
		world->hw.line[0] = 'd';
	} else {
		invalidate(&world->hw, 0);
	}
}

static struct sg_table *exporter_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	if (!world->halves)
		map_afresh(agent_of_device(attach->dev));
	return &world->table;
}

static void exporter_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	settle();
	if (!world->halves)
		unmap_afresh(agent_of_device(attach->dev), dir);
}

/* --- a state in real structures --------------------------------------------------------------- */

static struct coherence *directory(void)
{
	return &world->buffer.coherence;
}

static size_t buffer_size(void)
{
	return world->g->lines == 2 ? 2 * LINE : SPEC_BYTES;
}

static unsigned int does(char m)
{
	return m == 'R' ? COHERENCE_READ : m == 'W' ? COHERENCE_WRITE : m == 'X' ? READ_WRITE : 0;
}

static enum dma_data_direction dir_of(char m)
{
	return m == 'R' ? DMA_TO_DEVICE : m == 'W' ? DMA_FROM_DEVICE : DMA_BIDIRECTIONAL;
}

static u32 count_of(char m)
{
	return m == 'R' ? SLOT_READER : m == '-' ? 0 : SLOT_WRITER;
}

static bool writes(char m)
{
	return m == 'W' || m == 'X';
}

static bool covers(const struct spec_state *s, unsigned int i, unsigned int line)
{
	return s->part[i] < '0' || s->part[i] > '1' || s->part[i] == (char)('0' + line);
}

static coherence_set to_c(unsigned int set)
{
	const struct spec_graph *g = world->g;
	coherence_set bits = set & 3;

	for (unsigned int i = 0; i < g->nr_agents; i++)
		if (g->agents[i].domain > 2 && set & g->agents[i].domain)
			bits |= world->slots[i].member.bit;
	return bits;
}

static void join(unsigned int i, char place)
{
	const struct spec_agent *agent = &world->g->agents[i];
	struct mapping_slot *slot = &world->slots[i];

	slot->table_dir = dir_of(agent->table ?: 'X');
	if (place == 'V') {
		slot->member.domain = COHERENCE_CACHES;
		slot->member.device_memory = true;
	}
	if (coherence_join(directory(), slot))
		abort();
	atomic_set(&slot->word, slot_permission(slot->table_dir));
}

/* A bracket of a part says less than a line: it is rounded out. */
static void cpu_brackets(unsigned int i, char part, char mode, bool begin)
{
	size_t offset = 0, len = buffer_size();

	if (part == '0' || part == '1') {
		offset = (part - '0') * LINE + 5;
		len = 3;
	}
	if (!begin)
		coherence_cpu_end(directory(), offset, len, does(mode));
	else if (coherence_cpu_begin(directory(), offset, len, does(mode)))
		abort();
}

static void exporter_brackets(unsigned int i, struct sg_table *sgt, char mode, bool begin)
{
	struct dma_buf *dmabuf = &world->buffer.dmabuf;

	if (!begin)
		dma_buf_end_exporter_access(dmabuf, &world->device[i], sgt, dir_of(mode));
	else if (dma_buf_begin_exporter_access(dmabuf, &world->device[i], sgt, dir_of(mode)))
		abort();
}

static void fresh_mapping(unsigned int i, char mode, bool map)
{
	struct dma_resv *resv = world->buffer.dmabuf.resv;

	dma_resv_lock(resv, NULL);
	if (!map)
		remap_unmap(world->fresh[i], &world->table, dir_of(mode));
	else if (remap_map(world->fresh[i], dir_of(mode)) != &world->table)
		abort();
	dma_resv_unlock(resv);
}

static void restore_agent(const struct spec_state *s, unsigned int i)
{
	const struct spec_agent *agent = &world->g->agents[i];
	struct mapping_slot *slot = &world->slots[i];
	bool open = s->open[i] != '-';

	switch (agent->kind) {
	case A_CPU:
		if (open)
			cpu_brackets(i, s->part[i], s->open[i], true);
		break;
	case A_TOLD:
		if (open)
			exporter_brackets(i, NULL, s->open[i], true);
		break;
	case A_FRESH:
		world->fresh[i] =
			remap_attach(&world->buffer.dmabuf, &world->device[i], NULL, NULL, false);
		if (open)
			fresh_mapping(i, s->open[i], true);
		break;
	case A_SLOT:
		mapping_slot_init(slot, world->g->linux_shape ? &linux_ops : &ops, NULL,
				  directory(),
				  agent->place == IN_MEMORY ? COHERENCE_MEMORY
				  : agent->place == IN_SLOT ? COHERENCE_BOUNCE
							    : COHERENCE_CACHES,
				  false, (void *)(unsigned long)agent->slot);
		if (s->joined[i] != 'j' && s->place == 'S')
			break;
		join(i, s->place);
		atomic_add(count_of(s->open[i]), &slot->word);
		if (slot->member.twin)
			for (unsigned int b = 0; b < SPEC_BYTES; b++)
				slot->member.twin[world->g->lines == 2 ? b * LINE : b] =
					s->twin[agent->slot][b];
		break;
	case AN_ENGINE:
	case NOBODY_KNOWS:
		break;
	}
}

/* c_clean may be claimed: nothing is dirty and nobody of C is writing. */
bool spec_world_known_clean(const struct spec_graph *g, const struct spec_state *s,
			    unsigned int line)
{
	for (unsigned int i = 0; i < g->nr_agents; i++)
		if (g->agents[i].domain == 1 && writes(s->open[i]) && covers(s, i, line))
			return false;
	return s->hw.line[line] != 'd' && !g->untold;
}

void spec_world_restore(const struct spec_graph *g, const struct spec_state *s, bool c_clean)
{
	struct coherence *c;
	unsigned int i;

	memset(world, 0, sizeof(*world));
	world->g = g;
	world->hw = s->hw;
	world->halves = true;
	world->ops = (struct dma_buf_ops){ .map_dma_buf = exporter_map,
					   .unmap_dma_buf = exporter_unmap,
					   .tells_own_access = !g->untold };
	world->buffer.dmabuf.ops = &world->ops;
	world->buffer.dmabuf.size = buffer_size();
	world->buffer.dmabuf.resv = &world->buffer.own_resv;
	world->buffer.policy = DMA_BUF_POLICY_CACHED;
	INIT_LIST_HEAD(&world->buffer.dmabuf.attachments);
	INIT_LIST_HEAD(&world->buffer.fresh);
	dma_resv_init(&world->buffer.own_resv);
	c = directory();
	coherence_init(c, buffer_size());
	if (buffer_exporter_init(&world->buffer))
		abort();
	/* Somebody outside C has been there, if only to leave. */
	for (i = 0; i < lines(); i++)
		c->shared |= s->whole[i] != 1;
	for (i = 0; i < g->nr_agents; i++)
		restore_agent(s, i);
	/* What joined and opened so far has moved the model's bytes. */
	world->hw = s->hw;
	world->handed_out = false;

	if (g->lines == 2 && c->nr_ranges == 1) {
		c->ranges[1] = c->ranges[0];
		c->ranges[1].start = LINE;
		c->ranges[1].pins = 0;
		c->nr_ranges = 2;
	}
	for (i = 0; i < lines(); i++) {
		c->ranges[i].whole = to_c(s->whole[i]);
		c->ranges[i].c_clean = c_clean && spec_world_known_clean(g, s, i);
	}
	coherence_lock(c);
	coherence_unlock(c);
	world->log[0] = 0;
}

/* The state is what it is; nothing more is to be moved. */
void spec_world_clear(const struct spec_state *now)
{
	struct coherence *c = directory();
	struct coherence_member *member, *next;
	unsigned int i;

	world->halves = true;
	list_for_each_entry_safe(member, next, &c->members, node) {
		list_del_init(&member->node);
		kvfree(member->twin);
	}
	for (i = 0; i < c->nr_ranges; i++)
		c->ranges[i].whole = COHERENCE_SET_C;
	for (i = 0; i < world->g->nr_agents; i++) {
		if (!world->fresh[i])
			continue;
		if (now->open[i] != '-')
			fresh_mapping(i, now->open[i], false);
		remap_detach(world->fresh[i]);
	}
	buffer_exporter_fini(&world->buffer);
	while (!list_empty(&c->brackets))
		coherence_cpu_end(c, 0, buffer_size(), READ_WRITE);
	coherence_fini(c);
	dma_resv_fini(&world->buffer.own_resv);
}

/* --- one edge --------------------------------------------------------------------------------- */

/* Whether the lock-free look would have let agent @i pass without coming here. */
static bool look_passes(unsigned int i, char open)
{
	const struct mapping_slot *slot = &world->slots[i];

	if (open == '-')
		return (slot_look(slot) & slot->begin_mask) == slot->begin_want;
	return (slot_look(slot) & slot->end_mask[writes(open)]) == slot->end_want[writes(open)];
}

/* An unmap of the exporter's that syncs: what must be before it is open to nobody, and clean. */
static void leave(unsigned int i)
{
	struct mapping_slot *slot = &world->slots[i];

	if (world->g->linux_shape) {
		coherence_lock(directory());
		coherence_begin(directory(), slot, COHERENCE_READ);
		coherence_unlock(directory());
	}
	coherence_leave(directory(), slot);
	if (world->g->linux_shape)
		sync_for_cpu(slot, 0, buffer_size(), slot->table_dir);
}

static void copy_place(enum spec_place engine, bool to_vram)
{
	struct spec_hardware *hw = &world->hw;

	if (engine == IN_CACHES)
		prefetch(hw, 0);
	if (to_vram) {
		memcpy(hw->vram, engine == IN_CACHES ? hw->cached : hw->memory, SPEC_BYTES);
	} else {
		memcpy(engine == IN_CACHES ? hw->cached : hw->memory, hw->vram, SPEC_BYTES);
		if (engine == IN_CACHES)
			hw->line[0] = 'd';
	}
}

/* As drivers/exporters/vram.c does it, after the slots that are kept have gone. */
static void move(unsigned int engine, char place)
{
	struct sg_table *reads = place == 'S' ? &world->table : NULL;
	struct sg_table *writes = place == 'V' ? &world->table : NULL;
	struct spec_hardware *hw = &world->hw;

	for (unsigned int i = 0; i < world->g->nr_agents; i++)
		if (world->g->agents[i].kind == A_SLOT)
			coherence_leave(directory(), &world->slots[i]);
	settle();
	if (place == 'V') {
		memset(hw->memory, 7, SPEC_BYTES);
		memset(hw->cached, 7, SPEC_BYTES);
		hw->line[0] = 'd';
	}
	exporter_brackets(engine, reads, 'R', true);
	exporter_brackets(engine, writes, 'W', true);
	copy_place(world->g->agents[engine].place, place == 'S');
	exporter_brackets(engine, writes, 'W', false);
	exporter_brackets(engine, reads, 'R', false);
	if (place == 'S') {
		memset(hw->memory, 7, SPEC_BYTES);
		hw->line[0] = '-';
	} else {
		memset(hw->vram, 7, SPEC_BYTES);
	}
}

static bool slot_begins(const struct spec_state *s, unsigned int i, char mode)
{
	struct mapping_slot *slot = &world->slots[i];
	bool passes;

	if (s->joined[i] != 'j' && s->place == 'S') {
		join(i, 'S');
		world->log[0] = 0;
	}
	atomic_add(count_of(mode), &slot->word);
	passes = look_passes(i, '-');
	coherence_lock(directory());
	coherence_begin(directory(), slot, does(mode));
	coherence_unlock(directory());
	return passes;
}

static bool slot_ends(unsigned int i, char mode)
{
	struct mapping_slot *slot = &world->slots[i];
	bool passes = look_passes(i, mode);

	coherence_lock(directory());
	coherence_end(directory(), slot, does(mode));
	atomic_sub(count_of(mode), &slot->word);
	coherence_unlock(directory());
	return passes;
}

/*
 * Does what the edge says; an outsider's call with both its halves, if @whole.  Returns whether a
 * look would have passed it by.
 */
bool spec_world_perform(const struct spec_state *s, const char *what, bool whole)
{
	unsigned int i = spec_agent_of(world->g, what);
	const char *arguments = strchr(what, ',');
	bool begin = what[0] == 'b';
	char mode = begin ? arguments[1] : s->open[i];
	/* "begin(cpu,R,1)" */
	char part = begin && arguments[2] == ',' ? arguments[3] : s->part[i];
	bool passes = false;

	whole &= s->place == 'S';
	world->halves = !whole;
	if (what[0] == 'l') {
		leave(i);
	} else if (what[0] == 'm') {
		move(i, s->place);
	} else {
		switch (world->g->agents[i].kind) {
		case A_CPU:
			cpu_brackets(i, part, mode, begin);
			break;
		case A_TOLD:
			exporter_brackets(i, whole ? &world->table : NULL, mode, begin);
			break;
		case A_FRESH:
			fresh_mapping(i, mode, begin);
			break;
		default:
			passes = begin ? slot_begins(s, i, mode) : slot_ends(i, mode);
		}
	}
	settle();
	return passes;
}

/* Whether the two differ in anything that somebody could ever notice. */
static bool hardware_differs(const struct spec_hardware *a, const struct spec_hardware *b,
			     char place)
{
	struct spec_hardware x = *a, y = *b;
	struct spec_hardware *hw[] = { &x, &y };

	if (place == 'V')
		return memcmp(x.vram, y.vram, SPEC_BYTES);
	for (int i = 0; i < 2; i++) {
		for (unsigned int line = 0; line < lines(); line++) {
			bool same = true;

			prefetch(hw[i], line); /* a prefetch away */
			for (unsigned int b = 0; b < SPEC_BYTES; b++)
				same &= !in_line(b, line) || hw[i]->cached[b] == hw[i]->memory[b];
			if (same)
				hw[i]->line[line] = 'c'; /* a write back of nothing away */
		}
	}
	return memcmp(&x, &y, sizeof(x));
}

const char *spec_world_differs(const struct spec_state *to)
{
	const struct spec_graph *g = world->g;
	struct coherence *c = directory();
	const char *differs = NULL;
	unsigned int line, i;
	bool cut = false;

	coherence_lock(c);
	for (line = 0; line < lines(); line++) {
		unsigned int any = g->untold, writing = g->untold;

		for (i = 0; i < g->nr_agents; i++) {
			unsigned int d = to->place == 'V' ? 1 : g->agents[i].domain;

			if (to->open[i] == '-' || !covers(to, i, line))
				continue;
			any |= d;
			writing |= writes(to->open[i]) ? d : 0;
		}
		for (i = 0; i < g->nr_agents; i++)
			cut |= to->part[i] == '0' || to->part[i] == '1';
		if (coherence_whole_at(c, line * LINE + 1) != to_c(to->whole[line]))
			differs = "whole";
		if (coherence_open_at(c, line * LINE, READ_WRITE) != to_c(any) ||
		    coherence_open_at(c, line * LINE, COHERENCE_WRITE) != to_c(writing))
			differs = "open";
		i = line && c->nr_ranges > 1 ? 1 : 0;
		if (c->ranges[i].c_clean && world->hw.line[line] == 'd' && to->place == 'S')
			differs = "c_clean";
	}
	cut |= to->whole[0] != to->whole[g->lines - 1];
	cut |= c->nr_ranges == 2 && c->ranges[0].c_clean != c->ranges[1].c_clean;
	if (c->nr_ranges != 1u + cut)
		differs = "ranges";
	coherence_unlock(c);
	for (i = 0; i < g->nr_agents; i++) {
		const struct mapping_slot *slot = &world->slots[i];

		if (g->agents[i].domain < 4 || to->joined[i] != 'j' || to->place == 'V')
			continue;
		for (unsigned int b = 0; b < SPEC_BYTES; b++)
			if (!slot->member.twin || slot->member.twin[g->lines == 2 ? b * LINE : b] !=
							  to->twin[g->agents[i].slot][b])
				differs = "twin";
	}
	return hardware_differs(&world->hw, &to->hw, to->place) ? "bytes" : differs;
}

static void turn(u8 *byte)
{
	*byte ^= *byte < 2;
}

/* The newest byte is elsewhere now; see the script on how bytes are said. */
static void model_write(struct spec_hardware *hw, const struct spec_agent *agent, unsigned int b,
			char place)
{
	turn(&hw->memory[b]);
	turn(&hw->vram[b]);
	for (unsigned int k = 0; k < world->g->nr_slots; k++)
		turn(&hw->slot[k][b]);
	turn(&hw->cached[b]);
	if (place == 'V') {
		hw->vram[b] = 0;
	} else if (agent->place == IN_CACHES) {
		prefetch(hw, line_of(b));
		hw->cached[b] = 0;
		hw->line[line_of(b)] = 'd';
	} else if (agent->place == IN_MEMORY) {
		hw->memory[b] = 0;
	} else {
		hw->slot[agent->slot][b] = 0;
	}
}

/* The half of an outsider's call that is no transition. */
static void replay_half(const struct spec_graph *g, const struct spec_state *s, const char *what)
{
	unsigned int i = spec_agent_of(g, what);
	const struct spec_agent *agent = &g->agents[i];
	bool before = what[0] == 's' || what[0] == 'b';
	struct dma_buf *dmabuf = &world->buffer.dmabuf;

	if (s->place == 'V')
		return;
	if (agent->kind != A_TOLD && before)
		map_afresh(agent);
	else if (agent->kind != A_TOLD)
		unmap_afresh(agent, dir_of(s->open[i]));
	else if (before)
		bring_up_to_date(dmabuf, &world->device[i], &world->table, dir_of(s->open[i]));
	else
		fetch_what_it_wrote(dmabuf, &world->device[i], &world->table);
}

/* That the model's hardware is the specification's, and what is done there outside the directory. */
const char *spec_world_hardware(const struct spec_graph *g, const struct spec_state *s,
				const struct spec_edge *e)
{
	struct spec_hardware *hw = &world->hw;
	const char *comma = strchr(e->label, ',');
	unsigned int b = comma ? comma[1] - '0' : 0;

	memset(world, 0, sizeof(*world));
	world->g = g;
	world->ops.tells_own_access = !g->untold;
	world->buffer.dmabuf.ops = &world->ops;
	world->buffer.dmabuf.size = buffer_size();
	*hw = s->hw;
	if (!strncmp(e->label, "prefetch", 8)) {
		prefetch(hw, b);
	} else if (!strncmp(e->label, "evict", 5)) {
		hw->line[b] = '-';
	} else if (!strncmp(e->label, "write back", 10)) {
		clean(hw, b);
		if (strstr(e->label, "evict"))
			hw->line[b] = '-';
	} else if (!strncmp(e->label, "write(", 6)) {
		model_write(hw, &g->agents[spec_agent_of(g, e->label)], b, s->place);
	} else if (!strncmp(e->label, "read(", 5)) {
		const struct spec_agent *agent = &g->agents[spec_agent_of(g, e->label)];

		if (s->place == 'S' && agent->place == IN_CACHES)
			prefetch(hw, b);
	} else {
		replay_half(g, s, e->label);
	}
	return hardware_differs(hw, &g->states[e->to].hw, s->todo[0] == '-' ? s->place : 'S')
		       ? "hardware"
		       : NULL;
}

const char *spec_world_log(void)
{
	return world->log;
}

void spec_world_init(enum spec_defect with)
{
	defect = with;
	world = calloc(1, sizeof(*world));
	if (!world)
		abort();
}

void spec_world_fini(void)
{
	free(world);
	defect = SPEC_SOUND;
}
