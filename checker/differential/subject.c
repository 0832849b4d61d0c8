/* SPDX-License-Identifier: MIT */
/*
 * subject.c - run a program on the core that this is linked with; see subject.h
 *
 * What is left when a program ends is taken back by operations of the same kind, so a core that
 * ends things in another order is noticed.
 */
#include <linux/cleanup.h>
#include <linux/completion.h>
#include <linux/dma-cost.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "dma/machine.h"
#include "host/memory.h"
#include "host/task.h"
#include "host/warn.h"
#include "subject.h"

#define BOUNCE_BYTES (256 << 10)

struct subject subject;

/* --- writing down ----------------------------------------------------------------------------- */

static void write_down(struct event event)
{
	struct trace *trace = subject.trace;

	if (trace->nr == TRACE_EVENTS)
		trace->overflow = true;
	else
		trace->events[trace->nr++] = event;
}

void note(enum event_kind kind, int buffer, int which, s64 value, u8 flags)
{
	struct event event = {
		.step = subject.step,
		.op = subject.op,
		.kind = kind,
		.flags = flags,
		.buffer = buffer,
		.which = which,
		.value = value,
	};

	if (READ_ONCE(subject.task) == current) {
		write_down(event);
		return;
	}
	guard(spinlock_irqsave)(&subject.late_lock);
	if (subject.nr_late == LATE_EVENTS)
		subject.trace->overflow = true;
	else
		subject.late[subject.nr_late++] = event;
}

/* Files that are put off together go last first, or as they came, if they were taken one by one. */
static void sort_late_by_buffer(void)
{
	struct event *late = subject.late;

	for (unsigned int i = 1; i < subject.nr_late; i++)
		for (unsigned int k = i; k && late[k].buffer < late[k - 1].buffer; k--)
			swap(late[k], late[k - 1]);
}

void put_off_is_over(void)
{
	WRITE_ONCE(subject.task, NULL);
	flush_delayed_fput();
	sort_late_by_buffer();
	for (unsigned int i = 0; i < subject.nr_late; i++)
		write_down(subject.late[i]);
	subject.nr_late = 0;
	WRITE_ONCE(subject.task, current);
}

void returned(s64 value)
{
	note(EVENT_RETURNED, -1, -1, value, 0);
}

void nothing(void)
{
	note(EVENT_NOTHING, -1, -1, 0, 0);
}

void unsent(enum unsent why)
{
	subject.trace->unsent |= 1ull << why;
	note(EVENT_UNSENT, -1, -1, why, 0);
}

void saw(int what, s64 value)
{
	note(EVENT_SAW, -1, what, value, 0);
}

void keeps(struct exported *exported)
{
	exported->kept = true;
	subject.kept = true;
}

bool bounced(void)
{
	return machine_type_of(subject.machine)->dma_mask <= DMA_BIT_MASK(32);
}

static void warned(const char *file, int line, const char *text)
{
	subject.warns++;
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Of places [0, @nr), the one that is the @n-th, modulo their number, of those that @lives says live. */
static int pick(unsigned int nr, bool (*lives)(unsigned int i), unsigned int n)
{
	unsigned int living = 0;

	for (unsigned int i = 0; i < nr; i++)
		living += lives(i);
	if (!living)
		return -1;
	n %= living;
	for (unsigned int i = 0;; i++)
		if (lives(i) && !n--)
			return i;
}

static bool buffer_lives(unsigned int i)
{
	return subject.buffers[i].dmabuf;
}

static bool attachment_lives(unsigned int i)
{
	return subject.attachments[i].attach;
}

static bool attachment_is_dynamic(unsigned int i)
{
	return attachment_lives(i) && subject.attachments[i].importer != IMPORTER_STATIC;
}

static bool mapping_lives(unsigned int i)
{
	return subject.mappings[i].sgt;
}

static bool file_lives(unsigned int i)
{
	return subject.files[i].fd >= 0;
}

static bool area_lives(unsigned int i)
{
	return subject.areas[i].at;
}

static bool fence_lives(unsigned int i)
{
	return subject.fences[i].fence;
}

struct subject_buffer *pick_buffer(unsigned int n)
{
	int i = pick(BUFFERS, buffer_lives, n);

	return i < 0 ? NULL : &subject.buffers[i];
}

struct subject_attachment *pick_attachment(unsigned int n, bool dynamic_only)
{
	int i = pick(ATTACHMENTS, dynamic_only ? attachment_is_dynamic : attachment_lives, n);

	return i < 0 ? NULL : &subject.attachments[i];
}

struct subject_mapping *pick_mapping(unsigned int n)
{
	int i = pick(MAPPINGS, mapping_lives, n);

	return i < 0 ? NULL : &subject.mappings[i];
}

struct subject_file *pick_file(unsigned int n)
{
	int i = pick(FILES, file_lives, n);

	return i < 0 ? NULL : &subject.files[i];
}

struct subject_area *pick_area(unsigned int n)
{
	int i = pick(AREAS, area_lives, n);

	return i < 0 ? NULL : &subject.areas[i];
}

struct subject_fence *pick_fence(unsigned int n)
{
	int i = pick(FENCES, fence_lives, n);

	return i < 0 ? NULL : &subject.fences[i];
}

struct subject_file *free_file(void)
{
	for (unsigned int i = 0; i < FILES; i++)
		if (subject.files[i].fd < 0)
			return &subject.files[i];
	return NULL;
}

/* --- who would wait, and whose reference is the last ------------------------------------------ */

bool takes_lock(const struct subject_buffer *buffer)
{
	if (buffer->lock->owner < 0)
		return true;
	unsent(held(buffer) ? UNSENT_WAITS_FOR_ITSELF : UNSENT_WAITS_FOR_ANOTHER);
	return false;
}

bool unsignaled(struct subject_buffer *buffer, enum dma_resv_usage usage)
{
	return !dma_resv_test_signaled(buffer->dmabuf->resv, usage);
}

/* With the reservation held, or no direction, not every core comes as far as to be interrupted. */
bool access_hangs(struct subject_buffer *buffer, enum dma_data_direction dir)
{
	if (!unsignaled(buffer, dma_resv_usage_rw(dir != DMA_FROM_DEVICE)) ||
	    (subject.interrupted[subject.thread] && !held(buffer) && dir != DMA_NONE))
		return false;
	unsent(UNSENT_WAITS_FOR_FENCE);
	return true;
}

bool keeps_buffer(struct subject_buffer *buffer)
{
	if (buffer->refs + buffer->files + buffer->areas > 1)
		return true;
	if (buffer->attachments || buffer->vmaps) {
		unsent(UNSENT_LAST_REFERENCE);
		return false;
	}
	if (buffer->lock->owner >= 0) {
		unsent(UNSENT_PUT_UNDER_LOCK);
		return false;
	}
	return true;
}

void forget_if_dead(struct subject_buffer *buffer)
{
	if (buffer->refs + buffer->files + buffer->areas == 0)
		buffer->dmabuf = NULL;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void lock_step(const struct op *op)
{
	struct subject_buffer *buffer = pick_buffer(op->arg[0]);

	if (!buffer) {
		nothing();
	} else if (op->code == OP_LOCK) {
		if (op->how) {
			bool locked = dma_resv_trylock(buffer->dmabuf->resv);

			if (locked)
				*buffer->lock = (struct subject_lock){ subject.thread, 0 };
			returned(locked);
		} else if (takes_lock(buffer)) {
			returned(dma_resv_lock(buffer->dmabuf->resv, NULL));
			*buffer->lock = (struct subject_lock){ subject.thread, 0 };
		}
	} else if (!held(buffer)) {
		unsent(UNSENT_UNLOCK_OTHER);
	} else {
		*buffer->lock = (struct subject_lock){ -1, 0 };
		dma_resv_unlock(buffer->dmabuf->resv);
		returned(0);
	}
}

static void other_step(const struct op *op)
{
	static const int errnos[] = { -ENOMEM, -EINTR, -EBUSY, -EIO };

	switch (op->code) {
	case OP_INTERRUPT:
		host_signal_task(current);
		subject.interrupted[subject.thread] = true;
		break;
	case OP_CALM:
		flush_signals(current);
		subject.interrupted[subject.thread] = false;
		break;
	default:
		subject.fail[EVENT_OP_ATTACH + op->arg[0]] =
			errnos[op->arg[1] % ARRAY_SIZE(errnos)];
		break;
	}
	returned(0);
}

static void step(const struct op *op)
{
	WRITE_ONCE(subject.task, current);
	if (op->code == OP_LOCK || op->code == OP_UNLOCK)
		lock_step(op);
	else if (op->code < OP_BEGIN)
		buffer_step(op);
	else if (op->code < OP_SYNC)
		access_step(op);
	else if (op->code < OP_FENCE)
		file_step(op);
	else if (op->code < OP_INTERRUPT)
		fence_step(op);
	else
		other_step(op);
}

/* --- threads, of which one runs --------------------------------------------------------------- */

struct worker {
	struct completion begin, end;
	const struct op *op;
};

static struct worker workers[OP_THREADS]; /* 0 is the caller's thread */

static int work(void *data)
{
	struct worker *worker = data;

	lockdep_off();
	for (;;) {
		wait_for_completion(&worker->begin);
		step(worker->op);
		complete(&worker->end);
	}
	return 0;
}

/* They stay for the next program. */
static void start_workers(void)
{
	static bool started;

	for (unsigned int i = 1; !started && i < OP_THREADS; i++) {
		init_completion(&workers[i].begin);
		init_completion(&workers[i].end);
		WARN_ON(IS_ERR(kthread_run(work, &workers[i], "differential")));
	}
	started = true;
}

static void note_costs(const struct dma_costs *before)
{
	static const u32 ignored =
		1 << DMA_COST_RESV_LOCKS | 1 << DMA_COST_PINNED_NS | 1 << DMA_COST_BYTES_COMPARED;
	struct dma_costs costs;

	dma_cost_since(before, &costs);
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		if (costs.count[i] && !(ignored & 1 << i))
			note(EVENT_COST, -1, i, costs.count[i],
			     subject.kept ? EVENT_BUFFER_KEPT : 0);
}

static void run_step(const struct op *op)
{
	struct worker *worker = &workers[op->thread];
	struct dma_costs before;

	dma_cost_read(&before);
	host_warn_rearm();
	subject.warns = 0;
	subject.thread = op->thread;
	subject.op = op->code;
	if (op->thread) {
		worker->op = op;
		complete(&worker->begin);
		wait_for_completion(&worker->end);
	} else {
		step(op);
	}
	/* What a signal put off, or an exporter's death. */
	put_off_is_over();
	if (subject.warns)
		note(EVENT_WARN, -1, -1, 1, 0);
	note_costs(&before);
	subject.step++;
}

/* --- the end of a program: DI4 ---------------------------------------------------------------- */

static void run_op(enum op_code code, unsigned int thread, u8 arg0, u8 arg1)
{
	struct op op = { .code = code, .thread = thread, .arg = { arg0, arg1 } };

	run_step(&op);
}

static void unlock_all(void)
{
	for (unsigned int i = 0, n = 0; i < BUFFERS; i++) {
		struct subject_buffer *buffer = &subject.buffers[i];

		if (!buffer->dmabuf)
			continue;
		if (buffer->lock->owner >= 0)
			run_op(OP_UNLOCK, buffer->lock->owner, n, 0);
		n++;
	}
}

static void end_accesses(void)
{
	for (unsigned int i = 0, n = 0; i < BUFFERS; i++) {
		struct subject_buffer *buffer = &subject.buffers[i];

		if (!buffer->dmabuf)
			continue;
		for (unsigned int dir = 0; dir < 3; dir++)
			while (buffer->begun[dir])
				run_op(OP_END, 0, n, dir);
		while (buffer->vmaps)
			run_op(OP_VUNMAP, 0, n, 0);
		n++;
	}
}

static void take_all_back(void)
{
	memset(subject.fail, 0, sizeof(subject.fail));
	for (unsigned int i = 0; i < OP_THREADS; i++)
		run_op(OP_CALM, i, 0, 0);
	unlock_all();
	for (unsigned int i = 0; i < FENCES; i++)
		run_op(OP_SIGNAL, 0, i, 0);
	while (pick_mapping(0))
		run_op(OP_UNMAP, 0, 0, 0);
	end_accesses();
	while (pick_attachment(0, false)) {
		while (pick_attachment(0, false)->pins)
			run_op(OP_UNPIN, 0, 0, 0);
		run_op(OP_DETACH, 0, 0, 0);
	}
	while (pick_area(0))
		run_op(OP_MUNMAP, 0, 0, 0);
	while (pick_file(0))
		run_op(OP_CLOSE, 0, 0, 0);
	while (pick_buffer(0))
		run_op(OP_PUT, 0, 0, 0);
	while (pick_fence(0))
		run_op(OP_FENCE_PUT, 0, 0, 0);
}

static void begin(const struct program *program, struct trace *trace)
{
	const struct machine_type *type = &machine_types[program->machine];

	subject = (struct subject){ .trace = trace, .improper = program->improper };
	subject.task = current;
	spin_lock_init(&subject.late_lock);
	trace->nr = 0;
	trace->overflow = false;
	trace->unsent = 0;
	for (unsigned int i = 0; i < FILES; i++)
		subject.files[i].fd = -1;
	subject.shared_lock.owner = -1;
	subject.shared = kzalloc(sizeof(*subject.shared), GFP_KERNEL);
	dma_resv_init(subject.shared);
	subject.timeline = dma_fence_context_alloc(1);

	subject.machine = machine_create(type, BOUNCE_BYTES);
	/* One that snoops in any case between two of the machine's own. */
	for (unsigned int i = 0; i < DEVICES; i++)
		subject.devices[i] =
			machine_add_device(subject.machine, "device", type->coherent || i == 1);
}

static void end(u64 pages_before)
{
	struct host_memory_stats after;

	dma_resv_fini(subject.shared);
	kfree(subject.shared);
	flush_workqueue(system_wq);
	rcu_barrier();
	for (unsigned int i = 0; i < DEVICES; i++)
		machine_remove_device(subject.devices[i]);
	machine_destroy(subject.machine);
	host_memory_stats(&after);
	if (atomic_read(&subject.live_exported))
		note(EVENT_LEAK, -1, 0, atomic_read(&subject.live_exported), 0);
	if (atomic_read(&subject.live_fences))
		note(EVENT_LEAK, -1, 1, atomic_read(&subject.live_fences), 0);
	if (after.pages_used != pages_before)
		note(EVENT_LEAK, -1, 2, after.pages_used - pages_before, 0);
}

void differential_run(const struct program *program, bool remap, struct trace *trace)
{
	host_warn_hook_t hook = host_set_warn_hook(warned);
	struct host_memory_stats before;

	start_workers();
	dma_buf_set_policy(remap ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	host_memory_stats(&before);
	begin(program, trace);
	/* Programs call with the reservations of other buffers held. */
	lockdep_off();
	for (unsigned int i = 0; i < program->nr; i++)
		run_step(&program->ops[i]);
	take_all_back();
	lockdep_on();
	end(before.pages_used);
	host_set_warn_hook(hook);
}
