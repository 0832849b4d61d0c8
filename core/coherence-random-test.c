/* SPDX-License-Identifier: MIT */
/*
 * coherence-random-test.c - CO1 on random programs, on the pieces the specification has none of,
 * and on threads
 *
 * A program is a random sequence of begins, ends, joins, leaves, legal reads and legal writes by
 * the CPU and six devices over a few lines, with a cache that writes back, evicts and prefetches in
 * between.  Every legal read must return what flat memory holds.  Legal is said per line, as in
 * coherence-spec.py.
 */
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "core/test-cache.h"
#include "host/warn.h"
#include "tests/ktap.h"

#define LINES 5
#define SIZE (LINES * TEST_LINE - 24) /* the last line is short */
#define DEVICES 6
#define BRACKETS 3
#define READ_WRITE (COHERENCE_READ | COHERENCE_WRITE)

/* The CPU is the agent of each bracket, the devices come after. */
#define AGENTS (BRACKETS + DEVICES)

static const enum coherence_domain domain_of_device[DEVICES] = {
	COHERENCE_CACHES, COHERENCE_CACHES, COHERENCE_MEMORY,
	COHERENCE_MEMORY, COHERENCE_BOUNCE, COHERENCE_BOUNCE,
};

struct program {
	u64 seed;
	struct test_hardware hw;
	struct coherence c;
	struct test_device device[DEVICES];
	bool joined[DEVICES];

	/* open accesses: mode, and for brackets where */
	unsigned int mode[AGENTS];
	size_t offset[BRACKETS], len[BRACKETS];

	/*
	 * what is legal, per line: domains whose accesses are ordered after the last write, and who
	 * wrote
	 */
	u8 flat[SIZE];
	unsigned int synced[LINES];
	int writer[LINES];

	/* what went wrong first */
	char wrong[128];
};

static u32 draw(struct program *p, u32 below)
{
	p->seed = p->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (p->seed >> 33) % below;
}

/* Domains as bits: C, M, each B. */
static unsigned int domain(unsigned int agent)
{
	static const unsigned int bits[AGENTS] = { 1, 1, 1, 1, 1, 2, 2, 4, 8 };

	return bits[agent];
}

static bool covers(const struct program *p, unsigned int agent, unsigned int line)
{
	size_t start = line * TEST_LINE;

	if (agent >= BRACKETS)
		return true;
	return p->offset[agent] < start + TEST_LINE && start < p->offset[agent] + p->len[agent];
}

static unsigned int open_domains(const struct program *p, unsigned int line)
{
	unsigned int open = 0, a;

	for (a = 0; a < AGENTS; a++)
		open |= p->mode[a] && covers(p, a, line) ? domain(a) : 0;
	return open;
}

static void begins(struct program *p, unsigned int agent)
{
	unsigned int line, mode = 1 + draw(p, 3);

	if (agent < BRACKETS) {
		p->offset[agent] = draw(p, SIZE);
		p->len[agent] = 1 + draw(p, SIZE - p->offset[agent]);
		if (!draw(p, 4)) {
			p->offset[agent] = 0;
			p->len[agent] = SIZE;
		}
		coherence_cpu_begin(&p->c, p->offset[agent], p->len[agent], mode);
	} else if (p->joined[agent - BRACKETS]) {
		test_device_begin(&p->device[agent - BRACKETS], mode);
	} else {
		if (p->device[agent - BRACKETS].bounced)
			memset(p->device[agent - BRACKETS].bounced, draw(p, 256), SIZE);
		test_device_join(&p->device[agent - BRACKETS], DMA_BIDIRECTIONAL);
		p->joined[agent - BRACKETS] = true;
		return;
	}
	p->mode[agent] = mode;
	for (line = 0; line < LINES; line++)
		p->synced[line] |= covers(p, agent, line) ? domain(agent) : 0;
}

static void ends(struct program *p, unsigned int agent)
{
	unsigned int line, mode = p->mode[agent];

	p->mode[agent] = 0;
	for (line = 0; line < LINES; line++) {
		if (mode & COHERENCE_WRITE && covers(p, agent, line) &&
		    p->writer[line] == (int)domain(agent))
			p->synced[line] |= open_domains(p, line);
	}
	if (agent < BRACKETS)
		coherence_cpu_end(&p->c, p->offset[agent], p->len[agent], mode);
	else
		test_device_end(&p->device[agent - BRACKETS], mode);
}

static void accesses(struct program *p, unsigned int agent)
{
	struct test_device *dev = agent < BRACKETS ? NULL : &p->device[agent - BRACKETS];
	unsigned int line = draw(p, LINES), i;
	size_t start = line * TEST_LINE, end = min_t(size_t, start + TEST_LINE, SIZE);
	size_t offset = start + draw(p, end - start);

	if (!covers(p, agent, line) || !(p->synced[line] & domain(agent)))
		return;
	if (p->mode[agent] & COHERENCE_READ) {
		for (i = start; i < end; i++) {
			u8 got = test_load(&p->hw, dev, i);

			if (got != p->flat[i] && !p->wrong[0])
				snprintf(p->wrong, sizeof(p->wrong),
					 "agent %u reads %u at %u, newest is %u", agent, got, i,
					 p->flat[i]);
		}
	}
	if (p->mode[agent] & COHERENCE_WRITE) {
		p->flat[offset] += 1 + draw(p, 255);
		test_store(&p->hw, dev, offset, p->flat[offset]);
		p->synced[line] = domain(agent);
		p->writer[line] = domain(agent);
	}
}

/* CO3 and CO6, in the structures themselves. */
static void looks_inside(struct program *p)
{
	unsigned int line, a, i;

	coherence_lock(&p->c);
	for (line = 0; line < LINES; line++) {
		size_t at = line * TEST_LINE;

		for (a = 0; a < AGENTS; a++) {
			coherence_set bit = a < BRACKETS ? COHERENCE_SET_C
							 : p->device[a - BRACKETS].slot.member.bit;

			if (p->mode[a] && covers(p, a, line) &&
			    !(coherence_whole_at(&p->c, at) & bit) && !p->wrong[0])
				snprintf(p->wrong, sizeof(p->wrong),
					 "agent %u is open at line %u and not whole", a, line);
		}
		for (i = 0; i + 1 < p->c.nr_ranges && p->c.ranges[i + 1].start <= at; i++)
			;
		if (p->c.ranges[i].c_clean && p->hw.line[line] == 'd' && !p->wrong[0])
			snprintf(p->wrong, sizeof(p->wrong), "line %u is dirty and called clean",
				 line);
	}
	coherence_unlock(&p->c);
}

static void steps(struct program *p)
{
	unsigned int agent = draw(p, AGENTS), i = agent - BRACKETS;

	test_adversary(&p->hw, draw(p, LINES), draw(p, 3));
	if (p->mode[agent])
		draw(p, 3) ? accesses(p, agent) : ends(p, agent);
	else if (agent >= BRACKETS && p->joined[i] && !draw(p, 6)) {
		test_device_leave(&p->device[i]);
		p->joined[i] = false;
	} else if (draw(p, 2))
		begins(p, agent);
	else if (!draw(p, 20))
		coherence_cpu_flush(&p->c);
	looks_inside(p);
}

static void run_program(struct program *p, u64 seed, unsigned int length,
			const struct mapping_slot_ops *ops, enum test_defect defect)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	test_hardware_init(&p->hw, SIZE);
	p->hw.defect = defect;
	coherence_init(&p->c, SIZE);
	for (i = 0; i < DEVICES; i++)
		test_device_init(&p->device[i], &p->hw, &p->c, domain_of_device[i], ops);
	for (i = 0; i < LINES; i++)
		p->synced[i] = p->writer[i] = 1; /* the exporter's CPU filled it */

	for (i = 0; i < length && !p->wrong[0]; i++)
		steps(p);

	for (i = 0; i < AGENTS; i++) {
		if (p->mode[i])
			ends(p, i);
	}
	for (i = 0; i < DEVICES; i++) {
		test_device_leave(&p->device[i]);
		test_device_fini(&p->device[i]);
	}
	coherence_fini(&p->c);
	test_hardware_fini(&p->hw);
}

static void random_programs_read_the_newest(struct ktap *t)
{
	unsigned int programs = ktap_long ? 200000 : 3000, n;
	struct program p;

	for (n = 0; n < programs; n++) {
		run_program(&p, n, 120, n & 1 ? &test_slot_ops : &test_slot_ops_linux, TEST_SOUND);
		if (!ktap_check(t, !p.wrong[0], __FILE__, __LINE__, "program %u: %s", n, p.wrong))
			return;
	}
}

/* The same programs notice every defect: they are able to fail. */
static void random_programs_notice_defects(struct ktap *t)
{
	enum test_defect defect;
	struct program p;
	unsigned int n;

	for (defect = TEST_SOUND + 1; defect < TEST_DEFECTS; defect++) {
		for (n = 0, p.wrong[0] = 0; n < 500 && !p.wrong[0]; n++)
			run_program(&p, n, 120, &test_slot_ops, defect);
		ktap_check(t, p.wrong[0], __FILE__, __LINE__, "defect %d goes unnoticed", defect);
	}
}

/* --- threads ---------------------------------------------------------------------------------- */

#define ROUNDS (ktap_long ? 20000u : 1500u)

static struct race {
	struct test_hardware hw;
	struct coherence c;
	struct test_device ping, noise, coherent;
	atomic_t turn; /* even: the CPU's, odd: the device's */
	atomic_t wrong;
	bool stop;
} * race;

static void wait_for_turn(int turn)
{
	while (atomic_read_acquire(&race->turn) != turn)
		cond_resched();
}

static void expects(struct test_device *dev, size_t offset, u8 value)
{
	u8 got = test_load(&race->hw, dev, offset);

	if (got != value)
		atomic_inc(&race->wrong);
	test_store(&race->hw, dev, offset, value + 1);
}

/* A counter in line 0 goes to and fro: each finds what the other left. */
static int device_thread(void *unused)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		wait_for_turn(2 * i + 1);
		test_device_begin(&race->ping, READ_WRITE);
		expects(&race->ping, 0, 2 * i + 1);
		test_device_end(&race->ping, READ_WRITE);
		atomic_set_release(&race->turn, 2 * i + 2);
	}
	return 0;
}

/* Another device keeps the slots' counts and the directory's word busy, with a line of its own. */
static int noise_thread(void *unused)
{
	u8 value = 0;

	while (!READ_ONCE(race->stop)) {
		test_device_begin(&race->noise, READ_WRITE);
		expects(&race->noise, 2 * TEST_LINE, value++);
		test_device_end(&race->noise, READ_WRITE);
		cond_resched();
	}
	return 0;
}

/* One that looks past the directory at first, and at it from the moment the others join. */
static int coherent_thread(void *unused)
{
	u8 value = 0;

	while (!READ_ONCE(race->stop)) {
		test_device_begin(&race->coherent, READ_WRITE);
		expects(&race->coherent, 3 * TEST_LINE, value++);
		test_device_end(&race->coherent, READ_WRITE);
		cond_resched();
	}
	return 0;
}

static int bracket_thread(void *unused)
{
	u8 value = 0;

	while (!READ_ONCE(race->stop)) {
		coherence_cpu_begin(&race->c, 4 * TEST_LINE, TEST_LINE, READ_WRITE);
		expects(NULL, 4 * TEST_LINE, value++);
		coherence_cpu_end(&race->c, 4 * TEST_LINE, TEST_LINE, READ_WRITE);
		cond_resched();
	}
	return 0;
}

static void hits_race_with_brackets(struct ktap *t)
{
	static int (*const threads[])(void *) = { coherent_thread, bracket_thread, device_thread,
						  noise_thread };
	static struct race storage;
	struct task_struct *task[ARRAY_SIZE(threads)];
	unsigned int i;

	race = &storage;
	test_hardware_init(&race->hw, 6 * TEST_LINE);
	coherence_init(&race->c, 6 * TEST_LINE);
	test_device_init(&race->ping, &race->hw, &race->c, COHERENCE_MEMORY, &test_slot_ops);
	test_device_init(&race->noise, &race->hw, &race->c, COHERENCE_MEMORY, &test_slot_ops);
	test_device_init(&race->coherent, &race->hw, &race->c, COHERENCE_CACHES, &test_slot_ops);
	test_device_join(&race->coherent, DMA_BIDIRECTIONAL);

	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		task[i] = kthread_create(threads[i], NULL, "race/%u", i);
		KT_ASSERT(t, !IS_ERR(task[i]));
		get_task_struct(task[i]);
		if (threads[i] == device_thread) {
			test_device_join(&race->ping, DMA_BIDIRECTIONAL);
			test_device_join(&race->noise, DMA_BIDIRECTIONAL);
		}
		wake_up_process(task[i]);
	}
	for (i = 0; i < ROUNDS; i++) {
		wait_for_turn(2 * i);
		coherence_cpu_begin(&race->c, 0, TEST_LINE, READ_WRITE);
		expects(NULL, 0, 2 * i);
		coherence_cpu_end(&race->c, 0, TEST_LINE, READ_WRITE);
		atomic_set_release(&race->turn, 2 * i + 1);
	}
	wait_for_turn(2 * ROUNDS);
	WRITE_ONCE(race->stop, true);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		kthread_stop_put(task[i]);
	KT_EQ(t, atomic_read(&race->wrong), 0);

	test_device_leave(&race->ping);
	test_device_leave(&race->noise);
	test_device_leave(&race->coherent);
	test_device_fini(&race->coherent);
	test_device_fini(&race->ping);
	test_device_fini(&race->noise);
	coherence_fini(&race->c);
	test_hardware_fini(&race->hw);
}

KTAP_MAIN(KTAP_CASE(random_programs_read_the_newest), KTAP_CASE(random_programs_notice_defects),
	  KTAP_CASE(hits_race_with_brackets))
