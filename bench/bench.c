/* SPDX-License-Identifier: MIT */
/*
 * bench.c - the rounds of `dmabuf bench`, what they count, the table and the JSON
 */
#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include <fnmatch.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/json.h"
#include "bench/measure.h"
#include "bench/peers.h"
#include "upstream/rival.h"

#define MAX_THREADS 2
#define MAX_ROUNDS 101
#define MAX_MEASURES 512
#define COUNTED_PAIRS 64
#define ROUND_NS 500000 /* of a measure whose pairs are found by trying */

/* In the order of the table. */
static const struct bench_group *const groups[] = {
	&bench_maps, &bench_buffers, &bench_fences, &bench_resvs, &bench_dma,
};

static_assert(BENCH_ALLOCATIONS == DMA_COST_PINNED_NS && BENCH_COUNTS == DMA_COST_NR,
	      "json.h knows how many counts there are");

struct run {
	const struct measure *measure;
	const struct rival *peer; /* whose core it runs on; NULL: ours */
	int peers[PEERS];         /* of ours: the same on theirs, an index of runs; 0: none */
	double ratio[PEERS];      /* the median of ours / theirs, round by round */
	struct work work[MAX_THREADS];
	u64 ns[MAX_ROUNDS]; /* of a pair, in picoseconds */
	bool wanted;
	double median;
	double counts[BENCH_COUNTS]; /* of a pair */
};

static struct run runs[MAX_MEASURES];
static size_t nr_runs;

/* --- preparing -------------------------------------------------------------------------------- */

/* So many pairs that they last a round's time. */
static u64 timed_pairs(struct work *work)
{
	u64 pairs = 1, ns;

	for (;; pairs *= 4) {
		work->pairs = pairs;
		work->ns = 0;
		ns = port_time_ns();
		work->loop(work);
		ns = port_time_ns() - ns;
		if (ns >= ROUND_NS / 4 || pairs >= 100000)
			return clamp(pairs * ROUND_NS / (ns ?: 1), 1ull, 100000ull);
	}
}

/* @pairs: 0 unless --pairs said */
static void prepare(const struct measure *measure, struct work *work, int cpu, u64 pairs)
{
	work->measure = measure;
	work->loop = measure->loop;
	work->n = measure->n;
	work->cpu = cpu;
	if (measure->setup)
		measure->setup(work);
	if (measure->pairs == PAIRS_TIMED)
		work->pairs = pairs ?: timed_pairs(work);
	else
		work->pairs = measure->pairs ?: pairs ?: 100000;
}

/* Beside others: the slowest of them says how many pairs a round can have, but all things have their turn. */
static void prepare_beside(struct work *work, u64 pairs)
{
	if (!pairs)
		work->pairs = max_t(u64, min(20 * timed_pairs(work), 100000ull), work->n);
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
	work->ns = 0;
	start = port_time_ns();
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

/* --- counting --------------------------------------------------------------------------------- */

/* After the rounds, so that it cannot disturb them. What surrounds the clock counts, too. */
static void count(struct run *run)
{
	struct work *work = &run->work[0];
	u64 pairs = min(work->pairs, (u64)COUNTED_PAIRS);
	struct dma_costs before, delta;

	work->pairs = work->n;
	work->loop(work);
	work->pairs = pairs;
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	dma_cost_read(&before);
	work->loop(work);
	dma_cost_since(&before, &delta);
	for (int kind = 0; kind < DMA_COST_PINNED_NS; kind++)
		run->counts[kind] = (double)delta.count[kind] / pairs;
	run->counts[BENCH_ALLOCATIONS] = (double)port_fault_count(PORT_FAULT_ALLOC) / pairs;
}

/* --- reporting -------------------------------------------------------------------------------- */

static const char *count_name(int kind)
{
	return kind == BENCH_ALLOCATIONS ? "allocations" : dma_cost_name(kind);
}

static bool same_machine(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static double base_of(const struct measure *measure)
{
	for (size_t i = 0; measure->base && i < nr_runs; i++) {
		const struct measure *base = runs[i].measure;

		if (runs[i].wanted && !strcmp(base->name, measure->base) &&
		    base->n == measure->base_n && base->threads == 1 &&
		    base->bytes == measure->base_bytes &&
		    same_machine(base->machine, measure->base_machine))
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

static void print_ratio(const struct run *run, double base)
{
	const struct measure *measure = run->measure;
	double ratio = run->median / base;
	char of[32];

	printf("  %.2f x %s", ratio, measure->base);
	if (!strcmp(measure->base, measure->name) && measure->base_machine)
		printf(" (%s)", measure->base_machine);
	else if (!strcmp(measure->base, measure->name))
		printf(" (1 thread, %s)", human_bytes(measure->base_bytes, of, sizeof(of)));
	if (measure->target)
		printf(", target %.2f: %s", measure->target,
		       ratio <= measure->target ? "met" : "MISSED");
}

static void print_counts(const struct run *run)
{
	for (int kind = 0; kind < BENCH_COUNTS; kind++)
		if (run->counts[kind])
			printf("; %.4g %s", run->counts[kind], count_name(kind));
}

static void print_table(unsigned int rounds)
{
	printf("median of %u rounds, pinned to CPU %d%s\n\n", rounds, cpus[0],
	       nr_cpus > 1 ? "" : " (one CPU only: two-thread rows left out)");
	printf("%-27s %-10s %6s %7s %7s %11s  %s\n", "name", "machine", "n", "threads", "bytes",
	       "ns", "ratio; what a pair counts");
	for (size_t i = 0; i < nr_runs; i++) {
		const struct run *run = &runs[i];
		const struct measure *measure = run->measure;
		double base = base_of(measure);
		char bytes[32];

		if (!run->wanted)
			continue;
		printf("%-27s %-10s %6u %7u %7s %11.1f", measure->name, measure->machine ?: "-",
		       measure->n, measure->threads,
		       human_bytes(measure->bytes, bytes, sizeof(bytes)), run->median);
		if (base)
			print_ratio(run, base);
		print_counts(run);
		printf("\n");
	}
}

/* A row of a peer has the peer's name in front. */
static const char *json_name(const struct run *run)
{
	char *name;

	if (!run->peer)
		return run->measure->name;
	if (asprintf(&name, "%s/%s", run->peer->name, run->measure->name) < 0)
		return bench_checked(NULL, "a name");
	return name;
}

static int report_json(const char *path)
{
	static struct bench_result results[MAX_MEASURES];
	size_t count = 0;

	for (size_t i = 0; i < nr_runs; i++) {
		const struct measure *measure = runs[i].measure;
		struct bench_result *result = &results[count];

		if (!runs[i].wanted)
			continue;
		*result = (struct bench_result){ json_name(&runs[i]), measure->machine ?: "",
						 measure->n,          measure->threads,
						 measure->bytes,      runs[i].median };
		for (int kind = 0; kind < BENCH_COUNTS; kind++) {
			result->count_name[kind] = count_name(kind);
			result->count[kind] = runs[i].counts[kind];
		}
		count++;
	}
	return bench_write_json(path, results, count);
}

/* --- the command ------------------------------------------------------------------------------ */

static const char usage[] =
	"usage: dmabuf bench [--json FILE] [--rounds N] [--pairs N] [--only NAME [--first]] "
	"[--peers]\n"
	"                    [--list]\n"
	"\n"
	"Measures what each call of the API that a hot path makes costs, and prints each figure "
	"beside\n"
	"the ratio that counts: to another row of the same run, most to two atomic operations (inc "
	"and\n"
	"dec) on a line of one's own.  Every round takes every measure; the medians are divided.  "
	"The\n"
	"process pins itself to the first CPU it may use.\n"
	"\n"
	"  --json FILE   also write a list of "
	"{\"name\",\"machine\",\"n\",\"threads\",\"bytes\",\"ns\",\"counts\"}\n"
	"  --rounds N    how many rounds (default 25, at most 101)\n"
	"  --pairs N     pairs of one measure in one round (default 100000, or half a "
	"millisecond's)\n"
	"  --only NAME   only measures whose name this shell pattern matches\n"
	"  --first       only the first of them, and no counts: for callgrind "
	"(bench/instructions)\n"
	"  --peers       only what Linux 6.12's own core can do, beside it on the same layers: "
	"with "
	"an\n"
	"                exporter that is asked for every map, and with one that lets Linux keep "
	"mappings\n"
	"                (upstream/build makes both in a source tree)\n"
	"  --list        the names alone, of all or of those --only names; nothing is measured\n"
	"\n"
	"A row reads: name, machine, how many things a pair uses or takes turns among, in random "
	"order,\n"
	"threads, size of the buffer, nanoseconds a pair, ratio, and what a pair counts: entries,\n"
	"page-table writes, bytes, locks, allocations.  Exit status: 0, or 2 for a wrong option or "
	"an\n"
	"unwritable file.  A missed target is shown, not an error: other programs on the machine "
	"can\n"
	"cause one.\n";

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

static bool matches(const struct measure *measure, const char *only)
{
	return !only || !fnmatch(only, measure->name, 0);
}

static void list_names(const char *only)
{
	const char *last = "";

	for (size_t i = 0; i < nr_runs; i++) {
		if (strcmp(runs[i].measure->name, last) && matches(runs[i].measure, only))
			printf("%s\n", runs[i].measure->name);
		last = runs[i].measure->name;
	}
}

static void find_measures(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (size_t j = 0; j < groups[i]->count; j++) {
			BUG_ON(nr_runs == MAX_MEASURES);
			runs[nr_runs++].measure = &groups[i]->measures[j];
		}
}

static void progress(const char *what, unsigned int done, unsigned int of)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s %u of %u\033[K", what, done, of);
}

static void progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
}

/* --- beside other cores ----------------------------------------------------------------------- */

static const struct rival *peers[PEERS];

static void find_peers(void)
{
	size_t ours = 0;

	peers_load(peers);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (size_t j = 0; j < groups[i]->count; j++, ours++)
			for (int peer = 0; peer < PEERS; peer++) {
				const struct measure *theirs =
					peers_measure(peers, peer, groups[i], j);

				if (!theirs)
					continue;
				BUG_ON(nr_runs == MAX_MEASURES);
				runs[nr_runs].measure = theirs;
				runs[nr_runs].peer = peers[peer];
				runs[ours].peers[peer] = nr_runs++;
			}
}

static bool has_peer(const struct run *run)
{
	for (int peer = 0; peer < PEERS; peer++)
		if (run->peers[peer])
			return true;
	return run->peer;
}

static void print_peer(const struct run *ours, enum peer peer)
{
	const struct run *theirs = &runs[ours->peers[peer]];
	double target = peers_target(ours->measure, peer), ratio = ours->ratio[peer];

	if (!ours->peers[peer]) {
		printf(" %11s %6s %-12s", "-", "", "");
		return;
	}
	printf(" %11.1f %6.2f", theirs->median, ratio);
	if (target)
		printf(" %s %.2f", ratio <= target ? "met   " : "MISSED", target);
	else
		printf(" %-11s", "");
}

static void print_peers(unsigned int rounds)
{
	printf("median ns of %u rounds, pinned to CPU %d; ratio: of ours to theirs, the median "
	       "over "
	       "rounds, and what it may be\n\n",
	       rounds, cpus[0]);
	printf("%-25s %6s %7s %11s", "name", "n", "bytes", "ours");
	for (int peer = 0; peer < PEERS; peer++)
		printf(" %18s %-11s", peers[peer]->name, "");
	printf("\n");
	for (size_t i = 0; i < nr_runs; i++) {
		const struct run *run = &runs[i];
		char bytes[32];

		if (!run->wanted || run->peer)
			continue;
		printf("%-25s %6u %7s %11.1f", run->measure->name, run->measure->n,
		       human_bytes(run->measure->bytes, bytes, sizeof(bytes)), run->median);
		for (int peer = 0; peer < PEERS; peer++)
			print_peer(run, peer);
		printf("\n");
	}
}

/* Ours and at once its peers; what the row before left to be freed is not this one's. */
static void run_beside(struct run *ours, unsigned int round)
{
	bool beside = has_peer(ours);

	if (beside)
		rcu_barrier();
	ours->ns[round] = run_round(ours->measure, ours->work);
	for (int peer = 0; peer < PEERS; peer++) {
		struct run *theirs = &runs[ours->peers[peer]];

		if (!ours->peers[peer] || !theirs->wanted)
			continue;
		rcu_barrier();
		theirs->peer->rcu_barrier();
		theirs->ns[round] = run_round(theirs->measure, theirs->work);
	}
}

static void find_ratios(struct run *ours, unsigned int rounds)
{
	for (int peer = 0; peer < PEERS; peer++) {
		const struct run *theirs = &runs[ours->peers[peer]];
		u64 ppm[MAX_ROUNDS];

		if (!ours->peers[peer] || !theirs->wanted)
			continue;
		for (unsigned int round = 0; round < rounds; round++)
			ppm[round] = ours->ns[round] * 1000000 / (theirs->ns[round] ?: 1);
		qsort(ppm, rounds, sizeof(ppm[0]), by_value);
		ours->ratio[peer] = ppm[rounds / 2] / 1e6;
	}
}

static void run_all(unsigned int rounds, bool counted)
{
	for (unsigned int round = 0; round < rounds; round++) {
		progress("round", round + 1, rounds);
		for (size_t i = 0; i < nr_runs; i++)
			if (runs[i].wanted && !runs[i].peer)
				run_beside(&runs[i], round);
	}
	for (size_t i = 0; i < nr_runs; i++)
		if (runs[i].wanted)
			find_ratios(&runs[i], rounds);
	progress("counting", rounds, rounds);
	for (size_t i = 0; i < nr_runs; i++) {
		if (!runs[i].wanted)
			continue;
		qsort(runs[i].ns, rounds, sizeof(runs[i].ns[0]), by_value);
		runs[i].median = runs[i].ns[rounds / 2] / 1000.0;
		if (counted)
			count(&runs[i]);
	}
	progress_end();
}

static int by_size(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (int)y->measure->n - (int)x->measure->n;
}

/* Those with many buffers first: a device that goes looks at every buffer there is. */
static void clean_up(void)
{
	qsort(runs, nr_runs, sizeof(runs[0]), by_size);
	for (size_t i = 0; i < nr_runs; i++)
		for (unsigned int t = 0; runs[i].wanted && t < runs[i].measure->threads; t++)
			if (runs[i].measure->teardown)
				runs[i].measure->teardown(&runs[i].work[t]);
}

int bench_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "first", no_argument, NULL, 'f' },
		{ "list", no_argument, NULL, 'l' },
		{ "peers", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *json = NULL, *only = NULL;
	bool beside = false;
	unsigned int rounds = 25, wanted = 0;
	bool first = false, list = false;
	u64 pairs = 0;
	int c, ret;

	find_measures();
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
		case 'P':
			beside = true;
			break;
		case 'l':
			list = true;
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

	if (list) {
		list_names(only);
		return 0;
	}

	if (beside)
		find_peers();
	find_cpus();
	pin_to(cpus[0]);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	for (size_t i = 0; i < nr_runs; i++) {
		const struct measure *measure = runs[i].measure;

		runs[i].wanted = measure->threads <= nr_cpus && matches(measure, only) &&
				 !(first && wanted) && (!beside || has_peer(&runs[i]));
		wanted += runs[i].wanted;
		progress("preparing", i + 1, nr_runs);
		for (unsigned int t = 0; runs[i].wanted && t < measure->threads; t++)
			prepare(measure, &runs[i].work[t], cpus[t], pairs);
		if (runs[i].wanted && beside)
			prepare_beside(&runs[i].work[0], pairs);
	}
	if (!wanted) {
		progress_end();
		fprintf(stderr, "dmabuf bench: --only %s: no measure has this name\n", only);
		return 2;
	}
	run_all(rounds, !first && !beside);
	if (beside)
		print_peers(rounds);
	else
		print_table(rounds);
	ret = json ? report_json(json) : 0;
	clean_up();
	return ret;
}
