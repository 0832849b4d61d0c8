/* SPDX-License-Identifier: MIT */
/*
 * attachment-random-test.c - buffers, devices and importers at random, against flat memory
 *
 * Programs of attach, detach, map, unmap, CPU brackets, budgets, devices that go, fences and failed
 * allocations, over buffers of both policies and devices that snoop, do not, or are bounced.  The
 * oracle is one array of bytes for each buffer and, for each cache line, the set of open accesses
 * that may read it: whoever began after the last write, or was open when its writer ended
 * (coherence.h CO1).  Nobody reads or writes a line that he may not read.
 *
 * Policy `remap`, and dynamic importers of dynamic exporters, promise what a fresh mapping does:
 * with them nobody is open beside a writer.
 *
 * Not here: misuse (attachment-test), moves.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

#define LINE 64
#define LINES (PAGE_SIZE / LINE)
#define BUFFERS 4
#define DEVICES 5
#define ATTACHMENTS 12
#define ACCESSES 16 /* of a buffer, open at a time */

struct access {
	bool open, fresh, paused;          /* paused: between end_access and begin_access */
	struct dma_buf_attachment *attach; /* NULL: the CPU */
	struct sg_table *sgt;
	struct device *dev;
	enum dma_data_direction dir;
	size_t first, last; /* lines */
};

struct model_buffer {
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	enum dma_buf_policy policy;
	struct access accesses[ACCESSES];
	u8 bytes[PAGE_SIZE];
	u32 may_read[LINES]; /* bits of accesses */
	int writer[LINES];   /* access, -1 once it has ended */
};

struct model_attachment {
	struct dma_buf_attachment *attach; /* NULL: free */
	unsigned int buffer, dev;
	bool dynamic;
};

struct model {
	struct ktap *t;
	u64 random;
	struct machine *machines[3];
	struct device *devs[DEVICES];
	struct model_buffer buffers[BUFFERS];
	struct model_attachment attachments[ATTACHMENTS];
	struct dma_resv shared;
	size_t budget;
	bool failed;
};

/* Which machine a device is of, and whether it snoops. */
static const struct {
	const char *machine;
	unsigned int nr;
	bool coherent;
} device_kinds[DEVICES] = {
	{ "arm", 0, false },   { "arm", 0, false },     { "arm", 0, true },
	{ "bounce", 1, true }, { "pc-iommu", 2, true },
};

static unsigned int below(struct model *m, unsigned int n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (m->random >> 20) % n;
}

static bool device_reads(enum dma_data_direction dir)
{
	return dir != DMA_FROM_DEVICE;
}

/* The CPU's directions say it the other way round. */
static bool may_load(const struct access *a)
{
	return a->attach ? device_reads(a->dir) : a->dir != DMA_TO_DEVICE;
}

static bool may_store(const struct access *a)
{
	return a->attach ? a->dir != DMA_TO_DEVICE : a->dir != DMA_FROM_DEVICE;
}

static void fail(struct model *m, const char *what, unsigned int buffer)
{
	m->failed = true;
	ktap_check(m->t, false, __FILE__, __LINE__, "buffer %u: %s", buffer, what);
}

/* --- accesses --------------------------------------------------------------------------------- */

static int free_access(struct model_buffer *b)
{
	for (int i = 0; i < ACCESSES; i++)
		if (!b->accesses[i].open)
			return i;
	return -1;
}

/* Is one more who stores or not legal?  A mapping that is not kept is only as good as fresh. */
static bool fits(const struct model_buffer *b, bool fresh, bool stores)
{
	for (int i = 0; i < ACCESSES; i++) {
		const struct access *a = &b->accesses[i];

		if (a->open && (fresh || a->fresh) && (stores || may_store(a)))
			return false;
	}
	return true;
}

static bool is_fresh(const struct model_buffer *b, const struct model_attachment *a)
{
	return b->policy == DMA_BUF_POLICY_REMAP || (a->dynamic && b->exporter.ops.pin);
}

static void access_begun(struct model_buffer *b, int id)
{
	for (size_t line = b->accesses[id].first; line < b->accesses[id].last; line++)
		b->may_read[line] |= 1u << id;
}

static void access_ended(struct model_buffer *b, int id)
{
	for (size_t line = 0; line < LINES; line++) {
		if (b->writer[line] != id)
			continue;
		b->writer[line] = -1;
		for (int i = 0; i < ACCESSES; i++)
			if (b->accesses[i].open && line >= b->accesses[i].first &&
			    line < b->accesses[i].last)
				b->may_read[line] |= 1u << i;
	}
}

static void access_closed(struct model_buffer *b, int id)
{
	access_ended(b, id);
	b->accesses[id].open = false;
	for (size_t line = 0; line < LINES; line++)
		b->may_read[line] &= ~(1u << id);
}

static void use(struct model *m, unsigned int nr)
{
	struct model_buffer *b = &m->buffers[nr];
	int id = below(m, ACCESSES);
	struct access *a = &b->accesses[id];
	u8 line[LINE], *memory;
	size_t at, offset, len;

	if (!a->open || a->paused || a->first == a->last)
		return;
	at = a->first + below(m, a->last - a->first);
	if (!(b->may_read[at] & 1u << id))
		return;
	offset = at * LINE;
	memory = test_bytes(&b->exporter) + offset;
	if (may_load(a)) {
		if (a->attach)
			KT_EQ(m->t, dma_engine_read(a->dev, a->sgt, offset, line, LINE), 0);
		else
			memcpy(line, memory, LINE);
		if (memcmp(line, b->bytes + offset, LINE))
			fail(m, "a legal read is stale", nr);
	}
	if (!may_store(a) || below(m, 2))
		return;
	offset += below(m, LINE);
	len = 1 + below(m, LINE - offset % LINE);
	for (size_t i = 0; i < len; i++)
		line[i] = b->bytes[offset + i] = below(m, 256);
	if (a->attach)
		KT_EQ(m->t, dma_engine_write(a->dev, a->sgt, offset, line, len), 0);
	else
		memcpy(test_bytes(&b->exporter) + offset, line, len);
	b->may_read[at] = 1u << id;
	b->writer[at] = id;
}

/* --- importers -------------------------------------------------------------------------------- */

static void no_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops dynamic_ops = { .move_notify = no_move };

/* Sometimes the k-th allocation fails. */
static void maybe_fail_allocations(struct model *m)
{
	port_fail_nth(PORT_FAULT_ALLOC, below(m, 4) ? 0 : 1 + below(m, 6));
}

static void do_attach(struct model *m)
{
	struct model_attachment *a = &m->attachments[below(m, ATTACHMENTS)];
	struct dma_buf *dmabuf;

	if (a->attach)
		return;
	a->buffer = below(m, BUFFERS);
	a->dev = below(m, DEVICES);
	a->dynamic = !below(m, 3);
	dmabuf = m->buffers[a->buffer].dmabuf;
	maybe_fail_allocations(m);
	a->attach = a->dynamic ? dma_buf_dynamic_attach(dmabuf, m->devs[a->dev], &dynamic_ops, a)
			       : dma_buf_attach(dmabuf, m->devs[a->dev]);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	if (IS_ERR(a->attach)) {
		KT_EQ(m->t, PTR_ERR(a->attach), -ENOMEM);
		a->attach = NULL;
	} else {
		KT_CHECK(m->t, a->attach->importer_priv == (a->dynamic ? a : NULL));
	}
}

static bool is_mapped(struct model *m, struct model_attachment *a)
{
	for (int i = 0; i < ACCESSES; i++) {
		struct access *access = &m->buffers[a->buffer].accesses[i];

		if (access->open && access->attach == a->attach)
			return true;
	}
	return false;
}

static void do_detach(struct model *m)
{
	struct model_attachment *a = &m->attachments[below(m, ATTACHMENTS)];

	if (!a->attach || is_mapped(m, a))
		return;
	dma_buf_detach(m->buffers[a->buffer].dmabuf, a->attach);
	a->attach = NULL;
}

static struct sg_table *map(struct model *m, struct dma_buf_attachment *attach,
			    enum dma_data_direction dir)
{
	struct sg_table *sgt;

	if (below(m, 2))
		return dma_buf_map_attachment_unlocked(attach, dir);
	dma_resv_lock(attach->dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, dir);
	dma_resv_unlock(attach->dmabuf->resv);
	return sgt;
}

static void unmap(struct model *m, struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	if (below(m, 2)) {
		dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
		return;
	}
	dma_resv_lock(attach->dmabuf->resv, NULL);
	dma_buf_unmap_attachment(attach, sgt, dir);
	dma_resv_unlock(attach->dmabuf->resv);
}

static void do_map(struct model *m)
{
	struct model_attachment *a = &m->attachments[below(m, ATTACHMENTS)];
	enum dma_data_direction dir = below(m, 3);
	struct model_buffer *b = &m->buffers[a->buffer];
	struct sg_table *sgt;
	int id = free_access(b);

	if (!a->attach || id < 0 || !fits(b, is_fresh(b, a), dir != DMA_TO_DEVICE))
		return;
	maybe_fail_allocations(m);
	sgt = map(m, a->attach, dir);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	if (IS_ERR(sgt)) {
		KT_EQ(m->t, PTR_ERR(sgt), -ENOMEM);
		return;
	}
	b->accesses[id] = (struct access){ .open = true,
					   .fresh = is_fresh(b, a),
					   .attach = a->attach,
					   .sgt = sgt,
					   .dev = m->devs[a->dev],
					   .dir = dir,
					   .last = LINES };
	access_begun(b, id);
}

static void do_close(struct model *m, unsigned int nr, int id)
{
	struct model_buffer *b = &m->buffers[nr];
	struct access *a = &b->accesses[id];

	if (!a->open)
		return;
	if (a->attach)
		unmap(m, a->attach, a->sgt, a->dir);
	else
		KT_EQ(m->t,
		      dma_buf_end_cpu_access_partial(b->dmabuf, a->dir, a->first * LINE,
						     (a->last - a->first) * LINE),
		      0);
	access_closed(b, id);
}

static void do_pause(struct model *m)
{
	struct model_buffer *b = &m->buffers[below(m, BUFFERS)];
	int id = below(m, ACCESSES);
	struct access *a = &b->accesses[id];

	if (!a->open || !a->attach)
		return;
	if (a->paused) {
		dma_buf_begin_access(a->attach, a->sgt, a->dir);
		access_begun(b, id);
	} else {
		dma_buf_end_access(a->attach, a->sgt, a->dir);
		access_ended(b, id);
	}
	a->paused = !a->paused;
}

static void do_cpu(struct model *m)
{
	struct model_buffer *b = &m->buffers[below(m, BUFFERS)];
	enum dma_data_direction dir = below(m, 3);
	size_t first = below(m, 2) ? 0 : below(m, LINES);
	size_t last = first ? first + below(m, LINES - first) : LINES;
	int id = free_access(b), ret;

	if (id < 0 || !fits(b, b->policy == DMA_BUF_POLICY_REMAP, dir != DMA_FROM_DEVICE))
		return;
	maybe_fail_allocations(m);
	ret = dma_buf_begin_cpu_access_partial(b->dmabuf, dir, first * LINE, (last - first) * LINE);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	if (ret) {
		KT_EQ(m->t, ret, -ENOMEM);
		return;
	}
	b->accesses[id] = (struct access){ .open = true,
					   .fresh = b->policy == DMA_BUF_POLICY_REMAP,
					   .dir = dir,
					   .first = first,
					   .last = last };
	access_begun(b, id);
}

/* --- budget, devices, fences ------------------------------------------------------------------ */

static void do_budget(struct model *m)
{
	static const size_t budgets[] = { 0, PAGE_SIZE, 4 * PAGE_SIZE, SIZE_MAX };

	m->budget = budgets[below(m, ARRAY_SIZE(budgets))];
	dma_buf_cache_set_budget(m->budget);
}

static bool add_device(struct model *m, unsigned int i)
{
	m->devs[i] = machine_add_device(m->machines[device_kinds[i].nr], "random",
					device_kinds[i].coherent);
	return KT_CHECK(m->t, !IS_ERR(m->devs[i]));
}

static void do_device(struct model *m)
{
	unsigned int i = below(m, DEVICES);

	for (int k = 0; k < ATTACHMENTS; k++)
		if (m->attachments[k].attach && m->attachments[k].dev == i)
			return;
	machine_remove_device(m->devs[i]);
	if (!add_device(m, i))
		m->failed = true;
}

static const char *fence_name(struct dma_fence *fence)
{
	return "random";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };
static DEFINE_SPINLOCK(fence_lock);

/* A KERNEL fence on the reservation, to be signalled and put; NULL without memory. */
static struct dma_fence *kernel_fence(struct dma_resv *resv)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	dma_fence_init(fence, &fence_ops, &fence_lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	if (!dma_resv_reserve_fences(resv, 1))
		dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_KERNEL);
	dma_resv_unlock(resv);
	return fence;
}

/* Until it has signalled, static importers' maps wait: here, are interrupted. */
static void do_fence(struct model *m)
{
	struct model_attachment *a = &m->attachments[below(m, ATTACHMENTS)];
	struct model_buffer *b = &m->buffers[a->buffer];
	enum dma_data_direction dir = below(m, 3);
	struct dma_fence *fence;
	struct sg_table *sgt;

	if (!a->attach || !fits(b, is_fresh(b, a), dir != DMA_TO_DEVICE))
		return;
	fence = kernel_fence(a->attach->dmabuf->resv);
	if (!fence)
		return;
	port_fail_nth(PORT_FAULT_WAIT, 1);
	sgt = map(m, a->attach, dir);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	if (a->dynamic)
		KT_CHECK(m->t, !IS_ERR(sgt));
	else
		KT_EQ(m->t, IS_ERR(sgt) ? PTR_ERR(sgt) : 0, -ERESTARTSYS);
	if (!IS_ERR(sgt))
		unmap(m, a->attach, sgt, dir);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* --- counts ----------------------------------------------------------------------------------- */

static void check_counts(struct model *m, unsigned int nr)
{
	struct model_buffer *b = &m->buffers[nr];
	int tables = b->exporter.maps - b->exporter.unmaps;
	int pins = b->exporter.pins - b->exporter.unpins;
	int mapped = 0, borrowed = 0;
	u32 kinds = 0;

	for (int i = 0; i < ACCESSES; i++)
		mapped += b->accesses[i].open && b->accesses[i].attach;
	for (int i = 0; i < ATTACHMENTS; i++)
		if (m->attachments[i].attach && m->attachments[i].buffer == nr)
			kinds |= 1u << (m->attachments[i].dev * 2 + m->attachments[i].dynamic);
	for (; kinds; kinds &= kinds - 1)
		borrowed += b->exporter.ops.may_widen ? 1 : 3;

	if (pins < 0 || pins > tables)
		fail(m, "pins without tables", nr);
	if (b->policy == DMA_BUF_POLICY_REMAP && tables != mapped)
		fail(m, "policy remap keeps a table", nr);
	/* Mappings of dynamic importers of dynamic exporters are not kept, but may be many. */
	if (b->policy == DMA_BUF_POLICY_CACHED && !m->budget && tables > borrowed + mapped)
		fail(m, "idle tables beyond the budget", nr);
}

/* --- one program ------------------------------------------------------------------------------ */

static bool model_up(struct model *m)
{
	static const char *const machines[] = { "arm", "bounce", "pc-iommu" };

	dma_resv_init(&m->shared);
	m->budget = SIZE_MAX;
	for (unsigned int i = 0; i < ARRAY_SIZE(machines); i++) {
		m->machines[i] = machine_create(machine_type_find(machines[i]), 0);
		if (!KT_CHECK(m->t, !IS_ERR(m->machines[i])))
			return false;
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		if (!add_device(m, i))
			return false;
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct model_buffer *b = &m->buffers[i];

		b->policy = i % 4 == 3 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED;
		dma_buf_set_policy(b->policy);
		b->exporter.ops.may_widen = below(m, 2);
		b->exporter.ops.cpu_access_only_syncs = below(m, 2);
		if (below(m, 2)) {
			b->exporter.ops.pin = test_pin;
			b->exporter.ops.unpin = test_unpin;
		}
		b->exporter.resv = below(m, 2) ? &m->shared : NULL;
		b->dmabuf = test_export(&b->exporter, 0);
		if (!KT_CHECK(m->t, !IS_ERR(b->dmabuf)))
			return false;
		for (size_t line = 0; line < LINES; line++)
			b->writer[line] = -1;
	}
	return true;
}

static void model_down(struct model *m)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		for (int id = 0; id < ACCESSES; id++)
			do_close(m, i, id);
	for (int i = 0; i < ATTACHMENTS; i++)
		if (m->attachments[i].attach)
			dma_buf_detach(m->buffers[m->attachments[i].buffer].dmabuf,
				       m->attachments[i].attach);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct model_buffer *b = &m->buffers[i];

		KT_EQ(m->t, dma_buf_begin_cpu_access(b->dmabuf, DMA_FROM_DEVICE), 0);
		if (memcmp(test_bytes(&b->exporter), b->bytes, PAGE_SIZE))
			fail(m, "the CPU reads stale bytes at last", i);
		dma_buf_end_cpu_access(b->dmabuf, DMA_FROM_DEVICE);
		dma_buf_put(b->dmabuf);
		KT_EQ(m->t, b->exporter.releases, 1);
		KT_EQ(m->t, b->exporter.attaches, b->exporter.detaches);
		KT_EQ(m->t, b->exporter.maps, b->exporter.unmaps);
		KT_EQ(m->t, b->exporter.pins, b->exporter.unpins);
	}
	dma_buf_cache_set_budget(SIZE_MAX);
	for (unsigned int i = 0; i < DEVICES; i++)
		machine_remove_device(m->devs[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(m->machines); i++)
		machine_destroy(m->machines[i]);
	dma_resv_fini(&m->shared);
}

static void step(struct model *m)
{
	unsigned int buffer = below(m, BUFFERS);

	switch (below(m, 32)) {
	case 0 ... 2:
		return do_attach(m);
	case 3 ... 4:
		return do_detach(m);
	case 5 ... 8:
		return do_map(m);
	case 9 ... 10:
		return do_cpu(m);
	case 11 ... 15:
		return do_close(m, buffer, below(m, ACCESSES));
	case 16 ... 17:
		return do_pause(m);
	case 18:
		return do_budget(m);
	case 19:
		return do_device(m);
	case 20:
		return do_fence(m);
	default:
		return use(m, buffer);
	}
}

static void any_program_reads_flat_memory(struct ktap *t)
{
	unsigned int seeds = ktap_long ? 400 : 20, steps = ktap_long ? 5000 : 2000;
	struct model *m = kmalloc(sizeof(*m), GFP_KERNEL);

	KT_ASSERT(t, m);
	for (unsigned int seed = 1; seed <= seeds; seed++) {
		*m = (struct model){ .t = t, .random = seed * 0x9e3779b97f4a7c15ull };
		if (!model_up(m))
			break;
		for (unsigned int i = 0; i < steps && !m->failed; i++) {
			step(m);
			check_counts(m, i % BUFFERS);
		}
		model_down(m);
		ktap_check(t, !m->failed, __FILE__, __LINE__, "seed %u", seed);
		if (m->failed)
			break;
	}
	kfree(m);
}

/* --- threads ---------------------------------------------------------------------------------- */

#define RACERS 3

struct race {
	struct model model; /* its machines and devices; `random` is not used */
	int rounds;
	struct racer {
		struct race *race;
		unsigned int nr;
		u64 wrong;
		struct completion done;
	} racers[RACERS];
};

/* Reads what was written last and writes something else; how much of that went wrong. */
static u64 race_use(struct device *dev, struct sg_table *sgt, size_t offset, u8 *last, u8 next)
{
	u64 wrong = 0;
	u8 byte;

	/* The directory moves lines that others use beside it, as it must; TSan calls it a race. */
	if (IS_ENABLED(__SANITIZE_THREAD__))
		return 0;
	wrong += dma_engine_read(dev, sgt, offset, &byte, 1) != 0;
	wrong += byte != *last;
	*last = next;
	wrong += dma_engine_write(dev, sgt, offset, last, 1) != 0;
	return wrong;
}

/* Each has lines of his own, so that all are legal whatever the others do. */
static int race_imports(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	struct model mine = { .random = 77 + racer->nr };
	u8 last[BUFFERS] = {};

	for (int i = 0; i < race->rounds; i++) {
		unsigned int buffer = below(&mine, BUFFERS - 1); /* policy `cached` */
		struct dma_buf *dmabuf = race->model.buffers[buffer].dmabuf;
		struct device *dev = race->model.devs[(racer->nr + below(&mine, 2)) % DEVICES];
		size_t offset = LINE * (5 + 7 * racer->nr);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
		struct sg_table *sgt;

		if (IS_ERR(attach)) {
			racer->wrong++;
			continue;
		}
		sgt = map(&mine, attach, DMA_BIDIRECTIONAL);
		if (IS_ERR(sgt)) {
			racer->wrong++;
		} else {
			racer->wrong +=
				race_use(dev, sgt, offset, &last[buffer], below(&mine, 256));
			unmap(&mine, attach, sgt, DMA_BIDIRECTIONAL);
		}
		dma_buf_detach(dmabuf, attach);
		if (!below(&mine, 4) && !dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE))
			dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE);
	}
	complete(&racer->done);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

static void threads_keep_their_bytes(struct ktap *t)
{
	struct race *race = kzalloc(sizeof(*race), GFP_KERNEL);
	struct task_struct *tasks[RACERS];
	struct model *m;

	KT_ASSERT(t, race);
	m = &race->model;
	m->t = t;
	m->random = 5;
	race->rounds = ktap_long ? 20000 : 300;
	if (!model_up(m))
		return;
	/* The test's exporter counts its ops without a lock. */
	for (unsigned int i = 0; i < BUFFERS; i++)
		m->buffers[i].exporter.ops.cpu_access_only_syncs = true;
	for (unsigned int i = 0; i < RACERS; i++) {
		struct racer *racer = &race->racers[i];

		racer->race = race;
		racer->nr = i;
		init_completion(&racer->done);
		tasks[i] = kthread_run(race_imports, racer, "racer");
		KT_ASSERT(t, !IS_ERR(tasks[i]));
	}
	for (int i = 0; i < race->rounds / 2; i++) {
		struct dma_fence *fence = kernel_fence(m->buffers[below(m, BUFFERS)].dmabuf->resv);

		do_budget(m);
		if (fence)
			dma_fence_signal(fence);
		dma_fence_put(fence);
		/* A device that nobody has comes and goes. */
		machine_remove_device(m->devs[4]);
		add_device(m, 4);
	}
	for (unsigned int i = 0; i < RACERS; i++) {
		wait_for_completion(&race->racers[i].done);
		kthread_stop(tasks[i]);
		KT_EQ(t, race->racers[i].wrong, 0);
	}
	for (unsigned int i = 0; i < BUFFERS; i++) {
		/* What the racers wrote is checked by them. */
		KT_EQ(t, dma_buf_begin_cpu_access(m->buffers[i].dmabuf, DMA_FROM_DEVICE), 0);
		memcpy(m->buffers[i].bytes, test_bytes(&m->buffers[i].exporter), PAGE_SIZE);
		dma_buf_end_cpu_access(m->buffers[i].dmabuf, DMA_FROM_DEVICE);
	}
	model_down(m);
	kfree(race);
}

KTAP_MAIN(KTAP_CASE(any_program_reads_flat_memory), KTAP_CASE(threads_keep_their_bytes))
