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
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/measure.h"
#include "bench/moves.h"
#include "bench/peers.h"
#include "bench/runs.h"

#define COUNTED_PAIRS 64
#define ROUND_NS 500000 /* of a measure whose pairs are found by trying */

/* In the order of the table. */
const struct bench_group *const bench_groups[BENCH_GROUPS] = {
	&bench_maps, &bench_buffers, &bench_fences, &bench_resvs, &bench_dma,
};

struct memory_run bench_memory_runs[PEERS + 1];
struct run bench_runs[MAX_MEASURES];
size_t bench_nr_runs;

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
static void prepare(const struct measure *measure, struct work *work, const struct work *first,
		    int cpu, u64 pairs)
{
	work->first = first;
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

/* Beside others, slow ones and fast ones, each row has its time; of many things those that come next. */
static void prepare_beside(struct work *work, u64 pairs)
{
	if (!pairs)
		work->pairs = min(10 * timed_pairs(work), 100000ull);
}

/* --- running ---------------------------------------------------------------------------------- */

int bench_cpus[CPU_SETSIZE];
unsigned int bench_nr_cpus;

static void find_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			bench_cpus[bench_nr_cpus++] = cpu;
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
static void run_work(struct work *work, uint64_t (*now)(void))
{
	u64 pairs = work->pairs, start;

	work->pairs = min(pairs, (u64)work->n);
	work->loop(work);
	work->pairs = pairs;
	work->ns = 0;
	start = now();
	work->loop(work);
	if (!work->ns)
		work->ns = now() - start;
}

static void thread_main(void *arg)
{
	struct work *work = arg;

	pin_to(work->cpu);
	__atomic_fetch_sub(work->gate, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(work->gate, __ATOMIC_ACQUIRE))
		;
	run_work(work, port_time_ns);
}

/*
 * One round of one measure: picoseconds a pair, the mean over its threads.  @now: the clock of those with one
 * thread.
 */
static u64 run_round(const struct measure *measure, struct work *work, uint64_t (*now)(void))
{
	u32 gate = measure->threads;
	u64 ps = 0;

	if (measure->threads == 1) {
		run_work(work, now);
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

/* --- the command ------------------------------------------------------------------------------ */

/* clang-format off */
static const char usage[] =
	"usage: dmabuf bench [--json FILE] [--rounds N] [--pairs N] [--only NAME [--n N] [--first]]\n"
	"                    [--peers [--core NAME]] [--list]\n"
	"       dmabuf bench --moves [--pairs N]\n"
	"\n"
	"Measures what each call of the API that a hot path makes costs, and prints each figure beside\n"
	"the ratio that counts: to another row of the same run, most to two atomic operations (inc and\n"
	"dec) on a line of one's own.  Every round takes every measure; the medians are divided.  The\n"
	"process pins itself to the first CPU it may use.\n"
	"\n"
	"  --json FILE   also write a list of {\"name\",\"machine\",\"n\",\"threads\",\"bytes\",\"ns\",\"counts\"}\n"
	"  --rounds N    how many rounds (default 25, at most 101)\n"
	"  --pairs N     pairs of one measure in one round (default 100000, or half a millisecond's)\n"
	"  --only NAME   only measures whose name this shell pattern matches\n"
	"  --n N         only those with so many things\n"
	"  --first       only the first of them, and no counts: for callgrind (bench/instructions)\n"
	"  --peers       only what others can do, too, beside them: Linux 6.12's own core on the same\n"
	"                layers, with an exporter that is asked for every map and with one that lets\n"
	"                Linux keep mappings (upstream/build makes both in a source tree), and UCX's\n"
	"                registration cache.  Also (--only memory) what each core holds of memory\n"
	"  --core NAME   with --peers: only on this one, ours, linux-6.12, linux-6.12-cached or ucx,\n"
	"                and nothing is divided: for callgrind (bench/profile)\n"
	"  --moves       how long a map stalls while buffers move between a device's memory and the\n"
	"                system's all the time, on each machine under each policy and on Linux 6.12's\n"
	"                core, if upstream/build has made that; --pairs: so many maps each (default 300)\n"
	"  --list        the names alone, of all or of those --only names; nothing is measured\n"
	"\n"
	"A row reads: name, machine, how many things a pair uses or takes turns among, in random order,\n"
	"threads, size of the buffer, nanoseconds a pair, ratio, and what a pair counts: entries,\n"
	"page-table writes, bytes, locks, allocations.  Exit status: 0, or 2 for a wrong option or an\n"
	"unwritable file.  A missed target is shown, not an error: other programs on the machine can\n"
	"cause one.\n"
	"\n"
	"Examples:\n"
	"  dmabuf bench --only 'cached_*'\n"
	"  dmabuf bench --only 'resv_*' --rounds 5 --json resv.json\n"
	"  dmabuf bench --peers --only cached_unlocked\n";
/* clang-format on */

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

static bool matches(const char *name, const char *only)
{
	return !only || !fnmatch(only, name, 0);
}

static bool on_core(const struct run *run, const char *name)
{
	return !name || !strcmp(name, run->core == PEERS ? "ours" : peers_name(run->core));
}

static void list_names(const char *only)
{
	const char *last = "";

	for (size_t i = 0; i < bench_nr_runs; i++) {
		if (strcmp(bench_runs[i].measure->name, last) &&
		    matches(bench_runs[i].measure->name, only))
			printf("%s\n", bench_runs[i].measure->name);
		last = bench_runs[i].measure->name;
	}
}

static void find_measures(void)
{
	for (size_t i = 0; i < BENCH_GROUPS; i++)
		for (size_t j = 0; j < bench_groups[i]->count; j++) {
			BUG_ON(bench_nr_runs == MAX_MEASURES);
			bench_runs[bench_nr_runs].core = PEERS;
			bench_runs[bench_nr_runs++].measure = &bench_groups[i]->measures[j];
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

/* --- beside others ---------------------------------------------------------------------------- */

static void find_peers(void)
{
	size_t ours = bench_nr_runs;

	if (!peers_load())
		exit(2);
	for (size_t i = 0; i < ours; i++)
		for (int peer = 0; peer < PEERS; peer++) {
			const struct measure *theirs = peers_measure(peer, bench_runs[i].measure);

			if (!theirs)
				continue;
			BUG_ON(bench_nr_runs == MAX_MEASURES);
			bench_runs[bench_nr_runs].measure = theirs;
			bench_runs[bench_nr_runs].core = peer;
			bench_runs[i].peers[peer] = bench_nr_runs++;
		}
}

static bool has_peer(const struct run *run)
{
	for (int peer = 0; peer < PEERS; peer++)
		if (run->peers[peer])
			return true;
	return run->core != PEERS;
}

/*
 * Ours and at once its peers; what the row before left to be freed is not this one's.  No loop of theirs
 * sleeps, so the time on the processor is what counts, not who else had it meanwhile.
 */
static void run_beside(struct run *ours, unsigned int round)
{
	bool beside = has_peer(ours);

	if (ours->wanted && beside)
		rcu_barrier();
	if (ours->wanted)
		ours->ns[round] = run_round(ours->measure, ours->work,
					    beside ? port_thread_ns : port_time_ns);
	for (int peer = 0; peer < PEERS; peer++) {
		struct run *theirs = &bench_runs[ours->peers[peer]];

		if (!ours->peers[peer] || !theirs->wanted)
			continue;
		rcu_barrier();
		peers_settle(peer);
		theirs->ns[round] = run_round(theirs->measure, theirs->work, port_thread_ns);
	}
}

/* Before anything else allocates. */
static unsigned int count_memory(const char *only, const char *core)
{
	unsigned int wanted = 0;

	if (core || !matches("memory", only))
		return 0;
	for (int peer = 0; peer < PEERS; peer++)
		wanted += bench_memory_runs[peer].wanted =
			peers_memory(peer, bench_memory_runs[peer].rows);
	bench_memory(bench_memory_runs[PEERS].rows);
	bench_memory_runs[PEERS].wanted = true;
	return wanted;
}

static void find_ratios(struct run *ours, unsigned int rounds)
{
	for (int peer = 0; peer < PEERS; peer++) {
		const struct run *theirs = &bench_runs[ours->peers[peer]];
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
		for (size_t i = 0; i < bench_nr_runs; i++)
			if (bench_runs[i].core == PEERS)
				run_beside(&bench_runs[i], round);
	}
	for (size_t i = 0; i < bench_nr_runs; i++)
		if (bench_runs[i].wanted && bench_runs[i].core == PEERS)
			find_ratios(&bench_runs[i], rounds);
	progress("counting", rounds, rounds);
	for (size_t i = 0; i < bench_nr_runs; i++) {
		if (!bench_runs[i].wanted)
			continue;
		qsort(bench_runs[i].ns, rounds, sizeof(bench_runs[i].ns[0]), by_value);
		bench_runs[i].median = bench_runs[i].ns[rounds / 2] / 1000.0;
		if (counted)
			count(&bench_runs[i]);
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
	qsort(bench_runs, bench_nr_runs, sizeof(bench_runs[0]), by_size);
	for (size_t i = 0; i < bench_nr_runs; i++)
		for (unsigned int t = 0; bench_runs[i].wanted && t < bench_runs[i].measure->threads;
		     t++)
			if (bench_runs[i].measure->teardown)
				bench_runs[i].measure->teardown(&bench_runs[i].work[t]);
}

int bench_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "first", no_argument, NULL, 'f' },
		{ "n", required_argument, NULL, 'n' },
		{ "core", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "peers", no_argument, NULL, 'P' },
		{ "moves", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *json = NULL, *only = NULL, *core = NULL;
	bool beside = false;
	unsigned int n = 0;
	unsigned int rounds = 25, wanted = 0;
	bool first = false, list = false, moves = false;
	u64 pairs = 0;
	int c, ret;

	find_measures();
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
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
		case 'n':
			n = number("n", optarg, 1000000);
			break;
		case 'c':
			core = optarg;
			break;
		case 'P':
			beside = true;
			break;
		case 'm':
			moves = true;
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
	if (moves)
		return bench_moves(pairs ? pairs : MOVES_MAPS);

	if (core && !beside) {
		fprintf(stderr, "dmabuf bench: --core %s: only with --peers\n", core);
		return 2;
	}
	if (list) {
		list_names(only);
		return 0;
	}

	if (beside) {
		/* What a round frees, the next finds: or the kernel's zeroing of pages would be measured. */
		mallopt(M_TRIM_THRESHOLD, INT_MAX);
		find_peers();
	}
	find_cpus();
	pin_to(bench_cpus[0]);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	if (beside)
		wanted = count_memory(only, core);
	for (size_t i = 0; i < bench_nr_runs; i++) {
		const struct measure *measure = bench_runs[i].measure;

		bench_runs[i].wanted = measure->threads <= bench_nr_cpus &&
				       matches(measure->name, only) && (!n || n == measure->n) &&
				       on_core(&bench_runs[i], core) && !(first && wanted) &&
				       (!beside || has_peer(&bench_runs[i]));
		wanted += bench_runs[i].wanted;
		progress("preparing", i + 1, bench_nr_runs);
		for (unsigned int t = 0; bench_runs[i].wanted && t < measure->threads; t++) {
			prepare(measure, &bench_runs[i].work[t], t ? &bench_runs[i].work[0] : NULL,
				bench_cpus[t], pairs);
			if (beside)
				prepare_beside(&bench_runs[i].work[t], pairs);
		}
	}
	if (!wanted) {
		progress_end();
		fprintf(stderr, "dmabuf bench: no measure fits --only %s", only ?: "'*'");
		if (n)
			fprintf(stderr, " --n %u", n);
		if (core)
			fprintf(stderr, " --core %s", core);
		fprintf(stderr, "; --list has the names\n");
		return 2;
	}
	ret = json ? bench_try_json(json) : 0;
	if (!ret) {
		run_all(rounds, !first && !beside);
		if (beside)
			bench_report_peers(rounds);
		else
			bench_report_table(rounds);
		ret = json ? bench_report_json(json) : 0;
	}
	clean_up();
	return ret;
}
