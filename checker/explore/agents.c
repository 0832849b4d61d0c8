/* SPDX-License-Identifier: MIT */
/*
 * agents.c - see scene.h: what is legal, what it does, and what must hold then
 *
 * Legal is by line and domain, as in checker/coherence-spec.py: `synced` are the domains that an
 * ordering point has shown the last foreign write to the line.  A begin adds its own; the end of
 * the writer's access adds those of everybody who has the line open.  A mapping that is not kept
 * promises what mapping afresh does: beside it nobody is open who writes, and it writes beside
 * nobody.
 *
 * Deliberately not here: misuse (a detach of what is mapped), and what only drivers without fences
 * do.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <stdio.h>
#include <string.h>

#include "checker/explore/arena.h"
#include "checker/explore/scene.h"
#include "core/buffer.h"
#include "core/slot-set.h"
#include "dma/cache.h"
#include "dma/engine.h"
#include "dma/fault.h"
#include "dma/view.h"

static char violation[256]; /* what the last one returned was */

/* The operation under way, for those who go on meanwhile. */
static struct scene *under_way;
static const struct operation *now;

/* --- what is legal ---------------------------------------------------------------------------- */

/* The CPU's directions say it the other way round. */
static bool may_load(const struct agent *a)
{
	return a->dir != (a->dev ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

static bool may_store(const struct agent *a)
{
	return a->dir != (a->dev ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
}

static bool covers(const struct agent *a, unsigned int line)
{
	return a->open && line >= a->first && line < a->last;
}

static bool accesses(const struct scene *w, const struct agent *a, unsigned int line)
{
	return covers(a, line) && !a->paused && !a->told && w->synced[line] & a->domain;
}

/* May two accesses be open at once, one of which stores? */
static bool share(const struct agent *a, const struct agent *other)
{
	return !a->fresh && !other->fresh;
}

/* May @a open one more access, that stores or not? */
static bool fits(const struct scene *w, const struct agent *a, bool stores)
{
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		const struct agent *other = &w->agents[i];

		if (other->open && !other->told && (stores || may_store(other)) && !share(a, other))
			return false;
	}
	return true;
}

struct list {
	struct operation *ops;
	unsigned int nr;
};

static void add(struct list *list, enum operation_kind kind, unsigned int agent, unsigned int a,
		unsigned int b)
{
	list->ops[list->nr++] = (struct operation){ .kind = kind, .agent = agent, .a = a, .b = b };
}

static void own_operations(const struct scene *w, unsigned int i, struct list *list)
{
	const struct agent *a = &w->agents[i];

	if (w->config.exporter == EXPLORE_BLIND)
		return;
	if (a->open) {
		add(list, OP_OWN_END, i, 0, 0);
		return;
	}
	for (unsigned int dir = 0; dir < DMA_NONE; dir++)
		if (fits(w, a, dir != DMA_TO_DEVICE))
			add(list, OP_OWN_BEGIN, i, dir, 0);
}

static void device_operations(const struct scene *w, unsigned int i, struct list *list)
{
	const struct agent *a = &w->agents[i];

	if (!a->attach) {
		add(list, OP_ATTACH, i, 0, 0);
		return;
	}
	if (a->open) {
		if (!a->told)
			add(list, a->paused ? OP_BEGIN_ACCESS : OP_END_ACCESS, i, 0, 0);
		add(list, OP_UNMAP, i, 0, 0);
		return;
	}
	add(list, OP_DETACH, i, 0, 0);
	for (unsigned int dir = 0; dir < DMA_NONE; dir++)
		if (fits(w, a, dir != DMA_TO_DEVICE))
			add(list, OP_MAP, i, dir, 0);
}

static void cpu_operations(const struct scene *w, unsigned int i, struct list *list)
{
	const struct agent *a = &w->agents[i];

	if (a->open) {
		add(list, a->kind->brackets ? OP_CPU_END : OP_VUNMAP, i, 0, 0);
		return;
	}
	if (!a->kind->brackets) {
		if (fits(w, a, true))
			add(list, OP_VMAP, i, 0, 0);
		return;
	}
	if (w->revoked)
		return;
	for (unsigned int dir = 0; dir < DMA_NONE; dir++) {
		if (!fits(w, a, dir != DMA_FROM_DEVICE))
			continue;
		for (unsigned int range = 0; range <= w->lines; range++)
			if (range != 1 || w->lines > 1)
				add(list, OP_CPU_BEGIN, i, dir, range);
	}
}

static void write_operations(const struct scene *w, unsigned int i, struct list *list)
{
	const struct agent *a = &w->agents[i];

	if (!a->open || !may_store(a))
		return;
	for (unsigned int nr = 0; nr < SCENE_BYTES(w->lines); nr++)
		if (accesses(w, a, scene_byte(nr) / SCENE_LINE))
			add(list, OP_WRITE, i, nr, 0);
}

/* Those that the caches may touch: of both places. */
static unsigned int cached_lines(const struct scene *w)
{
	return w->there.page ? 2 * w->lines : w->lines;
}

static unsigned int cached_line(const struct scene *w, unsigned int nr)
{
	return nr < w->lines ? nr : SCENE_LINES + nr - w->lines;
}

unsigned int scene_operations(const struct scene *w, struct operation *ops)
{
	struct list list = { ops, 0 };

	for (unsigned int i = 0; i < w->nr_agents; i++) {
		if (w->agents[i].kind->exporter)
			own_operations(w, i, &list);
		else if (w->agents[i].dev)
			device_operations(w, i, &list);
		else
			cpu_operations(w, i, &list);
		write_operations(w, i, &list);
	}
	if (!list_empty(&slot_lru.sets))
		add(&list, OP_RECLAIM, 0, 0, 0);
	if (moves_may_move(w))
		add(&list, OP_MOVE, 0, 0, 0);
	if (moves_may_revoke(w))
		add(&list, OP_REVOKE, 0, 0, 0);
	for (unsigned int nr = 0; nr < cached_lines(w); nr++) {
		unsigned int line = cached_line(w, nr);
		bool dirty = scene_line_is_dirty(w, line);

		if (dirty)
			add(&list, OP_WRITE_BACK, 0, line, 0);
		if (dirty ||
		    memcmp(scene_line(w, line), cache_behind(scene_phys(w, line)), SCENE_LINE))
			add(&list, OP_REFETCH, 0, line, 0);
	}
	return list.nr;
}

/* --- ordering points -------------------------------------------------------------------------- */

static void begun(struct scene *w, struct agent *a)
{
	for (unsigned int line = a->first; line < a->last; line++)
		if (!(w->raced & 1u << line))
			w->synced[line] |= a->domain;
}

/* Its access is over; it may still be open for another one. */
static void ended(struct scene *w, struct agent *a)
{
	if (!may_store(a))
		return;
	for (unsigned int line = a->first; line < a->last; line++) {
		if (w->writer[line] != a->domain || w->raced & 1u << line)
			continue;
		for (unsigned int i = 0; i < w->nr_agents; i++)
			if (&w->agents[i] != a && covers(&w->agents[i], line))
				w->synced[line] |= w->agents[i].domain;
	}
}

static void opened(struct scene *w, struct agent *a, enum dma_data_direction dir,
		   unsigned int range)
{
	a->open = true;
	a->paused = false;
	a->dir = dir;
	a->range = range;
	a->first = range ? range - 1 : 0;
	a->last = range ? range : w->lines;
	begun(w, a);
}

static void closed(struct scene *w, struct agent *a)
{
	ended(w, a);
	a->open = a->paused = a->told = false;
	a->sgt = NULL;
}

/* --- doing it --------------------------------------------------------------------------------- */

/* Who writes lets go at once: what his unmap brings back is to be copied.  Readers take their time. */
void agent_is_told(struct scene *w, struct agent *a)
{
	if (!a->open)
		return;
	a->told = true;
	if (!a->fresh || !may_store(a))
		return;
	dma_buf_unmap_attachment(a->attach, a->sgt, a->dir);
	closed(w, a);
}

static void on_move(struct dma_buf_attachment *attach)
{
	struct scene *w = attach->dmabuf->priv;

	for (unsigned int i = 0; i < w->nr_agents; i++)
		if (w->agents[i].attach == attach)
			agent_is_told(w, &w->agents[i]);
}

static const struct dma_buf_attach_ops dynamic_ops = { .move_notify = on_move };

static const char *attaches(struct scene *w, struct agent *a)
{
	const struct dma_buf_attach_ops *ops = a->kind->dynamic ? &dynamic_ops : NULL;
	struct dma_buf_attachment *attach;

	if (a->kind->no_snoop)
		attach = dma_buf_attach_no_snoop(w->dmabuf, a->dev, ops, NULL);
	else
		attach = dma_buf_dynamic_attach(w->dmabuf, a->dev, ops, NULL);
	if (w->revoked)
		return attach == ERR_PTR(-ENODEV) ? NULL : "attach to what was taken away";
	if (IS_ERR(attach))
		return "attach fails";
	a->attach = attach;
	return NULL;
}

/* A dynamic importer holds the reservation, as it must. */
static const char *maps(struct scene *w, unsigned int i, enum dma_data_direction dir)
{
	struct agent *a = &w->agents[i];
	struct scene_table *table;
	struct sg_table *sgt;

	if (a->kind->dynamic) {
		dma_resv_lock(w->dmabuf->resv, NULL);
		sgt = dma_buf_map_attachment(a->attach, dir);
		dma_resv_unlock(w->dmabuf->resv);
	} else {
		sgt = dma_buf_map_attachment_unlocked(a->attach, dir);
	}
	if (w->revoked)
		return sgt == ERR_PTR(-ENODEV) ? NULL : "a map of what was taken away";
	if (IS_ERR(sgt))
		return "map fails";
	a->sgt = sgt;
	table = scene_table_of(w, i, sgt);
	if (!table)
		return "map returns a table that the exporter did not make";
	table->asked |= dma_may(dir);
	opened(w, a, dir, 0);
	return NULL;
}

/* What the importer's device does to its slot by accident. */
static void lose_slot(struct scene *w, struct agent *a)
{
	size_t len;
	u8 *slot = dma_table_bounce(a->dev, a->sgt, 0, &len);

	if (slot)
		memset(slot, 0, w->dmabuf->size);
}

static void unmaps(struct scene *w, struct agent *a)
{
	if (w->config.fault == EXPLORE_LOSES_SLOT)
		lose_slot(w, a);
	if (!a->kind->dynamic && !w->revoked) {
		dma_buf_unmap_attachment_unlocked(a->attach, a->sgt, a->dir);
		closed(w, a);
		return;
	}
	dma_resv_lock(w->dmabuf->resv, NULL);
	dma_buf_unmap_attachment(a->attach, a->sgt, a->dir);
	closed(w, a);
	dma_resv_unlock(w->dmabuf->resv);
	if (w->revoked)
		moves_reap();
}

/* A part of the line: brackets round out. */
static size_t bracket_offset(unsigned int range)
{
	return range ? (range - 1) * SCENE_LINE + 1 : 0;
}

static size_t bracket_len(const struct scene *w, unsigned int range)
{
	return range ? 3 : w->dmabuf->size;
}

static const char *cpu_begin(struct scene *w, struct agent *a, enum dma_data_direction dir,
			     unsigned int range)
{
	int ret = 0;

	if (w->config.fault != EXPLORE_NO_CPU_BEGIN)
		ret = dma_buf_begin_cpu_access_partial(w->dmabuf, dir, bracket_offset(range),
						       bracket_len(w, range));
	if (ret)
		return "begin_cpu_access fails";
	opened(w, a, dir, range);
	return NULL;
}

static const char *cpu_end(struct scene *w, struct agent *a)
{
	if (dma_buf_end_cpu_access_partial(w->dmabuf, a->dir, bracket_offset(a->range),
					   bracket_len(w, a->range)))
		return "end_cpu_access fails";
	closed(w, a);
	return NULL;
}

static const char *cpu_maps(struct scene *w, struct agent *a)
{
	int ret = dma_buf_vmap_unlocked(w->dmabuf, &a->map);

	if (w->revoked)
		return ret == -ENODEV ? NULL : "a vmap of what was taken away";
	if (ret)
		return "vmap fails";
	opened(w, a, DMA_BIDIRECTIONAL, 0);
	return NULL;
}

static const char *own_begin(struct scene *w, struct agent *a, enum dma_data_direction dir)
{
	if (dma_buf_begin_exporter_access(w->dmabuf, a->dev, a->always, dir))
		return "begin_exporter_access fails";
	a->sgt = a->always;
	opened(w, a, dir, 0);
	return NULL;
}

/* A value that no copy of this byte has: all that the core does with values is to compare them. */
static u8 fresh_value(const struct scene *w, size_t offset)
{
	const u8 *copies[SCENE_COPIES];
	unsigned int nr = scene_copies(w, copies), i;
	u8 value = 0;

	do {
		value++;
		for (i = 0; i < nr && copies[i][offset] != value;)
			i++;
	} while (i < nr);
	return value;
}

static u8 *cpu_sees(const struct scene *w, const struct agent *a)
{
	return a->past_caches ? cache_behind(scene_phys(w, 0)) : w->here.bytes;
}

static const char *writes(struct scene *w, struct agent *a, unsigned int nr)
{
	struct dma_cursor cursor = { .no_snoop = a->kind->no_snoop };
	unsigned int offset = scene_byte(nr), line = offset / SCENE_LINE;
	u8 value = fresh_value(w, offset);

	w->flat[offset] = value;
	w->synced[line] = w->writer[line] = a->domain;
	if (!a->dev)
		cpu_sees(w, a)[offset] = value;
	else if (dma_engine_write_from(a->dev, a->sgt, &cursor, offset, &value, 1))
		return "a device may not write what it has mapped to write";
	return NULL;
}

static void reclaim(void)
{
	dma_buf_cache_set_budget(0);
	dma_buf_cache_set_budget(SIZE_MAX);
}

/*
 * With nothing mapped, open or attached the core has what it had at first, the empty sets of
 * devices that were here, and perhaps a longer list of ranges.
 */
static const char *check_objects(const struct scene *w)
{
	const struct coherence *c = &to_buffer(w->dmabuf)->coherence;
	size_t objects = w->objects + (c->ranges != c->inline_ranges);
	struct slot_set *set;

	for (unsigned int i = 0; i < w->nr_agents; i++)
		if (w->agents[i].attach || w->agents[i].open)
			return NULL;
	if (scene_has_tables(w))
		return NULL;
	list_for_each_entry(set, &to_buffer(w->dmabuf)->sets, node)
		objects += 1 + !!set->rest + !!set->mapped_by + list_count_nodes(&set->late);
	return arena_objects() == objects ? NULL : "an object is left, or one too many gone (EX3)";
}

static const char *carry_out(struct scene *w, const struct operation *op)
{
	struct agent *a = &w->agents[op->agent];

	switch ((enum operation_kind)op->kind) {
	case OP_ATTACH:
		return attaches(w, a);
	case OP_DETACH:
		dma_buf_detach(w->dmabuf, a->attach);
		a->attach = NULL;
		break;
	case OP_MAP:
		return maps(w, op->agent, op->a);
	case OP_UNMAP:
		unmaps(w, a);
		break;
	case OP_END_ACCESS:
		dma_buf_end_access(a->attach, a->sgt, a->dir);
		ended(w, a);
		a->paused = true;
		break;
	case OP_BEGIN_ACCESS:
		if (w->config.fault != EXPLORE_NO_DEVICE_SYNC)
			dma_buf_begin_access(a->attach, a->sgt, a->dir);
		a->paused = false;
		begun(w, a);
		break;
	case OP_CPU_BEGIN:
		return cpu_begin(w, a, op->a, op->b);
	case OP_CPU_END:
		return cpu_end(w, a);
	case OP_VMAP:
		return cpu_maps(w, a);
	case OP_VUNMAP:
		dma_buf_vunmap_unlocked(w->dmabuf, &a->map);
		closed(w, a);
		break;
	case OP_OWN_BEGIN:
		return own_begin(w, a, op->a);
	case OP_OWN_END:
		dma_buf_end_exporter_access(w->dmabuf, a->dev, a->always, a->dir);
		closed(w, a);
		break;
	case OP_WRITE:
		return writes(w, a, op->a);
	case OP_RECLAIM:
		reclaim();
		break;
	case OP_MOVE:
		return moves_move(w);
	case OP_REVOKE:
		return moves_revoke(w);
	case OP_WRITE_BACK:
		cache_maintain(scene_phys(w, op->a), SCENE_LINE, DMA_TABLE_CLEAN);
		break;
	case OP_REFETCH:
		cache_maintain(scene_phys(w, op->a), SCENE_LINE, DMA_TABLE_CLEAN_INVALIDATE);
		break;
	case OP_READ:
	case OP_KINDS:
		break;
	}
	return NULL;
}

/* --- what must hold --------------------------------------------------------------------------- */

static const char *read_line(struct scene *w, struct agent *a, unsigned int line)
{
	struct dma_cursor cursor = { .no_snoop = a->kind->no_snoop };
	const u8 *newest = w->flat + line * SCENE_LINE, *got;
	u8 bytes[SCENE_LINE];
	unsigned int at = 0;

	if (a->dev) {
		if (dma_engine_read_from(a->dev, a->sgt, &cursor, line * SCENE_LINE, bytes,
					 SCENE_LINE))
			return "a device may not read what it has mapped to read (EX2)";
		got = bytes;
	} else {
		got = cpu_sees(w, a) + line * SCENE_LINE;
	}
	if (!memcmp(got, newest, SCENE_LINE))
		return NULL;
	while (got[at] == newest[at])
		at++;
	snprintf(violation, sizeof(violation),
		 "%s reads line %u and finds an old byte %u: %u, the newest is %u (EX1)", a->name,
		 line, at, got[at], newest[at]);
	return violation;
}

static const char *check_permission(struct scene *w, const struct scene_table *table)
{
	struct dma_view *view = dma_view_of(w->agents[table->agent].dev);
	struct dma_reach at;

	for (unsigned int may = DMA_MAY_READ; may <= DMA_MAY_WRITE; may <<= 1) {
		bool can = dma_view_reach(view, table->addr, 1, may, &at) == DMA_FAULT_NONE;

		if (can == !!(table->asked & may))
			continue;
		snprintf(violation, sizeof(violation), "%s may %s%s, and %s (EX2)",
			 w->agents[table->agent].name, can ? "" : "not ",
			 may == DMA_MAY_READ ? "read" : "write",
			 can ? "nobody has asked for it" : "that was asked for");
		return violation;
	}
	return NULL;
}

/* All legal reads but those of agent @but. */
static const char *read_all(struct scene *w, unsigned int but, unsigned int *reads)
{
	const char *wrong;

	*reads = 0;
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		struct agent *a = &w->agents[i];

		for (unsigned int line = 0; line < w->lines; line++) {
			if (i == but || !accesses(w, a, line) || !may_load(a))
				continue;
			++*reads;
			wrong = read_line(w, a, line);
			if (wrong)
				return wrong;
		}
	}
	return NULL;
}

const char *scene_check(struct scene *w, unsigned int *reads)
{
	const char *wrong = read_all(w, EXPLORE_AGENTS, reads);

	if (wrong)
		return wrong;
	for (unsigned int i = 0; i < SCENE_TABLES; i++) {
		wrong = w->tables[i].sgt ? check_permission(w, &w->tables[i]) : NULL;
		if (wrong)
			return wrong;
	}
	return moves_check(w);
}

/* --- meanwhile -------------------------------------------------------------------------------- */

/* May @a be open when @op is done, and may one of the two store? */
static bool fits_beside(const struct scene *w, const struct agent *a, bool stores,
			const struct operation *op)
{
	switch ((enum operation_kind)op->kind) {
	case OP_MAP:
	case OP_OWN_BEGIN:
		stores |= op->a != DMA_TO_DEVICE;
		break;
	case OP_CPU_BEGIN:
		stores |= op->a != DMA_FROM_DEVICE;
		break;
	case OP_VMAP:
		stores = true;
		break;
	default:
		return true;
	}
	return !stores || share(a, &w->agents[op->agent]);
}

/* Maps and unmaps that may need no lock. */
static void hit_operations(const struct scene *w, unsigned int i, const struct operation *op,
			   struct list *list)
{
	const struct agent *a = &w->agents[i];

	if (!a->attach || a->fresh || a->kind->dynamic || a->domain != DOMAIN_M)
		return;
	/* Alone, or just after a write. */
	if (a->open)
		add(list, OP_UNMAP, i, 0, 0);
	for (unsigned int nr = 0; a->open && may_store(a) && nr < SCENE_BYTES(w->lines); nr++)
		if (accesses(w, a, scene_byte(nr) / SCENE_LINE))
			add(list, OP_UNMAP, i, nr + 1, 0);
	for (unsigned int dir = 0; !a->open && dir < DMA_NONE; dir++) {
		bool stores = dir != DMA_TO_DEVICE;

		if (fits(w, a, stores) && fits_beside(w, a, stores, op))
			add(list, OP_MAP, i, dir, 0);
	}
}

unsigned int scene_meanwhile(const struct scene *w, const struct operation *op,
			     struct operation *ops)
{
	struct list list = { ops, 0 };

	/* Who begins or ends accesses nothing until he has. */
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		if (i == op->agent && !scene_is_nobodys(op->kind))
			continue;
		write_operations(w, i, &list);
		hit_operations(w, i, op, &list);
	}
	for (unsigned int nr = 0; nr < cached_lines(w); nr++) {
		add(&list, OP_WRITE_BACK, 0, cached_line(w, nr), 0);
		add(&list, OP_REFETCH, 0, cached_line(w, nr), 0);
	}
	for (unsigned int i = 0; i < list.nr; i++) {
		const struct operation beside = ops[i];

		ops[i] = *op;
		ops[i].beside = beside.kind;
		ops[i].other = beside.agent;
		ops[i].what = beside.a;
	}
	return list.nr;
}

/*
 * Would it pass without a lock?  If not, it waits for the transition and comes after it.  Where the
 * reservation is held checking builds see that it is this thread's, and take the other for it.
 */
static bool hits(const struct scene *w, const struct agent *a, const struct operation *op)
{
	enum dma_data_direction dir = op->kind == OP_MAP ? op->a : a->dir;
	const struct mapping_slot *slot = a->attach->slot[dir];
	u32 word = slot ? atomic_read(&slot->word) : 0, need = slot_permission(dir);
	bool writes = slot_writes(dir);

	if ((word & (need | SLOT_FROZEN | SLOT_DEAD | SLOT_WANT | SLOT_KERNEL)) != need ||
	    (IS_ENABLED(LIBDMABUF_CHECKS) && dma_resv_held(w->dmabuf->resv)))
		return false;
	if (op->kind == OP_MAP)
		return (slot_look(slot) & slot->begin_mask) == slot->begin_want;
	return (slot_look(slot) & slot->end_mask[writes]) == slot->end_want[writes];
}

static const char *do_beside(struct scene *w, const struct operation *op)
{
	const struct operation beside = { op->beside, op->other, op->what };
	unsigned int line;
	const char *wrong = NULL;

	if (op->beside == OP_MAP || op->beside == OP_UNMAP) {
		if (!hits(w, &w->agents[op->other], &beside))
			return NULL;
		if (op->beside == OP_UNMAP && op->what)
			wrong = do_beside(w, &(struct operation){ .beside = OP_WRITE,
								  .other = op->other,
								  .what = op->what - 1 });
		return wrong ?: carry_out(w, &beside);
	}
	line = scene_byte(op->what) / SCENE_LINE;
	/* He has been told meanwhile. */
	if (op->beside == OP_WRITE && !accesses(w, &w->agents[op->other], line))
		return NULL;
	wrong = carry_out(w, &beside);
	if (op->beside != OP_WRITE)
		return wrong;
	w->raced |= 1u << line;
	/* As where clean and invalidate are two calls. */
	if (w->config.fault == EXPLORE_TWO_CALLS && w->agents[op->other].domain == DOMAIN_C)
		cache_maintain(scene_phys(w, line), SCENE_LINE, DMA_TABLE_INVALIDATE);
	return wrong;
}

/* Before a step of the operation under way. */
static void between_steps(void)
{
	struct scene *w = under_way;
	const char *wrong = NULL;
	unsigned int reads;

	dma_between_steps = NULL;
	if (++w->steps == now->step) {
		/* As another thread does it, which holds none of this one's locks. */
		lockdep_off();
		wrong = do_beside(w, now);
		lockdep_on();
	}
	wrong = wrong
			?: read_all(w, scene_is_nobodys(now->kind) ? EXPLORE_AGENTS : now->agent,
				    &reads);
	if (wrong && !w->wrong)
		w->wrong = wrong;
	dma_between_steps = between_steps;
}

const char *scene_do(struct scene *w, const struct operation *op)
{
	const char *wrong;

	w->steps = 0;
	w->raced = 0;
	if (op->kind == OP_WRITE || op->kind >= OP_ADVERSARY)
		return carry_out(w, op);
	under_way = w;
	now = op;
	dma_between_steps = between_steps;
	wrong = carry_out(w, op);
	dma_between_steps = NULL;
	moves_after(w);
	w->raced = 0;
	return wrong ?: w->wrong ?: check_objects(w);
}
