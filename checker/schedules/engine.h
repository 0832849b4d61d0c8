/* SPDX-License-Identifier: MIT */
/*
 * engine.h - the explorer's parts and what they tell each other
 *
 *	world.c    the memory that a schedule changes: remembered, put back; its heap
 *	model.c    what an atomic access may see, and in what order
 *	plain.c    the compiler's calls for plain accesses: races, and the life of what is touched
 *	hooks.c    the compiler's and the host's calls for atomic ones
 *	threads.c  coroutines, and host/port.h on them
 *	search.c   which thread goes on, which message a load sees: depth first, by chance, or as told
 *	reduce.c   which orders are the same, so that one of them is enough
 *	report.c   what is told of a failure
 *
 * Two kinds of code run in the world.  *Weak*: core/, drivers and scenarios, compiled with the
 * thread sanitizer's calls (its runtime is not linked: hooks.c stands in its place).  Each atomic
 * access is a switch point and a load may see any message that C11 lets it see; each plain access is
 * looked at for races and for the life of what it touches.  *Host*: host/ and dma/, whose atomic
 * accesses are told by host-atomics.h.  They see the newest and nobody is switched between them, so a
 * lock is taken in one step; a thread may be switched where host/port.h says so.
 *
 * Invariants
 *   1  Everything the engine knows lies in *engine, outside of the world.
 *   2  A schedule is determined by its choices: the same choices give the same accesses.
 */
#ifndef SCHEDULES_ENGINE_H
#define SCHEDULES_ENGINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "checker/schedules/body.h"
#include "checker/schedules/schedules.h"

#define THREADS 12
#define STACK_BYTES (64 * 1024)
#define HEAP_BYTES (1024 * 1024)
#define GRAIN 16
#define TLS_BYTES 2048

/* --- views ------------------------------------------------------------------------------------ */

/* Threads' clocks first, then the newest message seen of each location. */
#define CLOCKS 16
#define VIEW_ENTRIES 128

typedef int16_t entries __attribute__((vector_size(16)));
#define PER_VECTOR 8

struct view {
	int used; /* entries, a multiple of PER_VECTOR; those beyond are 0 and not written */
	union {
		int16_t at[VIEW_ENTRIES];
		entries vectors[VIEW_ENTRIES / PER_VECTOR];
	};
};

#define MESSAGES 16 /* of a location; older ones are not seen any more */
#define OLD_READS 8 /* so often a thread sees the same message when there is a newer one */

struct message {
	uint64_t value;
	int16_t maker; /* step; NOBODY: it was there before */
	uint32_t made; /* when, in stores */
	uint8_t old_reads[THREADS];
	struct view view; /* what who sees it by acquire has seen, too */
};

struct location {
	uintptr_t addr;
	uint32_t generation;
	uint16_t spot;
	int16_t entry;  /* in views; 0: none, only the newest message is kept */
	int16_t newest; /* message */
	int16_t oldest;
	struct message messages[MESSAGES];
};

#define LOCATIONS 1024

/* --- threads ---------------------------------------------------------------------------------- */

enum thread_state {
	THREAD_NONE,
	THREAD_RUNNABLE,
	THREAD_ASLEEP, /* in port_wait() */
	THREAD_GATE,   /* made, and waiting for the schedule to begin */
	THREAD_ENDED,
};

struct thread {
	void *sp;
	enum thread_state state;
	bool yielded;       /* lets others go first */
	bool dry;           /* and nobody else has written since */
	bool timed_dry;     /* its time was up, and nobody else has written since */
	uint32_t yields[2]; /* when it yielded, in stores: the time before last, and last */
	uint16_t turns;     /* yielded: who of those that can go on has had no turn since */
	int16_t last_step, woken_by; /* steps */
	bool timed;                  /* asleep: may be woken by time */
	bool timed_out;              /* was */
	bool scenario;               /* the schedule ends with the last of these */
	uint32_t slept;              /* when it fell asleep, to wake in that order */
	uintptr_t wait_addr;
	void (*fn)(void *arg);
	void *arg;
	char name[16];
	struct view cur, acquired, released;
	char tls[TLS_BYTES];
};

/* --- search ----------------------------------------------------------------------------------- */

/*
 * A step: from one switch point to the next.  Its number is that of the choice that began it.  What it
 * touches are spots: each word that the search has met has one, as long as there are enough.
 */
#define SPOTS 256
#define SPOT_SC 0   /* the order of sequentially consistent fences */
#define SPOT_TIME 1 /* the clock */
#define SPOT_WORDS 4096

struct spots {
	uint64_t words[SPOTS / 64];
};

struct footprint {
	struct spots reads, writes;
};

#define NOBODY (-1)

struct taken_step {
	struct footprint touched; /* but for what is free */
	int16_t free;   /* the spot of a load that may see any message; NOBODY: there is none */
	int16_t newest; /* the newest message there */
	int16_t saw;    /* the step that made what it saw */
	bool covered;   /* it might have seen all that it might have seen earlier */
	uint8_t thread;
	int16_t before;         /* the step before */
	int16_t own;            /* and the one before of the same thread */
	int16_t woken_by;       /* or made by */
	int16_t after[THREADS]; /* it comes after this thread's steps below this number */
};

#define NODES 20000
#define TIMEOUT 0x80 /* in a candidate: this sleeper's time is up */

enum node_kind { NODE_THREAD, NODE_DATA };

struct node {
	uint8_t kind, nr, chosen;
	uint8_t from;                    /* thread: who ran before */
	uint8_t candidates[2 * THREADS]; /* thread */
	uint16_t cost;                   /* of the choices before it */
	uint16_t todo, done;             /* thread: to be explored; explored */
	uint16_t asleep;                 /* whose next step was explored already */
	uint16_t partly; /* was, but for what its load sees beyond the message `floor` */
	int16_t free[THREADS], newest[THREADS], floor[THREADS];
	struct footprint next[THREADS]; /* of done, asleep, partly and chosen ones' next steps */
};

struct deviation {
	uint16_t node;
	uint8_t choice;
};

#define DEVIATIONS 512

enum mode { MODE_DEPTH, MODE_CHANCE, MODE_TOLD };

enum outcome { OUTCOME_NONE, OUTCOME_GOOD, OUTCOME_FAILED, OUTCOME_PRUNED };

enum phase { PHASE_SETUP, PHASE_RUN, PHASE_FINISH };

struct step {
	uint8_t thread;
	const char *what;
	uintptr_t addr, pc;
	uint64_t value;
	bool old; /* a load that did not see the newest */
};

#define STEPS 4096

#define REGIONS 4

/* A file that code was loaded from. */
struct object {
	const char *path;
	uintptr_t start; /* of what it was linked for as 0 */
	size_t bytes;
};

struct engine_state {
	const struct scenario *scenario;
	enum phase phase;
	enum outcome outcome;
	char failure[512];
	uintptr_t failed_at; /* code */
	jmp_buf back;
	int alone;                         /* switches without a choice, in setup() and finish() */
	uint64_t entered, entered_at_tick; /* one more for each run and each setup() */

	/* threads */
	struct thread threads[THREADS];
	int nr_threads, current, running; /* running: of the scenario, not ended */
	void *sp;                         /* the engine's own */
	uint32_t sleeps, stores;
	uint64_t now; /* ns, of the port's clock */
	char *tls;
	size_t tls_bytes;
	char tls_initial[TLS_BYTES];

	/* model */
	uint32_t generation;
	int entries;
	struct view fences;         /* what SC fences have seen */
	struct view sc_stores;      /* the newest SC store of each location */
	struct location *locations; /* hash table, LOCATIONS */
	struct shadow *shadow;
	uint16_t shadow_generation;

	/* the world's heap */
	uint8_t *life;   /* of each grain */
	uint32_t *sizes; /* of the object that starts at a grain */
	size_t heap_used;
	int objects; /* alive, of kmalloc() */

	/* search */
	enum mode mode;
	struct node *nodes;
	int nr_nodes; /* on the path */
	int at;       /* nodes passed in this run */
	int bound;    /* -1: none, prune by independence */
	bool bounded; /* something was left out because of it */
	int last_thread_node;
	int changed;             /* choice, since the last run */
	struct taken_step *path; /* of NODES */
	int *path_steps;         /* the same, numbers */
	struct taken_step *step; /* the one that runs */
	struct taken_step nowhere;
	int floor, floor_spot; /* what the running step's load need not see */
	uintptr_t spot_words[SPOT_WORDS];
	uint16_t spots[SPOT_WORDS];
	int nr_spot_words, nr_spots;
	const struct deviation *told;
	int nr_told, at_told;
	struct deviation taken[DEVIATIONS];
	int nr_taken;
	uint64_t random;
	uint8_t priority[THREADS];
	int change_points[8];
	int nr_change_points, next_change;
	uint64_t runs;
	int longest;

	/* memory of the world beside its data, heap and stacks */
	struct region {
		uintptr_t start;
		size_t bytes;
	} regions[REGIONS];
	int nr_regions;

	/* report */
	bool tracing;
	struct object driver; /* that was loaded, or none */
	struct step *steps;
	int nr_steps;
};

/*
 * At a fixed place outside of the program, so that putting the world back leaves it alone; the world
 * beside it, so that every run has the same addresses.
 */
#define ENGINE_BASE 0x2000000000
#define WORLD_BASE 0x2100000000
#define engine ((struct engine_state *)ENGINE_BASE)
#define HEAP_BASE WORLD_BASE
#define STACK_BASE (HEAP_BASE + HEAP_BYTES)
#define WORLD_BYTES (HEAP_BYTES + THREADS * STACK_BYTES)

/* world.c */
enum life { LIFE_NOBODY, LIFE_FREED, LIFE_OBJECT, LIFE_SYSTEM };

void world_remember(int level);
void world_put_back(int level);
bool world_owns(uintptr_t addr);
void world_pristine(void);

/* world_add - so goes this memory; before it is first remembered */
void world_add(uintptr_t start, size_t bytes);
void *world_map(size_t bytes);

/* model.c */
#define MODEL_READ 1
#define MODEL_WRITE 2
void model_begin(void);
uint64_t model_load(uintptr_t addr, unsigned int bytes, int order, uintptr_t pc);
void model_read_newest(uintptr_t addr, unsigned int bytes, int order);
void model_store(uintptr_t addr, unsigned int bytes, uint64_t value, int order, bool weak);
void model_rmw(uintptr_t addr, unsigned int bytes, uint64_t value, int order, bool weak);
void model_fence(int order);
void model_footprint(uintptr_t addr);
void model_time(bool passes);
void model_barrier_all(void);
void model_spawn(struct thread *thread);
void model_join_all(struct thread *thread);

/* plain.c */
void plain_begin(void);
void plain_check_life(uintptr_t addr, size_t bytes, uintptr_t pc);
void plain_access(uintptr_t addr, size_t bytes, bool write, uintptr_t pc);
void plain_atomic(uintptr_t addr, unsigned int bytes, bool write, uintptr_t pc);

/* threads.c */
void threads_init(void);
void thread_point(const char *what, uintptr_t addr, uintptr_t pc);
void threads_prepare(const struct scenario *scenario, const unsigned int *sites);
void threads_run(void);
void engine_fail(uintptr_t pc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void engine_leave(enum outcome outcome) __attribute__((noreturn));

/* search.c */
int search_thread(const uint8_t *candidates, int nr, int from);
int search_data(int nr);
void search_step_ends(void);

/* reduce.c */
int spot_of(uintptr_t addr);
bool footprint_empty(const struct spots *spots);
void reduce_begin(void);
void step_begins(int thread);
void step_wakes(int thread);
void reduce_inherit(struct node *node, const struct node *parent, const struct taken_step *step);
void reduce_races(int first);

static inline void spots_add(struct spots *spots, int spot)
{
	spots->words[spot / 64] |= 1ull << spot % 64;
}

static inline bool spots_have(const struct spots *spots, int spot)
{
	return spots->words[spot / 64] >> spot % 64 & 1;
}

static inline int thread_at(const struct node *node, int choice)
{
	return node->candidates[choice] & ~TIMEOUT;
}

enum verdict { VERDICT_CLEAN, VERDICT_FAILED };

struct search_config {
	const struct scenario *scenario;
	double seconds;
	uint64_t seed;
	uint64_t most_runs;        /* 0: no limit but time; else no other */
	const unsigned int *sites; /* what is planted, or NULL */
};

struct search_result {
	enum verdict verdict;
	uint64_t runs, pruned, runs_to_failure;
	int bound;      /* done with so many deviations; -1: with none */
	bool exhausted; /* every schedule */
	uint64_t by_chance;
	int longest;               /* choices in the longest schedule */
	double seconds, processor; /* passed, and used */
	char failure[512];
	struct deviation schedule[DEVIATIONS];
	int nr_schedule;
};

void search(const struct search_config *config, struct search_result *result);
bool search_replay(const struct deviation *told, int nr);

/* report.c */
void report_step(const char *what, uintptr_t addr, uint64_t value, bool old, uintptr_t pc);
void report_trace(FILE *to);

/* A scenario's setup() failed: the engine cannot go on with it.  Does not return. */
void setup_failed(const struct scenario *scenario) __attribute__((noreturn));

uintptr_t report_caller(uintptr_t pc);

/* The place of a step: "function file:line", or "". */
#define PLACE_BYTES 64
void report_place(uintptr_t pc, char place[PLACE_BYTES]);

#endif
