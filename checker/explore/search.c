/* SPDX-License-Identifier: MIT */
/*
 * search.c - breadth-first through the states of one world; see explore.h
 *
 * A state is kept as the operation that led to it and the state before, 16 bytes; the copy it is
 * restored from is made anew by going down that path, from where it leaves the last one gone.  So
 * neighbours, which is what a level mostly holds, cost one operation each.
 *
 * A level are the states that so many operations lead to.  The adversary's steps count nothing, so
 * a level is first closed under them, then left by operations.
 *
 * One thread, but for what a dead mapping's last user leaves to a worker of the library's: that is
 * started before the first state, and has done it before the operation is over (moves_reap()).
 *
 * Programs are counted afterwards, from the edges: those of n operations from a state are, over its
 * operations, those of n - 1 from where each leads.  A read leads back.  The adversary's steps are
 * none: legal is the same with and without them.
 */
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/workqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/explore/arena.h"
#include "checker/explore/scene.h"
#include "host/warn.h"

#define NOBODY UINT32_MAX
#define CRITICAL 2   /* of printk()'s levels */
#define PATH_LEN 256 /* operations and adversary's steps */

struct state {
	u64 hash;
	u32 before;
	struct operation op;
};

struct verification {
	u32 state;
	u64 successors;
};

struct search {
	const struct explore_config *config;
	struct explore_result *result;
	struct scene *w;
	u64 until;        /* ns, or 0 */
	const char *text; /* the violation */

	struct state *states;
	u32 nr_states, room_states;
	u32 *table; /* of hashes: state + 1, or 0 */
	u64 room_table;

	/* of each state that was left: its edges begin here; beside them its reads */
	u64 *edges_of;
	u8 *reads;
	u32 left;
	u32 *edges;
	u64 nr_edges, room_edges;

	struct verification *checks;
	size_t nr_checks, room_checks;
	u64 again; /* states found a second time */

	/* the path that was last gone, with a copy of the state after each step */
	u32 path[PATH_LEN];
	unsigned int depth;
	size_t copy_bytes;
	char *copies; /* PATH_LEN of them */
	char *scratch;

	/* config.report: the program */
	struct operation program[PATH_LEN + 1];
	unsigned int steps;
};

static char warned[512];

static void note_warn(const char *file, int line, const char *text)
{
	if (!warned[0])
		snprintf(warned, sizeof(warned), "the core warns: %.*s (EX3)", 400, text);
}

/* --- states ----------------------------------------------------------------------------------- */

/* Libc's memory: the arena is the core's. */
static bool grow(void *array, size_t size, u64 used, u64 *room)
{
	void **at = array, *larger;
	u64 wanted = *room ? 2 * *room : 1024;

	if (used < *room)
		return true;
	larger = realloc(*at, wanted * size);
	if (!larger)
		return false;
	*at = larger;
	*room = wanted;
	return true;
}

static bool grow_states(struct search *s)
{
	u64 room = s->room_states, reads = room, edges = room;
	bool ok = grow(&s->states, sizeof(*s->states), s->nr_states, &room) &&
		  grow(&s->reads, sizeof(*s->reads), s->nr_states, &reads) &&
		  grow(&s->edges_of, sizeof(*s->edges_of), s->nr_states, &edges);

	s->room_states = room;
	return ok;
}

static u32 *place(const struct search *s, u32 *table, u64 room, u64 hash)
{
	u64 at = hash & (room - 1);

	while (table[at] && s->states[table[at] - 1].hash != hash)
		at = (at + 1) & (room - 1);
	return &table[at];
}

static bool grow_table(struct search *s)
{
	u64 room = s->room_table ? 2 * s->room_table : 4096;
	u32 *larger;

	if (s->room_table && s->nr_states < s->room_table / 2)
		return true;
	larger = calloc(room, sizeof(*larger));
	if (!larger)
		return false;
	for (u32 i = 0; i < s->nr_states; i++)
		*place(s, larger, room, s->states[i].hash) = i + 1;
	free(s->table);
	s->table = larger;
	s->room_table = room;
	return true;
}

/* The state that the world is in now; *@fresh if it had not been seen.  NOBODY without memory. */
static u32 find_state(struct search *s, u32 before, const struct operation *op, bool *fresh)
{
	u64 hash = scene_hash(s->w);
	u32 *found;

	if (!grow_states(s) || !grow_table(s))
		return NOBODY;
	found = place(s, s->table, s->room_table, hash);
	*fresh = !*found;
	if (*fresh) {
		s->states[s->nr_states] =
			(struct state){ .hash = hash, .before = before, .op = *op };
		s->reads[s->nr_states] = 0;
		*found = ++s->nr_states;
	}
	return *found - 1;
}

static char *copy_at(const struct search *s, unsigned int depth)
{
	return s->copies + depth * s->copy_bytes;
}

/* --- one step --------------------------------------------------------------------------------- */

static const char *step(struct search *s, const struct operation *op)
{
	const char *wrong;

	s->result->at.steps++;
	wrong = scene_do(s->w, op);
	if (!wrong && warned[0])
		wrong = warned;
	return wrong ?: arena_error();
}

/* Let the world be in @state, with a copy of it at s->depth. */
static void go_to(struct search *s, u32 state)
{
	u32 way[PATH_LEN];
	unsigned int len = 0, same = 0;
	u32 at;

	for (at = state; at != NOBODY && len < PATH_LEN; at = s->states[at].before)
		way[len++] = at;
	for (unsigned int i = 0; i < len / 2; i++)
		swap(way[i], way[len - 1 - i]);
	while (same <= s->depth && same < len && way[same] == s->path[same])
		same++;

	arena_restore(copy_at(s, same - 1));
	for (; same < len; same++) {
		step(s, &s->states[way[same]].op);
		s->path[same] = way[same];
		arena_save(copy_at(s, same));
	}
	s->depth = len - 1;
}

/* --- a violation ------------------------------------------------------------------------------ */

static size_t tell_step(struct search *s, const struct operation *op, unsigned int *nr, char *text,
			size_t len)
{
	struct operation beside;
	char words[128];
	size_t at;

	scene_tell(s->w, op, words, sizeof(words));
	if (op->kind >= OP_ADVERSARY)
		return scnprintf(text, len, "     %s\n", words);
	at = scnprintf(text, len, "%3u  %s\n", ++*nr, words);
	if (!op->step)
		return at;
	beside = (struct operation){ .kind = op->beside, .agent = op->other, .a = op->what };
	scene_tell(s->w, &beside, words, sizeof(words));
	if (op->beside < OP_ADVERSARY)
		at += scnprintf(text + at, len - at, "%3u", ++*nr);
	return at + scnprintf(text + at, len - at, "%*s before step %u of this: %s\n",
			      op->beside < OP_ADVERSARY ? 1 : 4, "", op->step, words);
}

/* The program to @state, where the world is afterwards, then @op if there is one. */
static void remember(struct search *s, u32 state, const struct operation *op)
{
	go_to(s, state);
	for (s->steps = 0; s->steps < s->depth; s->steps++)
		s->program[s->steps] = s->states[s->path[s->steps + 1]].op;
	if (op)
		s->program[s->steps++] = *op;
}

/* The same, and what is wrong after it. */
static void tell_violation(struct search *s, u32 state, const struct operation *op,
			   const char *wrong)
{
	char *text = s->result->text;
	unsigned int nr = 0;
	size_t at = 0;

	remember(s, state, op);
	for (unsigned int i = 1; i <= s->depth; i++)
		at += tell_step(s, &s->states[s->path[i]].op, &nr, text + at, EXPLORE_TEXT - at);
	if (op)
		at += tell_step(s, op, &nr, text + at, EXPLORE_TEXT - at);
	scnprintf(text + at, EXPLORE_TEXT - at, "  => %s\n", wrong);
	s->result->verdict = EXPLORE_VIOLATED;
	s->result->ops = nr;
}

/* The last line of its text, without the arrow. */
static const char *violation(const struct explore_result *result)
{
	const char *arrow = strstr(result->text, "  => ");

	return arrow ? arrow + strlen("  => ") : NULL;
}

static void fail_without_memory(struct search *s)
{
	s->result->verdict = EXPLORE_UNTRIED;
	snprintf(s->result->text, EXPLORE_TEXT, "no memory for more than %u states", s->nr_states);
}

/* --- leaving a state -------------------------------------------------------------------------- */

static u64 mix_successor(const struct operation *op, u64 hash)
{
	u64 x = hash ^
		((u64)op->kind << 48 | (u64)op->agent << 40 | (u64)op->a << 32 | (u64)op->b << 24);

	x *= 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 31;
}

/* What the world's state leads to, in one number; the world is where it was afterwards. */
static u64 successors(struct search *s)
{
	struct operation ops[SCENE_MOST_OPERATIONS];
	unsigned int nr = scene_operations(s->w, ops);
	u64 sum = nr;

	arena_save(s->scratch);
	for (unsigned int i = 0; i < nr; i++) {
		step(s, &ops[i]);
		sum += mix_successor(&ops[i], scene_hash(s->w));
		arena_restore(s->scratch);
	}
	return sum;
}

/* The world is in @state, which was reached another way than the first. */
static bool note_again(struct search *s, u32 state)
{
	u64 room = s->room_checks;

	if (!s->config->verify || ++s->again % s->config->verify)
		return true;
	if (!grow(&s->checks, sizeof(*s->checks), s->nr_checks, &room))
		return false;
	s->room_checks = room;
	s->checks[s->nr_checks++] = (struct verification){ state, successors(s) };
	return true;
}

/* One operation from @state has been carried out.  False: that is the end of the search. */
static bool arrive(struct search *s, u32 state, const struct operation *op, const char *wrong)
{
	u64 room = s->room_edges;
	unsigned int reads;
	bool fresh;
	u32 next;

	if (wrong) {
		tell_violation(s, state, op, wrong);
		return false;
	}
	next = find_state(s, state, op, &fresh);
	if (next == NOBODY || !grow(&s->edges, sizeof(*s->edges), s->nr_edges, &room) ||
	    (!fresh && !note_again(s, next))) {
		fail_without_memory(s);
		return false;
	}
	s->room_edges = room;
	if (op->kind < OP_ADVERSARY && !op->step)
		s->edges[s->nr_edges++] = next;
	if (!fresh)
		return true;
	wrong = scene_check(s->w, &reads);
	s->reads[next] = reads;
	if (wrong)
		tell_violation(s, next, NULL, wrong);
	return !wrong;
}

/* What is done with a level's states, in this order. */
enum pass {
	ADVERSARY,     /* its steps: they lead to this level, too */
	OPERATIONS,    /* also those disturbed by the adversary: they lead to the next */
	TWO_OPERATIONS /* one with another beside it: the level after that */
};

/* @op again, with somebody else who does something before each of its @steps. */
static bool disturb(struct search *s, u32 state, const struct operation *op, unsigned int steps,
		    enum pass pass)
{
	struct operation ops[SCENE_MOST_OPERATIONS];
	unsigned int nr;

	arena_restore(copy_at(s, s->depth));
	nr = scene_meanwhile(s->w, op, ops);
	for (unsigned int i = 0; i < nr; i++) {
		if ((pass == TWO_OPERATIONS) != (ops[i].beside < OP_ADVERSARY))
			continue;
		for (ops[i].step = 1; ops[i].step <= steps; ops[i].step++) {
			const char *wrong;

			arena_restore(copy_at(s, s->depth));
			wrong = step(s, &ops[i]);
			if (!arrive(s, state, &ops[i], wrong))
				return false;
		}
	}
	return true;
}

/* False: that is the end of the search. */
static bool leave_state(struct search *s, u32 state, enum pass pass)
{
	struct operation ops[SCENE_MOST_OPERATIONS];
	bool moved = false;
	unsigned int nr;
	u32 leaves;

	go_to(s, state);
	nr = scene_operations(s->w, ops);
	leaves = s->w->leaves;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int steps;
		const char *wrong;

		if ((pass == ADVERSARY) != (ops[i].kind >= OP_ADVERSARY))
			continue;
		if (moved)
			arena_restore(copy_at(s, s->depth));
		moved = true;
		wrong = step(s, &ops[i]);
		steps = s->w->steps;
		if (pass != TWO_OPERATIONS) {
			s->result->at.leaves += s->w->leaves - leaves;
			if (!arrive(s, state, &ops[i], wrong))
				return false;
		}
		if (steps && !s->config->alone && !disturb(s, state, &ops[i], steps, pass))
			return false;
	}
	return true;
}

/* --- levels ----------------------------------------------------------------------------------- */

static bool limits_reached(struct search *s)
{
	struct explore_result *result = s->result;

	result->at.states = s->nr_states;
	if (s->config->progress)
		s->config->progress(s->config, &result->at);
	if ((s->config->states && s->nr_states >= s->config->states) ||
	    (s->until && ktime_get() >= s->until)) {
		result->verdict = EXPLORE_STOPPED;
		return true;
	}
	return false;
}

/* The states from @first to @last, and those that the adversary adds meanwhile. */
static bool leave_all(struct search *s, u32 first, u32 last, enum pass pass)
{
	for (u32 i = first; i < (pass == ADVERSARY ? s->nr_states : last); i++) {
		if (!(i % 64) && limits_reached(s))
			return false;
		if (pass == OPERATIONS) {
			s->edges_of[i] = s->nr_edges;
			s->left = i + 1;
		}
		if (!leave_state(s, i, pass))
			return false;
	}
	return true;
}

/* Of states held equal, do the first and the other lead to the same? */
static bool verify(struct search *s)
{
	for (size_t i = 0; i < s->nr_checks; i++) {
		go_to(s, s->checks[i].state);
		if (successors(s) == s->checks[i].successors)
			continue;
		tell_violation(s, s->checks[i].state, NULL,
			       "another program leads to a state held equal that goes other ways");
		return false;
	}
	s->result->at.compared += s->nr_checks;
	s->nr_checks = 0;
	return true;
}

static void run_levels(struct search *s)
{
	unsigned int *length = &s->result->at.length;
	u32 before = 0, first = 0, last;

	for (*length = 0;; ++*length, before = first, first = last) {
		if (!leave_all(s, first, 0, ADVERSARY) || !verify(s))
			return;
		if (*length == s->config->ops)
			break;
		last = s->nr_states;
		if (!leave_all(s, first, last, OPERATIONS) ||
		    !leave_all(s, before, first, TWO_OPERATIONS))
			return;
		if (last == s->nr_states && first == last) {
			s->result->at.closed = true;
			*length = s->config->ops;
			break;
		}
	}
	s->result->verdict = EXPLORE_CLEAN;
	limits_reached(s);
	s->result->verdict = EXPLORE_CLEAN;
}

/* Those of at most s->result->at.length operations. */
static double count_programs(struct search *s)
{
	double *now = calloc(s->nr_states, sizeof(*now)),
	       *next = calloc(s->nr_states, sizeof(*next));
	double count = 0;

	for (unsigned int n = 0; now && next && n <= s->result->at.length; n++) {
		for (u32 i = 0; i < s->nr_states; i++) {
			u64 end = i + 1 < s->left ? s->edges_of[i + 1] : s->nr_edges;

			next[i] = n ? s->reads[i] * now[i] : 1;
			if (!n || i >= s->left)
				continue;
			for (u64 e = s->edges_of[i]; e < end; e++)
				next[i] += now[s->edges[e]];
		}
		swap(now, next);
		count += now[0];
	}
	free(now);
	free(next);
	return count;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool search_begin(struct search *s)
{
	const struct operation none = {};
	unsigned int reads;
	bool fresh;

	s->copy_bytes = ALIGN(arena_bytes(SCENE_ROOM), 64);
	s->copies = malloc(PATH_LEN * s->copy_bytes);
	s->scratch = malloc(s->copy_bytes);
	if (!s->copies || !s->scratch || find_state(s, NOBODY, &none, &fresh) == NOBODY)
		return false;
	s->path[0] = 0;
	arena_save(s->copies);
	return !scene_check(s->w, &reads);
}

static void search_end(struct search *s)
{
	if (s->nr_states)
		arena_restore(s->copies);
	free(s->copies);
	free(s->scratch);
	free(s->states);
	free(s->table);
	free(s->edges_of);
	free(s->reads);
	free(s->edges);
	free(s->checks);
}

/* What the library makes once and keeps must not lie in the arena, which is another's next time. */
static void make_what_stays(const struct explore_config *config)
{
	static bool made;
	const char *why;
	struct scene *w = made ? NULL : scene_create(config, &why);

	if (!w)
		return;
	scene_destroy(w);
	made = true;
}

static void do_nothing(struct work_struct *work)
{
}

/* The thread that ends a dead mapping: this process has one from now on. */
static void start_worker(void)
{
	static struct work_struct work;

	INIT_WORK(&work, do_nothing);
	schedule_work(&work);
	flush_workqueue(system_wq);
}

void explore_run(const struct explore_config *config, struct explore_result *result)
{
	struct search s = { .config = config, .result = result };
	host_warn_hook_t warn_hook;
	int level;
	const char *why = "no memory";

	memset(result, 0, sizeof(*result));
	result->verdict = EXPLORE_UNTRIED;
	/* Their lists are none of what is saved. */
	if (IS_ENABLED(LIBDMABUF_DEBUG_TABLES)) {
		snprintf(result->text, EXPLORE_TEXT, "not in a build with debug tables");
		return;
	}
	if (config->ms)
		s.until = ktime_get() + config->ms * NSEC_PER_MSEC;
	make_what_stays(config);
	start_worker();
	if (arena_open()) {
		snprintf(result->text, EXPLORE_TEXT, "another exploration is running");
		return;
	}
	warned[0] = '\0';
	warn_hook = host_set_warn_hook(note_warn);
	level = host_printk_level(CRITICAL); /* not whom a revocation waits for */
	s.w = scene_create(config, &why);
	if (!s.w) {
		snprintf(result->text, EXPLORE_TEXT, "%s", why);
		goto close;
	}
	if (search_begin(&s))
		run_levels(&s);
	else
		fail_without_memory(&s);
	if (result->verdict == EXPLORE_CLEAN || result->verdict == EXPLORE_STOPPED)
		remember(&s, s.nr_states - 1, NULL);
	result->at.states = s.nr_states;
	result->at.programs = count_programs(&s);
	search_end(&s);
	scene_destroy(s.w);
close:
	host_set_warn_hook(warn_hook);
	arena_close();
	if (config->report && result->verdict != EXPLORE_UNTRIED)
		result->report_error = scene_draw(config, s.program, s.steps, violation(result));
	host_printk_level(level);
}
