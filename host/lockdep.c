/* SPDX-License-Identifier: MIT */
/*
 * lockdep.c - which lock was ever waited for with which other one held, and whether that can go wrong
 *
 * Invariants, beside LD1-LD4 of host/lockdep.h
 *   1  `inner` has no cycle: host_lock_want() looks for a way back before it adds an edge.
 *   2  Classes and edges are added under graph_lock and never go; a bit of `inner` and an entry of
 *      `table` are read without it.
 *   3  What a task holds is written by that task alone.
 *   4  A class outlives the module that its locks were in: it has its own copy of the name.
 */
#include "host/lockdep.h"

#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include "host/raw-lock.h"
#include "host/stacktrace.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef HOST_LOCKDEP

#define CLASSES 1024 /* and class 0 is none */
#define TABLE 4096   /* a power of two */
#define EDGES 8192
#define KNOWN 16
#define HELD 48
#define DEPTH 10 /* frames of a stack */
#define NAME 48

struct stack {
	const void *pc[DEPTH]; /* ends with NULL, or full */
};

struct held_lock {
	const void *lock;
	unsigned int class;
	struct stack taken;
};

struct held_locks {
	/* where this thread's stack lies */
	const void *low, *high;

	unsigned int nr;
	struct held_lock lock[HELD];

	/* of the last host_lock_want() */
	const void *wanted;
	unsigned int wanted_class;

	unsigned int subclass; /* of the next */
	unsigned int off;      /* host_lock_off(), or reporting */
};

struct class
{
	char name[NAME];
};

/* @inner was waited for with @outer held. */
struct edge {
	unsigned int outer, inner;
	struct stack outer_taken, inner_wanted;
};

/* Which class a lock is of. */
struct entry {
	uintptr_t key; /* 0: none; written last */
	bool spin;     /* a mutex and its wait_lock have one name */
	unsigned int subclass;
	unsigned int class; /* 0: each lock of this name is one of its own */
};

static u32 graph_lock;
static struct class classes[CLASSES];
static unsigned int nr_classes = 1;
static unsigned int known[KNOWN], nr_known; /* those of host_lock_order() */
static struct entry table[TABLE];
static struct edge edges[EDGES];
static unsigned int nr_edges;
static unsigned long inner[CLASSES][CLASSES / BITS_PER_LONG];
static unsigned long reported[CLASSES][CLASSES / BITS_PER_LONG];
static char first_inversion[4096];
static bool inverted;

/* --- stacks ----------------------------------------------------------------------------------- */

/* By frame pointers: everything of ours has them.  What has none ends the walk. */
static noinline __attribute__((no_sanitize("address", "thread", "undefined"))) void
stack_save(const struct held_locks *held, struct stack *stack)
{
	const void *const *frame = __builtin_frame_address(0);
	unsigned int nr = 0;

	while (nr < DEPTH && (const void *)frame >= held->low &&
	       (const void *)(frame + 2) <= held->high && !((uintptr_t)frame % sizeof(void *))) {
		const void *const *next = frame[0];

		if (!frame[1])
			break;
		stack->pc[nr++] = frame[1];
		if (next <= frame)
			break;
		frame = next;
	}
	if (nr < DEPTH)
		stack->pc[nr] = NULL;
}

/* Frames of the validator and of the locks themselves say nothing. */
static bool is_ours(const char *text)
{
	static const char *const own[] = { "host_lock",     "lock_take",       "lock_want",
					   "spin_taken",    "mutex_t",         "host_mutex",
					   "mutex_lock",    "spin_lock",       "spin_try",
					   "ww_",           "rwsem_",          "down_",
					   "dma_resv_lock", "dma_resv_trylock" };

	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		if (!strncmp(text, own[i], strlen(own[i])))
			return true;
	return false;
}

static void stack_print(const struct stack *stack, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < DEPTH && stack->pc[i] && len < size; i++) {
		char frame[192];

		stack_frame_name(stack->pc[i], frame, sizeof(frame));
		if (is_ours(frame))
			continue;
		len += scnprintf(text + len, size - len, "\n\t\t%s", frame);
		if (!strncmp(frame, "main ", 5))
			break;
	}
	if (!len)
		snprintf(text, size, "\n\t\t(as core/locking.def says)");
}

/* --- classes ---------------------------------------------------------------------------------- */

static struct entry *entry_find(uintptr_t key, bool spin, unsigned int subclass, bool *found)
{
	size_t at = (key >> 3) * 0x9e3779b97f4a7c15ull >> 52;

	for (unsigned int i = 0; i < TABLE; i++, at++) {
		struct entry *entry = &table[at % TABLE];
		uintptr_t there = smp_load_acquire(&entry->key);

		*found = there == key && entry->spin == spin && entry->subclass == subclass;
		if (!there || *found)
			return entry;
	}
	*found = false;
	return NULL;
}

/* Under graph_lock. */
static unsigned int class_add(const char *name, unsigned int subclass)
{
	struct class *class;

	if (nr_classes == CLASSES)
		return 0;
	class = &classes[nr_classes];
	if (subclass)
		snprintf(class->name, NAME, "%s/%u", name, subclass);
	else
		snprintf(class->name, NAME, "%s", name);
	return nr_classes++;
}

/* Under graph_lock: the class, of no spinlocks, that host_lock_order() named so, or 0. */
static unsigned int class_known(const char *name)
{
	for (unsigned int i = 0; i < nr_known; i++)
		if (!strcmp(classes[known[i]].name, name))
			return known[i];
	return 0;
}

/* Part of a program or library as it was loaded: neither allocated nor on a stack. */
static bool is_static(const void *lock)
{
	Dl_info info;

	return dladdr(lock, &info) != 0;
}

/* Under graph_lock. */
static void entry_fill(struct entry *entry, uintptr_t key, bool spin, unsigned int subclass,
		       unsigned int class)
{
	entry->spin = spin;
	entry->subclass = subclass;
	entry->class = class;
	smp_store_release(&entry->key, key);
}

/* Under graph_lock: of the key's entry, made if there is none; 0 when there is no room. */
static unsigned int entry_class(uintptr_t key, const char *name, bool spin, unsigned int subclass)
{
	bool found;
	struct entry *entry = entry_find(key, spin, subclass, &found);
	unsigned int class;

	if (found || !entry)
		return found ? entry->class : 0;
	class = (spin || subclass ? 0 : class_known(name)) ?: class_add(name, subclass);
	if (class)
		entry_fill(entry, key, spin, subclass, class);
	return class;
}

static unsigned int class_add_of(const void *lock, const char *name, enum lock_kind kind,
				 unsigned int subclass)
{
	bool spin = kind == LOCK_KIND_SPIN, found;
	struct entry *entry;
	unsigned int class;

	host_raw_lock(&graph_lock);
	entry = entry_find((uintptr_t)name, spin, subclass, &found);
	if (!found && entry && kind <= LOCK_KIND_SLEEP && !class_known(name) && is_static(lock)) {
		entry_fill(entry, (uintptr_t)name, spin, subclass, 0);
		found = true;
	}
	if (found && !entry->class)
		class = entry_class((uintptr_t)lock, name, spin, subclass);
	else
		class = entry_class((uintptr_t)name, name, spin, subclass);
	host_raw_unlock(&graph_lock);
	return class;
}

static unsigned int class_of(const void *lock, const char *name, enum lock_kind kind,
			     unsigned int subclass)
{
	bool spin = kind == LOCK_KIND_SPIN, found;
	struct entry *entry;

	if (!name)
		return 0;
	entry = entry_find((uintptr_t)name, spin, subclass, &found);
	if (found && !entry->class)
		entry = entry_find((uintptr_t)lock, spin, subclass, &found);
	return found ? entry->class : class_add_of(lock, name, kind, subclass);
}

/* --- the graph -------------------------------------------------------------------------------- */

static bool bit_is_set(unsigned long (*bits)[CLASSES / BITS_PER_LONG], unsigned int from,
		       unsigned int to)
{
	unsigned long word = __atomic_load_n(&bits[from][to / BITS_PER_LONG], __ATOMIC_RELAXED);

	return word >> (to % BITS_PER_LONG) & 1;
}

static void bit_set(unsigned long (*bits)[CLASSES / BITS_PER_LONG], unsigned int from,
		    unsigned int to)
{
	__atomic_fetch_or(&bits[from][to / BITS_PER_LONG], 1ul << (to % BITS_PER_LONG),
			  __ATOMIC_RELAXED);
}

/* Under graph_lock: the first edge of the shortest way from one class to the other, or NULL. */
static const struct edge *way(unsigned int from, unsigned int to)
{
	static unsigned int queue[CLASSES], first[CLASSES];
	unsigned int head = 0, tail = 0;

	memset(first, 0xff, sizeof(first));
	queue[tail++] = from;
	while (head < tail) {
		unsigned int at = queue[head++];

		for (unsigned int i = 0; i < nr_edges; i++) {
			unsigned int next = edges[i].inner;

			if (edges[i].outer != at || first[next] != ~0u || next == from)
				continue;
			first[next] = at == from ? i : first[at];
			if (next == to)
				return &edges[first[next]];
			queue[tail++] = next;
		}
	}
	return NULL;
}

static void report(struct held_locks *held, const char *text)
{
	held->off++;
	host_raw_lock(&graph_lock);
	if (!inverted)
		snprintf(first_inversion, sizeof(first_inversion), "%s", text);
	__atomic_store_n(&inverted, true, __ATOMIC_RELEASE);
	host_raw_unlock(&graph_lock);
	WARN(1, "%s", text);
	held->off--;
}

static void report_cycle(struct held_locks *held, const struct held_lock *outer,
			 unsigned int wanted, const struct edge *back)
{
	char here[800], taken[800], inner_there[800], outer_there[800], text[3900];
	const char *outer_name = classes[outer->class].name, *name = classes[wanted].name;
	struct stack now;

	stack_save(held, &now);
	stack_print(&now, here, sizeof(here));
	stack_print(&outer->taken, taken, sizeof(taken));
	stack_print(&back->inner_wanted, inner_there, sizeof(inner_there));
	stack_print(&back->outer_taken, outer_there, sizeof(outer_there));
	scnprintf(text, sizeof(text),
		  "lock order: %s is taken with %s held, but %s before with %s held%s\n"
		  "\there %s:%s\n\twith %s:%s\n\tbefore %s:%s\n\twith %s:%s",
		  name, outer_name, classes[back->inner].name, name,
		  back->inner == outer->class ? "" : ", and that leads back", name, here,
		  outer_name, taken, classes[back->inner].name, inner_there, name, outer_there);
	report(held, text);
}

static void report_same(struct held_locks *held, const struct held_lock *outer, bool ww)
{
	char here[800], taken[800], text[2048];
	struct stack now;

	if (bit_is_set(reported, outer->class, outer->class))
		return;
	bit_set(reported, outer->class, outer->class);
	stack_save(held, &now);
	stack_print(&now, here, sizeof(here));
	stack_print(&outer->taken, taken, sizeof(taken));
	scnprintf(text, sizeof(text),
		  "lock order: %s is taken with another one held%s\n\there:%s\n\twith:%s",
		  classes[outer->class].name,
		  ww ? ", not both by one context" : ", and nothing says which of the two is first",
		  here, taken);
	report(held, text);
}

/* @outer is held, @wanted waited for, and that was never so before. */
static void edge_new(struct held_locks *held, const struct held_lock *outer, unsigned int wanted)
{
	const struct edge *back;
	bool first;

	host_raw_lock(&graph_lock);
	first = !bit_is_set(inner, outer->class, wanted) &&
		!bit_is_set(reported, outer->class, wanted);
	back = first ? way(wanted, outer->class) : NULL;
	if (back) {
		bit_set(reported, outer->class, wanted);
	} else if (first && nr_edges < EDGES) {
		struct edge *edge = &edges[nr_edges];

		edge->outer = outer->class;
		edge->inner = wanted;
		edge->outer_taken = outer->taken;
		stack_save(held, &edge->inner_wanted);
		nr_edges++;
		bit_set(inner, outer->class, wanted);
	}
	host_raw_unlock(&graph_lock);
	if (back)
		report_cycle(held, outer, wanted, back);
}

/* --- what a thread holds ---------------------------------------------------------------------- */

static struct held_locks *held_of(struct task_struct *task)
{
	pthread_attr_t attr;
	void *low;
	size_t size;

	if (likely(task->held_locks))
		return task->held_locks;
	task->held_locks = calloc(1, sizeof(*task->held_locks));
	if (task->held_locks && !pthread_getattr_np(pthread_self(), &attr)) {
		pthread_attr_getstack(&attr, &low, &size);
		pthread_attr_destroy(&attr);
		task->held_locks->low = low;
		task->held_locks->high = (char *)low + size;
	}
	return task->held_locks;
}

void host_lock_held_free(struct held_locks *held)
{
	free(held);
}

void host_lock_want(const void *lock, const char *name, enum lock_kind kind, const void *nest)
{
	struct task_struct *task = current;
	struct held_locks *held = held_of(task);
	bool nested = kind == LOCK_KIND_NONE;
	unsigned int class;

	if (!held || held->off)
		return;
	class = class_of(lock, name, kind, held->subclass);
	held->wanted = lock;
	held->wanted_class = class;
	held->subclass = 0;
	/* Who would sleep with a spinlock held was told so. */
	if (!class || (kind != LOCK_KIND_SPIN && task->spin_depth))
		return;
	for (unsigned int i = 0; i < held->nr; i++) {
		const struct held_lock *outer = &held->lock[i];

		nested |= nest && outer->lock == nest;
		if (outer->lock == lock)
			continue; /* the lock itself says that */
		if (outer->class == class) {
			if (!nested)
				report_same(held, outer, kind == LOCK_KIND_WW);
		} else if (unlikely(!bit_is_set(inner, outer->class, class))) {
			edge_new(held, outer, class);
		}
	}
}

void host_lock_take(const void *lock, const char *name, enum lock_kind kind)
{
	struct held_locks *held = held_of(current);
	struct held_lock *taken;
	unsigned int class;

	if (!held || held->off)
		return;
	class = held->wanted == lock ? held->wanted_class : class_of(lock, name, kind, 0);
	held->wanted = NULL;
	if (!class || held->nr == HELD)
		return;
	taken = &held->lock[held->nr++];
	taken->lock = lock;
	taken->class = class;
	stack_save(held, &taken->taken);
}

void host_lock_drop(const void *lock)
{
	struct held_locks *held = current->held_locks;

	if (!held)
		return;
	for (unsigned int i = held->nr; i--;) {
		if (held->lock[i].lock != lock)
			continue;
		held->nr--;
		memmove(&held->lock[i], &held->lock[i + 1], (held->nr - i) * sizeof(held->lock[0]));
		return;
	}
}

/* --- <linux/lockdep.h> ------------------------------------------------------------------------ */

static const char fence_name[] = "dma_fence_map", reclaim_name[] = "fs_reclaim";

static bool is_held(const struct held_locks *held, const void *lock)
{
	for (unsigned int i = 0; i < held->nr; i++)
		if (held->lock[i].lock == lock)
			return true;
	return false;
}

void host_lock_nested(unsigned int subclass)
{
	struct held_locks *held = held_of(current);

	if (held)
		held->subclass = subclass;
}

void host_lock_off(bool off)
{
	struct held_locks *held = held_of(current);

	if (held)
		held->off += off ? 1 : -1;
}

bool host_signalling_begin(void)
{
	struct task_struct *task = current;
	struct held_locks *held = held_of(task);

	/* Whoever cannot sleep takes no lock that others hold while they wait. */
	if (!held || task->spin_depth || task->irq_depth || is_held(held, fence_name))
		return true;
	host_lock_take(fence_name, fence_name, LOCK_KIND_NONE);
	return false;
}

void host_signalling_end(bool cookie)
{
	if (!cookie)
		host_lock_drop(fence_name);
}

void host_might_wait_for_fence(void)
{
	host_lock_want(fence_name, fence_name, LOCK_KIND_NONE, NULL);
}

void host_might_reclaim(void)
{
	host_lock_want(reclaim_name, reclaim_name, LOCK_KIND_NONE, NULL);
}

void host_might_lock(const struct lockdep_map *map)
{
	host_lock_want(map, map->name, LOCK_KIND_WW, NULL);
}

/* Under graph_lock. */
static unsigned int class_make_known(const char *name)
{
	unsigned int class = class_known(name);

	if (class || nr_known == KNOWN)
		return class;
	class = class_add(name, 0);
	known[nr_known++] = class;
	return class;
}

void host_lock_order(const char *outer, const char *inner_name)
{
	struct edge *edge;

	host_raw_lock(&graph_lock);
	edge = &edges[nr_edges++];
	*edge = (struct edge){ class_make_known(outer), class_make_known(inner_name) };
	bit_set(inner, edge->outer, edge->inner);
	host_raw_unlock(&graph_lock);
}

const char *host_lock_inversion(void)
{
	return __atomic_load_n(&inverted, __ATOMIC_ACQUIRE) ? first_inversion : NULL;
}

/* A fork in the middle of an addition would leave the child with the lock held. */
static void graph_freeze(void)
{
	host_raw_lock(&graph_lock);
}

static void graph_thaw(void)
{
	host_raw_unlock(&graph_lock);
}

static __attribute__((constructor)) void graph_follow_forks(void)
{
	pthread_atfork(graph_freeze, graph_thaw, graph_thaw);
}

#else

void host_lock_want(const void *lock, const char *name, enum lock_kind kind, const void *nest)
{
}

void host_lock_take(const void *lock, const char *name, enum lock_kind kind)
{
}

void host_lock_drop(const void *lock)
{
}

void host_lock_held_free(struct held_locks *held)
{
}

void host_lock_nested(unsigned int subclass)
{
}

void host_lock_off(bool off)
{
}

bool host_signalling_begin(void)
{
	return true;
}

void host_signalling_end(bool cookie)
{
}

void host_might_wait_for_fence(void)
{
}

void host_might_reclaim(void)
{
}

void host_might_lock(const struct lockdep_map *map)
{
}

void host_lock_order(const char *outer, const char *inner_name)
{
}

const char *host_lock_inversion(void)
{
	return NULL;
}

#endif
