/* SPDX-License-Identifier: MIT */
/*
 * scene.c - see scene.h: the exporter, the devices, and their making and end
 *
 * The buffer is a few cache lines at the start of a page.  The CPU has filled it, so that a bounce
 * slot or memory behind the caches that nobody has brought up to date shows.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <stdio.h>
#include <string.h>

#include "checker/explore/arena.h"
#include "checker/explore/scene.h"
#include "core/buffer.h"
#include "core/slot-set.h"
#include "dma/cache.h"
#include "dma/fault.h"
#include "dma/machine.h"
#include "dma/view.h"
#include "host/memory.h"

#define FILLED 0xf1
#define BOUNCE_PAGES 8

const char *const explore_exporter_names[EXPLORE_EXPORTERS] = {
	[EXPLORE_WIDENS] = "widens", [EXPLORE_NARROW] = "narrow", [EXPLORE_PINS] = "pins",
	[EXPLORE_BLIND] = "blind",   [EXPLORE_SYNCS] = "syncs",   [EXPLORE_UNCACHED] = "uncached",
	[EXPLORE_MOVES] = "moves",
};

const char *const explore_fault_names[EXPLORE_FAULTS] = {
	[EXPLORE_SOUND] = "none",
	[EXPLORE_NO_SYNC] = "no-sync",
	[EXPLORE_ONE_SYNC_LESS] = "one-sync-less",
	[EXPLORE_UNMAP_SYNCS] = "unmap-syncs",
	[EXPLORE_MAP_WIDER] = "map-wider",
	[EXPLORE_NO_CPU_BEGIN] = "no-cpu-begin",
	[EXPLORE_NO_DEVICE_SYNC] = "no-device-sync",
	[EXPLORE_LOSES_SLOT] = "loses-slot",
	[EXPLORE_KEEPS_ADDRESS] = "keeps-address",
	[EXPLORE_TWO_CALLS] = "two-calls",
	[EXPLORE_LEAKS] = "leaks",
	[EXPLORE_MOVE_UNTOLD] = "move-untold",
	[EXPLORE_MOVE_NO_FREEZE] = "move-no-freeze",
	[EXPLORE_REUSES_EARLY] = "reuses-early",
};

const struct agent_kind agent_kinds[] = {
	{ .name = "cpu", .is = "the CPU, which brackets", .brackets = true },
	{ .name = "vmap", .is = "the CPU, through a mapping that nobody brackets" },
	{ .name = "co", .is = "a device that snoops", .machine = "arm", .coherent = true },
	{ .name = "nc", .is = "one that does not", .machine = "arm" },
	{ .name = "b", .is = "one behind bounce slots", .machine = "bounce", .coherent = true },
	{ .name = "ns",
	  .is = "one that could snoop and does not",
	  .machine = "arm",
	  .coherent = true,
	  .no_snoop = true },
	{ .name = "dco",
	  .is = "as co, a dynamic importer",
	  .machine = "arm",
	  .coherent = true,
	  .dynamic = true },
	{ .name = "dnc", .is = "as nc", .machine = "arm", .dynamic = true },
	{ .name = "db", .is = "as b", .machine = "bounce", .coherent = true, .dynamic = true },
	{ .name = "own",
	  .is = "the exporter's own device, which snoops",
	  .machine = "arm",
	  .coherent = true,
	  .exporter = true },
	{ .name = "ownnc", .is = "its own, which does not", .machine = "arm", .exporter = true },
	{ .name = "again", .is = "the one before, another importer of its device", .again = true },
	{},
};

/* --- which agents ----------------------------------------------------------------------------- */

static const struct agent_kind *find_kind(const char *name, size_t len)
{
	for (const struct agent_kind *kind = agent_kinds; kind->name; kind++)
		if (strlen(kind->name) == len && !memcmp(kind->name, name, len))
			return kind;
	return NULL;
}

/* Returns NULL or what is wrong; the kinds in @kinds, their number in *@nr. */
static const char *parse(const char *agents, const struct agent_kind **kinds, unsigned int *nr)
{
	const char *at = agents;

	*nr = 0;
	for (;;) {
		size_t len = strcspn(at, ",");

		if (*nr == EXPLORE_AGENTS)
			return "too many agents";
		kinds[*nr] = find_kind(at, len);
		if (!kinds[*nr])
			return "no such agent";
		if (kinds[*nr]->again &&
		    (!*nr || !kinds[*nr - 1]->machine || kinds[*nr - 1]->exporter))
			return "`again` comes after an importer";
		++*nr;
		if (!at[len])
			return NULL;
		at += len + 1;
	}
}

const char *explore_parse(const char *agents)
{
	const struct agent_kind *kinds[EXPLORE_AGENTS];
	unsigned int nr;

	return parse(agents, kinds, &nr);
}

/* --- the exporter ----------------------------------------------------------------------------- */

static unsigned int agent_of(const struct scene *w, const struct device *dev)
{
	unsigned int i = 0;

	while (w->agents[i].dev != dev)
		i++;
	return i;
}

struct scene_table *scene_table_of(struct scene *w, unsigned int agent, const struct sg_table *sgt)
{
	for (unsigned int i = 0; i < SCENE_TABLES; i++) {
		struct scene_table *table = &w->tables[i];

		if (table->sgt && w->agents[table->agent].dev == w->agents[agent].dev &&
		    table->addr == sg_dma_address(sgt->sgl))
			return table;
	}
	return NULL;
}

static struct scene_table *free_table(struct scene *w)
{
	for (unsigned int i = 0; i < SCENE_TABLES; i++)
		if (!w->tables[i].sgt)
			return &w->tables[i];
	return NULL;
}

static enum dma_data_direction mapped_for(const struct scene *w, enum dma_data_direction dir)
{
	return w->config.fault == EXPLORE_MAP_WIDER ? DMA_BIDIRECTIONAL : dir;
}

static struct sg_table *exporter_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct scene *w = attach->dmabuf->priv;
	struct scene_table *table = free_table(w);
	struct sg_table *sgt;
	int ret;

	if (!table)
		return ERR_PTR(-ENOSPC);
	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto free_sgt;
	sg_set_page(sgt->sgl, w->here.page, attach->dmabuf->size, 0);
	ret = dma_map_sgtable(attach->dev, sgt, mapped_for(w, dir), 0);
	if (ret)
		goto free_table;
	*table = (struct scene_table){ .sgt = sgt,
				       .agent = agent_of(w, attach->dev),
				       .addr = sg_dma_address(sgt->sgl) };
	if (w->moving)
		table->asked = w->agents[table->agent].asked;
	return sgt;

free_table:
	sg_free_table(sgt);
free_sgt:
	kfree(sgt);
	return ERR_PTR(ret);
}

/* B3: an unmap that brings bytes back, long after the access. */
static void bring_back(struct scene *w, struct device *dev, struct sg_table *sgt)
{
	size_t len;
	u8 *slot = dma_table_bounce(dev, sgt, 0, &len);

	if (slot)
		memcpy(w->here.bytes, slot, w->dmabuf->size);
	else if (dma_device_domain(dev) == DMA_DOMAIN_MEMORY)
		cache_maintain(page_to_phys(w->here.page), w->dmabuf->size, DMA_TABLE_INVALIDATE);
}

static bool cpu_is_writing(const struct scene *w)
{
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		const struct agent *a = &w->agents[i];

		if (!a->kind->machine && a->open && a->dir != DMA_FROM_DEVICE)
			return true;
	}
	return false;
}

static void exporter_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			   enum dma_data_direction dir)
{
	struct scene *w = attach->dmabuf->priv;
	struct dma_view *view = dma_view_of(attach->dev);
	struct scene_table *table = w->tables;
	struct dma_reach at;

	while (table->sgt != sgt)
		table++;
	if (w->config.fault == EXPLORE_UNMAP_SYNCS && dir != DMA_TO_DEVICE)
		bring_back(w, attach->dev, sgt);
	if (w->config.fault != EXPLORE_KEEPS_ADDRESS)
		dma_unmap_sgtable(attach->dev, sgt, mapped_for(w, dir), 0);
	if (dma_view_reach(view, table->addr, 1, 0, &at) == DMA_FAULT_NONE)
		w->wrong = "a device reaches the buffer through a mapping that is gone (EX2)";
	if (!w->agents[table->agent].fresh && cpu_is_writing(w))
		w->leaves++;
	if (w->moving)
		w->agents[table->agent].asked = table->asked;
	table->sgt = NULL;
	sg_free_table(sgt);
	if (w->config.fault != EXPLORE_LEAKS)
		kfree(sgt);
}

/* As system_heap: every mapping there is, in use or kept. */
static int exporter_begin_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct scene *w = dmabuf->priv;

	for (unsigned int i = 0; i < SCENE_TABLES; i++)
		if (w->tables[i].sgt)
			dma_sync_sgtable_for_cpu(w->agents[w->tables[i].agent].dev,
						 w->tables[i].sgt, dir);
	return 0;
}

static int exporter_end_cpu(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct scene *w = dmabuf->priv;

	for (unsigned int i = 0; i < SCENE_TABLES; i++)
		if (w->tables[i].sgt)
			dma_sync_sgtable_for_device(w->agents[w->tables[i].agent].dev,
						    w->tables[i].sgt, dir);
	return 0;
}

static int exporter_pin(struct dma_buf_attachment *attach)
{
	return 0;
}

static void exporter_unpin(struct dma_buf_attachment *attach)
{
}

static int exporter_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct scene *w = dmabuf->priv;

	iosys_map_set_vaddr(map, w->here.bytes);
	return 0;
}

static void exporter_release(struct dma_buf *dmabuf)
{
	struct scene *w = dmabuf->priv;

	__free_pages(w->here.page, 0);
}

/* --- bytes ------------------------------------------------------------------------------------ */

static const struct scene_place *place_of(const struct scene *w, unsigned int line)
{
	return line < SCENE_LINES ? &w->here : &w->there;
}

u8 *scene_line(const struct scene *w, unsigned int line)
{
	return place_of(w, line)->bytes + line % SCENE_LINES * SCENE_LINE;
}

phys_addr_t scene_phys(const struct scene *w, unsigned int line)
{
	return page_to_phys(place_of(w, line)->page) + line % SCENE_LINES * SCENE_LINE;
}

bool scene_line_is_dirty(const struct scene *w, unsigned int line)
{
	return memcmp(scene_line(w, line), cache_agreed(scene_phys(w, line)), SCENE_LINE);
}

bool scene_has_tables(const struct scene *w)
{
	for (unsigned int i = 0; i < SCENE_TABLES; i++)
		if (w->tables[i].sgt)
			return true;
	return false;
}

struct slot_set *scene_set(const struct scene *w, unsigned int agent)
{
	const struct agent *a = &w->agents[agent];
	struct slot_set *set;

	list_for_each_entry(set, &to_buffer(w->dmabuf)->sets, node)
		if (set->dev == a->dev)
			return set;
	return NULL;
}

static unsigned int slot_copies(struct device *dev, struct slot_set *set, const u8 **copies)
{
	unsigned int nr = 0;
	size_t len;

	for (unsigned int i = 0; i < (set->rest ? 3 : 1); i++) {
		struct mapping_slot *slot = i ? &set->rest[i - 1].slot : &set->first.slot;

		if (!slot->table || !slot->member.twin)
			continue;
		copies[nr++] = dma_table_bounce(dev, slot->table, 0, &len);
		copies[nr++] = slot->member.twin;
	}
	return nr;
}

static unsigned int place_copies(const struct scene_place *place, const u8 **copies)
{
	copies[0] = place->bytes;
	copies[1] = cache_behind(page_to_phys(place->page));
	copies[2] = cache_agreed(page_to_phys(place->page));
	return 3;
}

unsigned int scene_copies(const struct scene *w, const u8 **copies)
{
	unsigned int nr = 0;
	size_t len;

	copies[nr++] = w->flat;
	nr += place_copies(&w->here, copies + nr);
	if (w->there.page)
		nr += place_copies(&w->there, copies + nr);
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		const struct agent *a = &w->agents[i];
		struct slot_set *set;

		if (!a->dev || dma_device_domain(a->dev) != DMA_DOMAIN_BOUNCE)
			continue;
		set = a->fresh ? NULL : scene_set(w, i);
		if (set)
			nr += slot_copies(a->dev, set, copies + nr);
		else if (a->fresh && a->open)
			copies[nr++] = dma_table_bounce(a->dev, a->sgt, 0, &len);
	}
	return nr;
}

/* --- making and end --------------------------------------------------------------------------- */

struct machine *scene_machine(struct scene *w, const char *name)
{
	struct machine **machine = &w->machines[!strcmp(name, "bounce")];

	if (!*machine)
		*machine = machine_create(machine_type_find(name), BOUNCE_PAGES << PAGE_SHIFT);
	return *machine;
}

/* Tables of the IOMMU are made once and stay: all are there before the first program. */
static int map_once(struct scene *w, struct device *dev, struct page *page)
{
	struct scatterlist sg;

	if (!page)
		return 0;
	sg_init_table(&sg, 1);
	sg_set_page(&sg, page, w->lines * SCENE_LINE, 0);
	if (!dma_map_sg_attrs(dev, &sg, 1, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC))
		return -ENOMEM;
	dma_unmap_sg_attrs(dev, &sg, 1, DMA_TO_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	return 0;
}

static int agent_again(struct scene *w, unsigned int i)
{
	const struct agent *before = &w->agents[i - 1];
	struct agent *a = &w->agents[i];

	a->kind = before->kind;
	a->again = true;
	memcpy(a->name, before->name, sizeof(a->name) - 2); /* shorter than that */
	a->name[strlen(a->name)] = '\'';
	a->dev = before->dev;
	a->fresh = before->fresh;
	a->domain = a->fresh ? DOMAIN_OWN(i) : before->domain;
	return 0;
}

/* What the exporter's device works on. */
struct sg_table *scene_map_always(struct scene *w, struct device *dev, struct page *page)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL))
		return NULL;
	sg_set_page(sgt->sgl, page, w->lines * SCENE_LINE, 0);
	if (dma_map_sgtable(dev, sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC))
		return NULL;
	return sgt;
}

void scene_unmap_always(struct device *dev, struct sg_table *sgt)
{
	if (!sgt)
		return;
	dma_unmap_sgtable(dev, sgt, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
	kfree(sgt);
}

static domain_set domain_of(const struct scene *w, unsigned int i)
{
	const struct agent *a = &w->agents[i];

	if (!a->dev)
		return w->config.exporter == EXPLORE_UNCACHED ? DOMAIN_M : DOMAIN_C;
	if (a->fresh || dma_device_domain(a->dev) == DMA_DOMAIN_BOUNCE)
		return DOMAIN_OWN(i);
	if (dma_device_domain(a->dev) == DMA_DOMAIN_MEMORY || a->kind->no_snoop)
		return DOMAIN_M;
	return DOMAIN_C;
}

/* "nc", and the next one of its kind "nc2". */
static void name_agent(struct scene *w, unsigned int i)
{
	struct agent *a = &w->agents[i];
	unsigned int nr = 1;

	for (unsigned int k = 0; k < i; k++)
		nr += w->agents[k].kind == a->kind && !w->agents[k].again;
	if (nr == 1)
		snprintf(a->name, sizeof(a->name), "%s", a->kind->name);
	else
		snprintf(a->name, sizeof(a->name), "%s%u", a->kind->name, nr);
}

/* Is the exporter dynamic? */
static bool can_move(const struct scene *w)
{
	return w->config.exporter == EXPLORE_PINS || w->config.exporter == EXPLORE_MOVES;
}

static int agent_create(struct scene *w, unsigned int i)
{
	struct agent *a = &w->agents[i];
	struct machine *machine;
	struct device *dev;

	if (a->kind->again)
		return agent_again(w, i);
	name_agent(w, i);
	if (!a->kind->machine) {
		/* An exporter's own syncs are safe beside nobody. */
		a->fresh = w->config.exporter == EXPLORE_SYNCS;
		a->domain = domain_of(w, i);
		a->past_caches = a->domain != DOMAIN_C;
		return 0;
	}
	machine = scene_machine(w, a->kind->machine);
	if (IS_ERR(machine))
		return PTR_ERR(machine);
	dev = machine_add_device(machine, a->kind->name, a->kind->coherent);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	a->dev = dev;
	/* Its own device is counted where the CPU is; elsewhere it is brought up to date afresh. */
	if (a->kind->exporter)
		a->fresh = a->kind->coherent == (w->config.exporter == EXPLORE_UNCACHED);
	else
		a->fresh = a->kind->dynamic && can_move(w);
	a->domain = domain_of(w, i);
	if (w->config.fault == EXPLORE_NO_SYNC)
		dma_fault_skip_sync(dev, UINT_MAX);
	if (w->config.fault == EXPLORE_ONE_SYNC_LESS)
		dma_fault_skip_sync(dev, 1);
	if (a->kind->exporter) {
		a->always = scene_map_always(w, dev, w->here.page);
		return a->always ? 0 : -ENOMEM;
	}
	return map_once(w, dev, w->here.page) ?: map_once(w, dev, w->there.page);
}

static void agent_remove(struct agent *a)
{
	if (a->again)
		return;
	scene_unmap_always(a->dev, a->always);
	machine_remove_device(a->dev);
}

static struct dma_buf *export(struct scene *w)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	w->ops = (struct dma_buf_ops){
		.map_dma_buf = exporter_map,
		.unmap_dma_buf = exporter_unmap,
		.vmap = exporter_vmap,
		.release = exporter_release,
		.may_widen = w->config.exporter != EXPLORE_NARROW,
		.tells_own_access = w->config.exporter != EXPLORE_BLIND,
		.cpu_maps_uncached = w->config.exporter == EXPLORE_UNCACHED,
	};
	if (w->config.exporter == EXPLORE_SYNCS) {
		w->ops.begin_cpu_access = exporter_begin_cpu;
		w->ops.end_cpu_access = exporter_end_cpu;
	}
	if (can_move(w)) {
		w->ops.pin = exporter_pin;
		w->ops.unpin = exporter_unpin;
		w->ops.tells_moves = w->config.exporter == EXPLORE_MOVES;
		dma_buf_cache_set_idle(0); /* no thread but ours */
	}
	info.exp_name = "explored";
	info.ops = &w->ops;
	info.size = w->lines * SCENE_LINE;
	info.priv = w;
	return dma_buf_export(&info);
}

/* What belongs to the state and does not come from kmalloc(). */
static bool add_regions(struct scene *w)
{
	size_t len = w->lines * SCENE_LINE;
	bool fit = arena_region(w->here.bytes, len) &&
		   arena_region(cache_behind(page_to_phys(w->here.page)), len) &&
		   arena_region(cache_agreed(page_to_phys(w->here.page)), len) &&
		   arena_region(&slot_lru, sizeof(slot_lru)) && moves_regions(w);

	for (unsigned int i = 0; w->machines[1] && i < BOUNCE_PAGES; i++)
		fit &= arena_region(w->machines[1]->bounce.memory + (i << PAGE_SHIFT), len);
	return fit;
}

/* The CPU fills the buffer, in its caches or past them. */
static void fill(struct scene *w)
{
	bool uncached = w->config.exporter == EXPLORE_UNCACHED;
	size_t len = w->lines * SCENE_LINE;

	if (uncached)
		cache_maintain(page_to_phys(w->here.page), len, DMA_TABLE_CLEAN);
	memset(uncached ? cache_behind(page_to_phys(w->here.page)) : w->here.bytes, FILLED, len);
	memset(w->flat, FILLED, sizeof(w->flat));
	for (unsigned int i = 0; i < w->lines; i++)
		w->synced[i] = uncached ? DOMAIN_M : DOMAIN_C;
}

/* Of an exporter that does not tell, the device is always there. */
static void open_untold(struct scene *w)
{
	for (unsigned int i = 0; i < w->nr_agents; i++) {
		struct agent *a = &w->agents[i];

		if (!a->kind->exporter || w->config.exporter != EXPLORE_BLIND)
			continue;
		a->open = true;
		a->dir = DMA_BIDIRECTIONAL;
		a->sgt = a->always;
		a->last = w->lines;
	}
}

struct scene *scene_create(const struct explore_config *config, const char **why)
{
	const struct agent_kind *kinds[EXPLORE_AGENTS];
	struct dma_buf *dmabuf;
	struct scene *w;
	unsigned int nr;

	*why = parse(config->agents, kinds, &nr);
	if (*why)
		return NULL;
	*why = "an exporter that moves has its own device for that";
	for (unsigned int i = 0; config->exporter == EXPLORE_MOVES && i < nr; i++)
		if (kinds[i]->exporter)
			return NULL;
	*why = "no memory";
	if (cache_prepare())
		return NULL;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return NULL;
	w->config = *config;
	w->lines = config->lines ? config->lines : 2;
	w->nr_agents = nr;
	w->here.page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	if (!w->here.page)
		goto free_scene;
	w->here.bytes = page_address(w->here.page);
	fill(w);
	if (config->exporter == EXPLORE_MOVES && moves_create(w))
		goto remove_devices;
	for (unsigned int i = 0; i < nr; i++) {
		w->agents[i].kind = kinds[i];
		if (agent_create(w, i))
			goto remove_devices;
	}
	dmabuf = export(w);
	if (IS_ERR(dmabuf))
		goto remove_devices;
	w->dmabuf = dmabuf;
	open_untold(w);
	if (!add_regions(w)) {
		scene_destroy(w);
		return NULL;
	}
	w->objects = arena_objects();
	return w;

remove_devices:
	for (unsigned int i = 0; i < nr; i++)
		agent_remove(&w->agents[i]);
	moves_remove(w);
	for (unsigned int i = 0; i < ARRAY_SIZE(w->machines); i++)
		if (!IS_ERR(w->machines[i]))
			machine_destroy(w->machines[i]);
	__free_pages(w->here.page, 0);
free_scene:
	kfree(w);
	return NULL;
}

void scene_destroy(struct scene *w)
{
	dma_buf_put(w->dmabuf);
	for (unsigned int i = 0; i < w->nr_agents; i++)
		agent_remove(&w->agents[i]);
	moves_remove(w);
	for (unsigned int i = 0; i < ARRAY_SIZE(w->machines); i++)
		machine_destroy(w->machines[i]);
	kfree(w);
}
