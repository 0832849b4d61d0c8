/* SPDX-License-Identifier: MIT */
/*
 * bench.c - the measures of `dmabuf bench`, their rounds, the table and the JSON
 */
#include <linux/dma-fence.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/json.h"
#include "bench/subject.h"
#include "host/port.h"

#define MAX_THREADS 2
#define LINE_BYTES 64
#define KIB 1024ul
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/*
 * What one thread of one measure works on; its loop takes the next of `n` things each time and
 * wraps.
 */
struct work {
	struct subject *subject;
	struct dma_buf_attachment **attach; /* in random order */
	atomic_t **lines;
	unsigned int n, next;
	u64 pairs, ns;
	int cpu;
	void (*loop)(struct work *work);
	u32 *gate;
};

struct measure {
	const char *name;
	void (*loop)(struct work *work);
	bool needs_subject;
	enum subject_kind kind;
	unsigned int n, threads;
	size_t bytes;
	/*
	 * The row whose ns it is divided by, and what the ratio must not exceed; NULL: a figure by
	 * itself.
	 */
	const char *base;
	unsigned int base_n, base_threads;
	size_t base_bytes;
	double target;
	u64 pairs; /* a round; 0: the default */
};

/* --- loops ------------------------------------------------------------------------------------ */

static inline unsigned int take(struct work *work)
{
	unsigned int i = work->next;

	work->next = i + 1 < work->n ? i + 1 : 0;
	return i;
}

static noinline void loop_atomic(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		atomic_t *line = work->lines[take(work)];

		atomic_fetch_add(1, line);
		atomic_fetch_sub_release(1, line);
	}
}

/*
 * The same with as many instructions between as a map and its unmap have.  Over lines that are not
 * in the cache it shows what those cost by themselves: how far ahead the processor can fetch.
 */
static noinline void loop_atomic_far(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		atomic_t *line = work->lines[take(work)];

		atomic_fetch_add(1, line);
		asm volatile(".rept 50\n\tnop\n\t.endr");
		atomic_fetch_sub_release(1, line);
	}
}

static noinline void loop_mutex(struct work *work)
{
	static DEFINE_MUTEX(one);

	for (u64 i = 0; i < work->pairs; i++) {
		mutex_lock(&one);
		mutex_unlock(&one);
	}
}

static noinline void loop_unlocked(struct work *work)
{
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = work->attach[take(work)];
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	}
}

static noinline void loop_locked(struct work *work)
{
	dma_resv_lock(&work->subject->resv, NULL);
	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = work->attach[take(work)];
		struct sg_table *sgt = dma_buf_map_attachment(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment(attach, sgt, DMA_TO_DEVICE);
	}
	dma_resv_unlock(&work->subject->resv);
}

static noinline void loop_attach(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++)
		dma_buf_detach(dmabuf, dma_buf_attach(dmabuf, work->subject->dev));
}

static noinline void loop_reimport(struct work *work)
{
	struct dma_buf *dmabuf = work->subject->bufs[0];

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, work->subject->dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
	}
}

/* The only loop that times itself: what surrounds a first map is not it. */
static noinline void loop_first_map(struct work *work)
{
	u64 ns = 0;

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_buf *dmabuf = subject_buffer(work->subject);
		struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, work->subject->dev);
		u64 start = port_time_ns();
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);

		ns += port_time_ns() - start;
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
	work->ns = ns;
}

static const char *fence_name(struct dma_fence *fence)
{
	return "bench";
}

static const struct dma_fence_ops fence_ops = {
	.get_driver_name = fence_name,
	.get_timeline_name = fence_name,
};

static noinline void loop_fence(struct work *work)
{
	static DEFINE_SPINLOCK(lock);

	for (u64 i = 0; i < work->pairs; i++) {
		struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

		dma_fence_init(fence, &fence_ops, &lock, 1, i + 1);
		dma_fence_signal(fence);
		dma_fence_put(fence);
	}
}

/* --- what is measured ------------------------------------------------------------------------- */

#define K 1000u
#define BASE(name, n, threads, bytes, target) name, n, threads, bytes, target
#define ATOMIC(n, target) BASE("atomic_pair", n, 1, 0, target)

static const struct measure measures[] = {
	{ "atomic_pair", loop_atomic, false, 0, 1, 1, 0 },
	{ "atomic_pair", loop_atomic, false, 0, K, 1, 0 },
	{ "atomic_pair", loop_atomic, false, 0, 100 * K, 1, 0 },
	{ "atomic_pair_far", loop_atomic_far, false, 0, 100 * K, 1, 0, ATOMIC(100 * K, 0) },
	{ "mutex_pair", loop_mutex, false, 0, 1, 1, 0, ATOMIC(1, 0) },

	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 1.5) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, K, 1, 4 * KIB, ATOMIC(K, 1.5) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 100 * K, 1, 4 * KIB,
	  ATOMIC(100 * K, 1.5) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 1, 1, 16 * MIB,
	  BASE("cached_unlocked", 1, 1, 4 * KIB, 1.2) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 1, 1, GIB,
	  BASE("cached_unlocked", 1, 1, 4 * KIB, 1.2) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 1, 2, 4 * KIB,
	  BASE("cached_unlocked", 1, 1, 4 * KIB, 1.5) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, K, 2, 4 * KIB,
	  BASE("cached_unlocked", K, 1, 4 * KIB, 1.5) },
	{ "cached_unlocked", loop_unlocked, true, SUBJECT_PLAIN, 100 * K, 2, 4 * KIB,
	  BASE("cached_unlocked", 100 * K, 1, 4 * KIB, 1.5) },

	{ "cached_unlocked_directory", loop_unlocked, true, SUBJECT_DIRECTORY, 1, 1, 4 * KIB,
	  ATOMIC(1, 1.5) },
	{ "cached_unlocked_directory", loop_unlocked, true, SUBJECT_DIRECTORY, 100 * K, 1, 4 * KIB,
	  ATOMIC(100 * K, 0) },
	{ "cached_unlocked_mixed", loop_unlocked, true, SUBJECT_MIXED, 1, 1, 4 * KIB,
	  ATOMIC(1, 0) },
	{ "cached_unlocked_one_buffer", loop_unlocked, true, SUBJECT_ONE, K, 1, 4 * KIB,
	  ATOMIC(K, 0) },

	{ "cached_locked", loop_locked, true, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0.75) },
	{ "cached_locked", loop_locked, true, SUBJECT_PLAIN, K, 1, 4 * KIB, ATOMIC(K, 0.75) },
	{ "cached_locked", loop_locked, true, SUBJECT_PLAIN, 100 * K, 1, 4 * KIB,
	  ATOMIC(100 * K, 0.75) },
	{ "cached_locked", loop_locked, true, SUBJECT_PLAIN, K, 2, 4 * KIB,
	  BASE("cached_locked", K, 1, 4 * KIB, 1.5) },
	{ "cached_locked_directory", loop_locked, true, SUBJECT_DIRECTORY, 1, 1, 4 * KIB,
	  ATOMIC(1, 1.25) },

	{ "attach_detach", loop_attach, true, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0) },
	{ "reimport", loop_reimport, true, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0) },
	{ "reimport", loop_reimport, true, SUBJECT_PLAIN, 1, 1, 16 * MIB,
	  BASE("reimport", 1, 1, 4 * KIB, 1.2) },
	{ "reimport", loop_reimport, true, SUBJECT_PLAIN, 1, 1, GIB,
	  BASE("reimport", 1, 1, 4 * KIB, 1.2) },

	{ "first_map", loop_first_map, true, SUBJECT_PLAIN, 1, 1, 4 * KIB, ATOMIC(1, 0), 200 },
	{ "first_map", loop_first_map, true, SUBJECT_PLAIN, 1, 1, MIB, ATOMIC(1, 0), 20 },
	{ "first_map", loop_first_map, true, SUBJECT_PLAIN, 1, 1, 64 * MIB, ATOMIC(1, 0), 1 },
	{ "first_map", loop_first_map, true, SUBJECT_PLAIN, 1, 1, GIB, ATOMIC(1, 0), 1 },

	{ "fence", loop_fence, false, 0, 1, 1, 0, ATOMIC(1, 0) },
};
#undef BASE
#undef ATOMIC
#undef K

#define NR_MEASURES ARRAY_SIZE(measures)
#define MAX_ROUNDS 101

static struct {
	struct work work[MAX_THREADS];
	u64 ns[MAX_ROUNDS]; /* of a pair, in picoseconds */
	bool wanted;
	double median;
} runs[NR_MEASURES];

/* --- preparing -------------------------------------------------------------------------------- */

static void shuffle(void **things, unsigned int n)
{
	for (unsigned int i = n; i-- > 1;) {
		unsigned int j = port_random() % (i + 1);
		void *other = things[i];

		things[i] = things[j];
		things[j] = other;
	}
}

static atomic_t **make_lines(unsigned int n)
{
	char *memory = aligned_alloc(LINE_BYTES, (size_t)n * LINE_BYTES);
	atomic_t **lines = calloc(n, sizeof(*lines));

	if (!memory || !lines) {
		fprintf(stderr, "dmabuf bench: no memory for %u lines\n", n);
		exit(2);
	}
	memset(memory, 0, (size_t)n * LINE_BYTES);
	for (unsigned int i = 0; i < n; i++)
		lines[i] = (atomic_t *)(memory + (size_t)i * LINE_BYTES);
	shuffle((void **)lines, n);
	return lines;
}

static void prepare(const struct measure *measure, struct work *work, int cpu, u64 pairs)
{
	work->loop = measure->loop;
	work->n = measure->n;
	work->cpu = cpu;
	work->pairs = measure->pairs ?: pairs;
	if (measure->loop == loop_atomic || measure->loop == loop_atomic_far)
		work->lines = make_lines(measure->n);
	if (!measure->needs_subject)
		return;
	work->subject = subject_create(measure->kind, measure->n, measure->bytes);
	work->attach = work->subject->attach;
	/* The subject's own list stays in order for its destruction. */
	work->attach = malloc(measure->n * sizeof(*work->attach));
	if (!work->attach) {
		fprintf(stderr, "dmabuf bench: no memory for %u attachments\n", measure->n);
		exit(2);
	}
	memcpy(work->attach, work->subject->attach, measure->n * sizeof(*work->attach));
	shuffle((void **)work->attach, measure->n);
}

static void clean_up(struct work *work)
{
	if (work->lines) {
		atomic_t *first = work->lines[0];

		for (unsigned int i = 1; i < work->n; i++)
			first = work->lines[i] < first ? work->lines[i] : first;
		free(first);
		free(work->lines);
	}
	if (work->subject) {
		free(work->attach);
		subject_destroy(work->subject);
	}
}

/* --- running ---------------------------------------------------------------------------------- */

static int cpus[CPU_SETSIZE];
static unsigned int nr_cpus;

static void find_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[nr_cpus++] = cpu;
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Other measures ran since this one's last round: code and lines are fetched again before the clock
 * starts.
 */
static void run_work(struct work *work)
{
	u64 pairs = work->pairs, start;

	work->pairs = work->n;
	work->loop(work);
	work->pairs = pairs;
	start = port_time_ns();
	work->ns = 0;
	work->loop(work);
	if (!work->ns)
		work->ns = port_time_ns() - start;
}

static void thread_main(void *arg)
{
	struct work *work = arg;

	pin_to(work->cpu);
	__atomic_fetch_sub(work->gate, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(work->gate, __ATOMIC_ACQUIRE))
		;
	run_work(work);
}

/* One round of one measure: picoseconds a pair, the mean over its threads. */
static u64 run_round(const struct measure *measure, struct work *work)
{
	u32 gate = measure->threads;
	u64 ps = 0;

	if (measure->threads == 1) {
		run_work(work);
		return work->ns * 1000 / work->pairs;
	}
	struct port_thread *threads[MAX_THREADS];

	for (unsigned int i = 0; i < measure->threads; i++) {
		work[i].gate = &gate;
		threads[i] = port_thread_create(thread_main, &work[i], "bench");
	}
	for (unsigned int i = 0; i < measure->threads; i++) {
		port_thread_join(threads[i]);
		ps += work[i].ns * 1000 / work[i].pairs / measure->threads;
	}
	return ps;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* --- reporting -------------------------------------------------------------------------------- */

static double base_of(const struct measure *measure)
{
	for (size_t i = 0; measure->base && i < NR_MEASURES; i++) {
		const struct measure *base = &measures[i];

		if (runs[i].wanted && !strcmp(base->name, measure->base) &&
		    base->n == measure->base_n && base->threads == measure->base_threads &&
		    base->bytes == measure->base_bytes)
			return runs[i].median;
	}
	return 0;
}

static const char *human_bytes(size_t bytes, char *text, size_t size)
{
	if (!bytes)
		snprintf(text, size, "-");
	else if (bytes >= GIB)
		snprintf(text, size, "%zu GiB", bytes / GIB);
	else if (bytes >= MIB)
		snprintf(text, size, "%zu MiB", bytes / MIB);
	else
		snprintf(text, size, "%zu KiB", bytes / KIB);
	return text;
}

static void print_table(unsigned int rounds)
{
	printf("median of %u rounds, pinned to CPU %d%s\n\n", rounds, cpus[0],
	       nr_cpus > 1 ? "" : " (one CPU only: two-thread rows left out)");
	printf("%-27s %7s %8s %8s %12s  %s\n", "name", "n", "threads", "bytes", "ns", "ratio");
	for (size_t i = 0; i < NR_MEASURES; i++) {
		const struct measure *measure = &measures[i];
		double base = base_of(measure);
		char bytes[32];

		if (!runs[i].wanted)
			continue;
		printf("%-27s %7u %8u %8s %12.1f", measure->name, measure->n, measure->threads,
		       human_bytes(measure->bytes, bytes, sizeof(bytes)), runs[i].median);
		if (base) {
			double ratio = runs[i].median / base;
			char of[32];

			printf("  %.2f x %s", ratio, measure->base);
			if (!strcmp(measure->base, measure->name))
				printf(" (%u thread, %s)", measure->base_threads,
				       human_bytes(measure->base_bytes, of, sizeof(of)));
			if (measure->target)
				printf(", target %.2f: %s", measure->target,
				       ratio <= measure->target ? "met" : "MISSED");
		}
		printf("\n");
	}
}

static int report_json(const char *path)
{
	struct bench_result results[NR_MEASURES];
	size_t count = 0;

	for (size_t i = 0; i < NR_MEASURES; i++)
		if (runs[i].wanted)
			results[count++] =
				(struct bench_result){ measures[i].name, measures[i].n,
						       measures[i].threads, measures[i].bytes,
						       runs[i].median };
	return bench_write_json(path, results, count);
}

static const char usage[] =
	"usage: dmabuf bench [--json FILE] [--rounds N] [--pairs N] [--only NAME [--first]]\n"
	"\n"
	"Measures what a map and its unmap cost and prints each figure beside the ratio that "
	"counts: to two\n"
	"atomic operations (inc and dec) on a line of one's own, taken in the same run.  Every "
	"round takes every\n"
	"measure; the medians are divided.  The process pins itself to the first CPU it may use.\n"
	"\n"
	"  --json FILE   also write a list of {\"name\",\"n\",\"threads\",\"bytes\",\"ns\"}\n"
	"  --rounds N    how many rounds (default 25, at most 101)\n"
	"  --pairs N     pairs of one measure in one round (default 100000)\n"
	"  --only NAME   only measures of this name; with callgrind it gives instructions: "
	"bench/instructions\n"
	"\n"
	"A row reads: name, how many attachments (or lines) in random order, threads, size of the "
	"buffer,\n"
	"nanoseconds a pair, ratio.  Exit status: 0, or 2 for a wrong option or an unwritable "
	"file.  A missed\n"
	"target is shown, not an error: other programs on the machine can cause one.\n";

static unsigned long number(const char *option, const char *text, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || !value || value > most) {
		fprintf(stderr, "dmabuf bench: --%s %s: expected a number from 1 to %lu\n", option,
			text, most);
		exit(2);
	}
	return value;
}

int bench_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "first", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *json = NULL, *only = NULL;
	unsigned int rounds = 25, wanted = 0;
	bool first = false;
	u64 pairs = 100000;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = optarg;
			break;
		case 'r':
			rounds = number("rounds", optarg, MAX_ROUNDS);
			break;
		case 'p':
			pairs = number("pairs", optarg, 1000000000);
			break;
		case 'o':
			only = optarg;
			break;
		case 'f':
			first = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr, "dmabuf bench: try `dmabuf bench --help`\n");
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "dmabuf bench: %s: takes no argument; try `dmabuf bench --help`\n",
			argv[optind]);
		return 2;
	}

	find_cpus();
	pin_to(cpus[0]);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	for (size_t i = 0; i < NR_MEASURES; i++) {
		const struct measure *measure = &measures[i];

		runs[i].wanted = measure->threads <= nr_cpus &&
				 (!only || !strcmp(only, measure->name)) && !(first && wanted);
		wanted += runs[i].wanted;
		for (unsigned int t = 0; runs[i].wanted && t < measure->threads; t++)
			prepare(measure, &runs[i].work[t], cpus[t], pairs);
	}
	if (!wanted) {
		fprintf(stderr, "dmabuf bench: --only %s: no measure has this name\n", only);
		return 2;
	}

	for (unsigned int round = 0; round < rounds; round++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %u of %u ", round + 1, rounds);
		for (size_t i = 0; i < NR_MEASURES; i++)
			if (runs[i].wanted)
				runs[i].ns[round] = run_round(&measures[i], runs[i].work);
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", 24, "");

	for (size_t i = 0; i < NR_MEASURES; i++) {
		qsort(runs[i].ns, rounds, sizeof(runs[i].ns[0]), by_value);
		runs[i].median = runs[i].ns[rounds / 2] / 1000.0;
	}
	print_table(rounds);
	for (size_t i = 0; i < NR_MEASURES; i++)
		for (unsigned int t = 0; runs[i].wanted && t < measures[i].threads; t++)
			clean_up(&runs[i].work[t]);
	return json ? report_json(json) : 0;
}
