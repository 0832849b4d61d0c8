/* SPDX-License-Identifier: MIT */
/*
 * threads.c - the host's threads as coroutines on one, and host/port.h on them
 *
 * A thread goes on until it meets a switch point, sleeps or ends; then search.c says who is next.  One
 * that sleeps is woken as a futex's sleepers are: by port_wake() on its address, or, if it gave a time,
 * when nobody else can go on, or when search.c tries that.
 *
 * host/port.c is linked, too: the linker gives us the calls that make threads and read clocks
 * (--wrap), and its port_scheduler the others.  What it has in thread-local memory, and what others of
 * the host have, is exchanged with the thread.
 */
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "checker/mutants/switch.h"
#include "checker/schedules/engine.h"
#include "checker/schedules/planted.h"
#include "host/port.h"
#include "host/warn.h"

#define MAIN 0 /* the thread of setup() and finish() */

/* --- from one stack to another ---------------------------------------------------------------- */

void schedules_switch(void **from, void *to);
void schedules_begin(void);
void schedules_thread_main(void);

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".globl schedules_switch\n"
	".type schedules_switch, @function\n"
	"schedules_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".globl schedules_begin\n"
	".type schedules_begin, @function\n"
	"schedules_begin:\n"
	"	xorl %ebp, %ebp\n"
	"	call schedules_thread_main\n"
	".popsection\n");
#define FRAME_WORDS 9 /* six registers, where to go, and what keeps the stack aligned */
#define FRAME_PC 6
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
	".globl schedules_switch\n"
	".type schedules_switch, %function\n"
	"schedules_switch:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".globl schedules_begin\n"
	".type schedules_begin, %function\n"
	"schedules_begin:\n"
	"	bl schedules_thread_main\n"
	".popsection\n");
#define FRAME_WORDS 20
#define FRAME_PC 11
#endif

static void tls_out(struct thread *thread)
{
	memcpy(thread->tls, engine->tls, engine->tls_bytes);
}

static void tls_in(const struct thread *thread)
{
	memcpy(engine->tls, thread->tls, engine->tls_bytes);
}

static void go_to(int next)
{
	struct thread *from = &engine->threads[engine->current];

	tls_out(from);
	engine->current = next;
	tls_in(&engine->threads[next]);
	schedules_switch(&from->sp, engine->threads[next].sp);
}

/* Back to the engine's stack, as if its schedules_switch() returned. */
static void go_home(void)
{
	struct thread *from = &engine->threads[engine->current];

	tls_out(from);
	engine->current = -1;
	schedules_switch(&from->sp, engine->sp);
}

static void go_from_home(int next)
{
	engine->current = next;
	tls_in(&engine->threads[next]);
	schedules_switch(&engine->sp, engine->threads[next].sp);
}

/* --- failures --------------------------------------------------------------------------------- */

void engine_leave(enum outcome outcome)
{
	engine->outcome = outcome;
	engine->current = -1;
	siglongjmp(engine->back, 1);
}

void engine_fail(uintptr_t pc, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(engine->failure, sizeof(engine->failure), fmt, args);
	va_end(args);
	engine->failed_at = report_caller(pc);
	engine_leave(OUTCOME_FAILED);
}

void schedule_fail(const char *text)
{
	engine_fail((uintptr_t)__builtin_return_address(0), "%s", text);
}

static void warned(const char *file, int line, const char *text)
{
	engine_fail((uintptr_t)__builtin_return_address(0), "WARN: %s", text);
}

static void on_signal(int nr, siginfo_t *info, void *context)
{
	if (engine->current < 0) {
		if (nr == SIGVTALRM)
			return;
		signal(nr, SIG_DFL);
		return;
	}
	if (nr == SIGVTALRM) {
		bool same = engine->entered_at_tick == engine->entered;

		engine->entered_at_tick = engine->entered;
		if (same)
			engine_fail(0, "%s goes on and on", engine->threads[engine->current].name);
		return;
	}
	engine_fail(0, nr == SIGABRT ? "BUG" : "a wrong address: %p", info->si_addr);
}

/* --- who goes on ------------------------------------------------------------------------------ */

static uint16_t runnable(void)
{
	uint16_t mask = 0;

	for (int i = 0; i < engine->nr_threads; i++)
		mask |= (engine->threads[i].state == THREAD_RUNNABLE) << i;
	return mask;
}

/*
 * Who yielded waits until all others that can go on have had a turn, and somebody has written: until
 * then it would only look at the same again.
 */
static bool can_go(const struct thread *t, bool yielded)
{
	if (t->state != THREAD_RUNNABLE)
		return false;
	return yielded || !t->yielded || (!t->dry && !(t->turns & runnable()));
}

static int sleepers(uint8_t *candidates, int n, bool dry)
{
	for (int i = 0; i < engine->nr_threads; i++) {
		const struct thread *t = &engine->threads[i];

		if (t->state == THREAD_ASLEEP && t->timed && t->timed_dry <= dry)
			candidates[n++] = i | TIMEOUT;
	}
	return n;
}

/* The thread that ran has had a turn. */
static void turn_ends(void)
{
	bool wrote = engine->phase != PHASE_RUN ||
		     !footprint_empty(&engine->step->touched.writes) ||
		     engine->threads[engine->current].state == THREAD_ENDED;

	for (int i = 0; i < engine->nr_threads; i++) {
		struct thread *t = &engine->threads[i];

		if (i == engine->current)
			continue;
		t->turns &= ~(1 << engine->current);
		t->dry &= !wrote;
		t->timed_dry &= !wrote;
	}
}

static int candidates_of(uint8_t *candidates, bool yielded)
{
	int me = engine->current, n = 0;

	if (can_go(&engine->threads[me], yielded))
		candidates[n++] = me;
	for (int i = 0; i < engine->nr_threads; i++)
		if (i != me && can_go(&engine->threads[i], yielded))
			candidates[n++] = i;
	return n;
}

static void deadlock(void)
{
	char text[400] = "";
	size_t used = 0;

	for (int i = 0; i < engine->nr_threads && used < sizeof(text); i++) {
		const struct thread *t = &engine->threads[i];

		if (t->state == THREAD_ASLEEP && (t->scenario || i == MAIN))
			used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
					 t->name);
	}
	engine_fail(0, "asleep for ever: %s", text);
}

/* Without search: the first that can. */
static int next_in_finish(void)
{
	uint8_t candidates[2 * THREADS];
	int n = candidates_of(candidates, false);

	if (!n)
		n = candidates_of(candidates, true);
	if (!n)
		n = sleepers(candidates, n, true);
	if (!n)
		deadlock();
	if (++engine->alone == NODES)
		engine_fail(0, "%s goes on and on", engine->threads[candidates[0] & ~TIMEOUT].name);
	return candidates[0];
}

static int next_in_run(void)
{
	uint8_t candidates[2 * THREADS];
	int n;

	/* Workers go on while they can: what they still do may meet what was done before. */
	if (!engine->running && !runnable()) {
		engine->phase = PHASE_FINISH;
		search_step_ends();
		engine->step = &engine->nowhere;
		engine->threads[MAIN].state = THREAD_RUNNABLE;
		model_join_all(&engine->threads[MAIN]);
		return MAIN;
	}
	n = candidates_of(candidates, false);
	if (!n)
		n = candidates_of(candidates, true);
	if (engine->running)
		n = sleepers(candidates, n, !n);
	if (!n)
		deadlock();
	return search_thread(candidates, n, engine->current);
}

static void reschedule(void)
{
	struct thread *t;
	int next;

	turn_ends();
	next = engine->phase == PHASE_RUN ? next_in_run() : next_in_finish();
	t = &engine->threads[next & ~TIMEOUT];
	if (next & TIMEOUT) {
		t->state = THREAD_RUNNABLE;
		t->timed_out = t->timed_dry = true;
		model_footprint(t->wait_addr);
		model_time(true);
	}
	t->yielded = false;
	if ((next & ~TIMEOUT) != engine->current)
		go_to(next & ~TIMEOUT);
}

void thread_point(const char *what, uintptr_t addr, uintptr_t pc)
{
	if (engine->phase == PHASE_RUN && engine->current >= 0)
		reschedule();
}

static void point(enum port_point_kind kind, const void *addr)
{
	if (kind != PORT_LOCK && kind != PORT_RCU)
		return;
	thread_point("lock", (uintptr_t)addr, 0);
	if (engine->tracing && engine->current >= 0 && engine->phase != PHASE_SETUP)
		report_step(kind == PORT_LOCK ? "lock" : "rcu", (uintptr_t)addr, 0, false,
			    (uintptr_t)__builtin_return_address(0));
}

/* --- host/port.h ------------------------------------------------------------------------------ */

static int sleep_on(const uint32_t *addr, uint32_t expected, int64_t timeout_ns)
{
	struct thread *me = &engine->threads[engine->current];

	model_read_newest((uintptr_t)addr, 4, __ATOMIC_RELAXED);
	if (*(const volatile uint32_t *)addr != expected)
		return -EAGAIN;
	if (timeout_ns <= 0)
		return -ETIMEDOUT;
	model_footprint((uintptr_t)addr);
	if (engine->tracing)
		report_step("sleeps", (uintptr_t)addr, 0, false, 0);
	me->state = THREAD_ASLEEP;
	me->wait_addr = (uintptr_t)addr;
	me->timed = timeout_ns != PORT_FOREVER;
	me->timed_out = false;
	me->slept = ++engine->sleeps;
	reschedule();
	if (!me->timed_out)
		return 0;
	me->timed_out = false;
	engine->now += timeout_ns;
	return -ETIMEDOUT;
}

static void wake(const uint32_t *addr, int count)
{
	model_footprint((uintptr_t)addr);
	while (count-- > 0) {
		struct thread *first = NULL;

		for (int i = 0; i < engine->nr_threads; i++) {
			struct thread *t = &engine->threads[i];

			if (t->state == THREAD_ASLEEP && t->wait_addr == (uintptr_t)addr &&
			    (!first || t->slept < first->slept))
				first = t;
		}
		if (!first)
			return;
		first->state = THREAD_RUNNABLE;
		step_wakes(first - engine->threads);
		if (engine->tracing)
			report_step("wakes", (uintptr_t)addr, first - engine->threads, false, 0);
	}
}

static void yield_now(void)
{
	struct thread *me = &engine->threads[engine->current];

	me->yielded = me->dry = true;
	me->yields[0] = me->yields[1];
	me->yields[1] = engine->stores;
	me->turns = runnable() & ~(1 << engine->current);
	reschedule();
}

static const struct port_scheduler scheduler = { sleep_on, wake, yield_now };

struct port_thread *__wrap_ldb_port_thread_create(void (*fn)(void *arg), void *arg,
						  const char *name);
struct port_thread *__wrap_ldb_port_thread_create(void (*fn)(void *arg), void *arg,
						  const char *name)
{
	int i = thread_new(fn, arg, name);

	return i < 0 ? NULL : (struct port_thread *)&engine->threads[i];
}

void __wrap_ldb_port_thread_join(struct port_thread *thread);
void __wrap_ldb_port_thread_join(struct port_thread *thread)
{
	struct thread *t = (struct thread *)thread;

	while (t->state != THREAD_ENDED)
		yield_now();
	t->state = THREAD_NONE;
}

uint64_t __wrap_ldb_port_time_ns(void);
uint64_t __wrap_ldb_port_time_ns(void)
{
	model_time(false);
	return engine->now;
}

uint64_t __wrap_ldb_port_real_ns(void);
uint64_t __wrap_ldb_port_real_ns(void)
{
	model_time(false);
	return engine->now;
}

void __wrap_ldb_port_barrier_all(void);
void __wrap_ldb_port_barrier_all(void)
{
	model_barrier_all();
}

/* Nobody forks, and the C library's list would not go back with the world. */
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return 0;
}

/* --- threads ---------------------------------------------------------------------------------- */

void schedules_thread_main(void)
{
	struct thread *me = &engine->threads[engine->current];

	me->fn(me->arg);
	me->state = THREAD_ENDED;
	engine->running -= me->scenario;
	if (engine->tracing)
		report_step("ends", 0, 0, false, 0);
	reschedule();
	abort();
}

int thread_new(void (*fn)(void *arg), void *arg, const char *name)
{
	struct thread *t;
	void **frame;
	int i = 0;

	while (i < engine->nr_threads && engine->threads[i].state != THREAD_NONE)
		i++;
	if (i == THREADS) {
		engine_fail(0, "more than %d threads", THREADS);
		return -1;
	}
	if (i == engine->nr_threads)
		engine->nr_threads++;
	t = &engine->threads[i];
	memset(t, 0, offsetof(struct thread, cur));
	memcpy(t->tls, engine->tls_initial, engine->tls_bytes);
	t->last_step = t->woken_by = NOBODY;
	t->fn = fn;
	t->arg = arg;
	snprintf(t->name, sizeof(t->name), "%s", name);
	frame = (void **)(STACK_BASE + (i + 1) * STACK_BYTES) - FRAME_WORDS;
	memset(frame, 0, FRAME_WORDS * sizeof(*frame));
	frame[FRAME_PC] = (void *)schedules_begin;
	t->sp = frame;
	t->state = THREAD_RUNNABLE;
	model_spawn(t);
	return i;
}

/* A scenario's thread has its task and waits for the schedule to begin. */
void thread_gate(void)
{
	struct thread *me = &engine->threads[engine->current];

	me->state = THREAD_GATE;
	me->scenario = true;
	engine->running++;
	reschedule();
}

bool world_stands(void)
{
	for (int i = 0; i < engine->nr_threads; i++)
		if (i != MAIN && engine->threads[i].state == THREAD_RUNNABLE)
			return false;
	return true;
}

/* Everything stands ready. */
void world_ready(void)
{
	engine->threads[MAIN].state = THREAD_GATE;
	go_home();
}

void world_finished(void)
{
	engine_leave(OUTCOME_GOOD);
}

/* Runs setup() and remembers.  A failure there is the scenario's. */
void threads_prepare(const struct scenario *scenario, const unsigned int *sites)
{
	world_put_back(0);
	world_pristine();
	for (int i = 0; sites && i < PLANTED_SITES && sites[i]; i++)
		mutant_on[sites[i]] = true;
	memset(engine->threads, 0, sizeof(engine->threads));
	engine->nr_threads = 0;
	engine->phase = PHASE_SETUP;
	engine->outcome = OUTCOME_NONE;
	engine->entered++;
	engine->step = &engine->nowhere;
	engine->alone = 0;
	engine->scenario = scenario;
	engine->running = 0;
	engine->objects = 0;
	engine->current = -1;
	host_set_warn_hook(warned);
	port_scheduler = &scheduler;
	port_point_hook = point;
	if (sigsetjmp(engine->back, 0)) {
		engine->current = -1;
		setup_failed(scenario);
	}
	thread_new(world_main, (void *)scenario, "main");
	go_from_home(MAIN);
	world_remember(1);
}

void threads_run(void)
{
	world_put_back(1);
	engine->outcome = OUTCOME_NONE;
	engine->entered++;
	engine->alone = 0;
	engine->now = 1000000000;
	engine->phase = PHASE_RUN;
	engine->current = -1;
	for (int i = 0; i < engine->nr_threads; i++)
		if (i != MAIN && engine->threads[i].state == THREAD_GATE)
			engine->threads[i].state = THREAD_RUNNABLE;
	model_begin();
	if (!sigsetjmp(engine->back, 0)) {
		/* As if the engine's own thread, which cannot go on, chose. */
		engine->current = MAIN;
		go_from_home(next_in_run());
	}
	engine->current = -1;
	engine->runs++;
}

static int find_tls(struct dl_phdr_info *info, size_t size, void *unused)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS) {
			engine->tls = info->dlpi_tls_data;
			engine->tls_bytes = info->dlpi_phdr[i].p_memsz;
		}
	return 1; /* the program comes first */
}

void threads_init(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGVTALRM };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART };
	struct itimerval second = { { 2, 0 }, { 2, 0 } };
	stack_t stack = { .ss_sp = world_map(STACK_BYTES), .ss_size = STACK_BYTES };

	engine->current = -1;
	dl_iterate_phdr(find_tls, NULL);
	if (engine->tls_bytes > TLS_BYTES) {
		fprintf(stderr, "dmabuf schedules: %zu bytes of thread-local memory\n",
			engine->tls_bytes);
		exit(2);
	}
	memcpy(engine->tls_initial, engine->tls, engine->tls_bytes);
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	setitimer(ITIMER_VIRTUAL, &second, NULL);
}
