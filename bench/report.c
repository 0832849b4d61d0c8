/* SPDX-License-Identifier: MIT */
/* report.c - the tables of `dmabuf bench` and its JSON: see runs.h */
#include <linux/dma-cost.h>
#include <linux/kernel.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/runs.h"

static_assert(BENCH_PEERS == PEERS, "json.h knows how many peers there are");
static_assert(BENCH_ALLOCATIONS == DMA_COST_PINNED_NS && BENCH_COUNTS == DMA_COST_NR,
	      "json.h knows how many counts there are");

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
	for (size_t i = 0; measure->base && i < bench_nr_runs; i++) {
		const struct measure *base = bench_runs[i].measure;

		if (bench_runs[i].wanted && !strcmp(base->name, measure->base) &&
		    base->n == measure->base_n && base->threads == 1 &&
		    base->bytes == measure->base_bytes &&
		    same_machine(base->machine, measure->base_machine))
			return bench_runs[i].median;
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

void bench_report_table(unsigned int rounds)
{
	printf("median of %u rounds, pinned to CPU %d%s\n\n", rounds, bench_cpus[0],
	       bench_nr_cpus > 1 ? "" : " (one CPU only: two-thread rows left out)");
	printf("%-27s %-10s %6s %7s %7s %11s  %s\n", "name", "machine", "n", "threads", "bytes",
	       "ns", "ratio; what a pair counts");
	for (size_t i = 0; i < bench_nr_runs; i++) {
		const struct run *run = &bench_runs[i];
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
static const char *json_name(enum peer core, const char *row)
{
	char *name;

	if (core == PEERS)
		return row;
	if (asprintf(&name, "%s/%s", peers_name(core), row) < 0)
		return bench_checked(NULL, "a name");
	return name;
}

static void add_beside(struct bench_result *result, const struct run *run)
{
	for (int peer = 0; peer < PEERS; peer++) {
		if (!run->peers[peer] || !bench_runs[run->peers[peer]].wanted)
			continue;
		result->beside[peer].peer = peers_name(peer);
		result->beside[peer].ratio = run->ratio[peer];
		result->beside[peer].target = peers_target(run->measure, peer);
	}
}

static size_t add_memory(struct bench_result *results)
{
	size_t count = 0;

	for (int core = PEERS; core >= 0; core--)
		for (size_t i = 0; i < MEMORY_ROWS && bench_memory_runs[core].wanted; i++) {
			const struct memory_row *row = &bench_memory_runs[core].rows[i];

			results[count++] = (struct bench_result){
				.name = json_name(core, row->name),
				.machine = row->machine,
				.n = MEMORY_N,
				.threads = 1,
				.bytes = row->bytes,
				.count_name = { "held_bytes", "held_blocks" },
				.count = { row->held, row->blocks },
			};
		}
	return count;
}

int bench_report_json(const char *path)
{
	static struct bench_result results[MAX_MEASURES + (PEERS + 1) * MEMORY_ROWS];
	size_t count = 0;

	for (size_t i = 0; i < bench_nr_runs; i++) {
		const struct measure *measure = bench_runs[i].measure;
		struct bench_result *result = &results[count];

		if (!bench_runs[i].wanted)
			continue;
		*result = (struct bench_result){
			.name = json_name(bench_runs[i].core, measure->name),
			.machine = measure->machine ?: "",
			.n = measure->n,
			.threads = measure->threads,
			.bytes = measure->bytes,
			.ns = bench_runs[i].median,
		};
		for (int kind = 0; kind < BENCH_COUNTS; kind++) {
			result->count_name[kind] = count_name(kind);
			result->count[kind] = bench_runs[i].counts[kind];
		}
		add_beside(result, &bench_runs[i]);
		count++;
	}
	count += add_memory(results + count);
	return bench_write_json(path, results, count);
}

/* --- beside others ---------------------------------------------------------------------------- */

static bool in_group(const struct run *run, const struct bench_group *group)
{
	return run->measure >= group->measures && run->measure < group->measures + group->count;
}

/* A line is put together first: nothing of it ends in blanks. */
static char line[512];

static __printf(1, 2) void add(const char *format, ...)
{
	size_t at = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + at, sizeof(line) - at, format, args);
	va_end(args);
}

static void end_line(void)
{
	size_t length = strlen(line);

	while (length && line[length - 1] == ' ')
		length--;
	printf("%.*s\n", (int)length, line);
	line[0] = 0;
}

/* Of a group: which peers have rows, and which of those have a target. */
struct columns {
	bool has[PEERS], target[PEERS], any;
};

static struct columns columns_of(const struct bench_group *group)
{
	struct columns columns = {};

	for (size_t i = 0; i < bench_nr_runs; i++)
		for (int peer = 0; peer < PEERS; peer++) {
			const struct run *run = &bench_runs[i];

			if (!run->wanted || !in_group(run, group) || !run->peers[peer])
				continue;
			columns.any = columns.has[peer] = true;
			columns.target[peer] |= peers_target(run->measure, peer) > 0;
		}
	return columns;
}

static void add_peer(const struct run *ours, enum peer peer, bool targets)
{
	const struct run *theirs = &bench_runs[ours->peers[peer]];
	double target = peers_target(ours->measure, peer), ratio = ours->ratio[peer];

	if (!ours->peers[peer])
		add(" %10s %5s", "-", "");
	else
		add(" %10.1f %5.2f", theirs->median, ratio);
	if (ours->peers[peer] && target)
		add(" %-6s %4.2f", ratio <= target ? "met" : "MISSED", target);
	else if (targets)
		add(" %11s", "");
}

static void print_group(const struct bench_group *group)
{
	struct columns columns = columns_of(group);

	if (!columns.any)
		return;
	add("%-22s %6s %7s %7s %7s", "name", "n", "threads", "bytes", "ours");
	for (int peer = 0; peer < PEERS; peer++)
		if (columns.has[peer])
			add("%*s%*s", peer == PEER_LINUX_CACHED ? 18 : 11, peers_name(peer),
			    (peer == PEER_LINUX_CACHED ? -1 : 6) + (columns.target[peer] ? 12 : 0),
			    "");
	end_line();
	for (size_t i = 0; i < bench_nr_runs; i++) {
		const struct run *run = &bench_runs[i];
		const struct measure *measure = run->measure;
		char bytes[32];

		if (!run->wanted || !in_group(run, group))
			continue;
		add("%-22s %6u %7u %7s %7.1f", measure->name, measure->n, measure->threads,
		    human_bytes(measure->bytes, bytes, sizeof(bytes)), run->median);
		for (int peer = 0; peer < PEERS; peer++)
			if (columns.has[peer])
				add_peer(run, peer, columns.target[peer]);
		end_line();
	}
	end_line();
}

static void print_memory(void)
{
	const struct memory_run *ours = &bench_memory_runs[PEERS];

	if (!ours->wanted)
		return;
	add("%-18s %-7s %5s %20s", "bytes held for one", "machine", "of", "ours");
	for (int peer = 0; peer < PEERS; peer++)
		if (bench_memory_runs[peer].wanted)
			add(" %20s %6s", peers_name(peer), "");
	end_line();
	for (size_t i = 0; i < MEMORY_ROWS; i++) {
		const struct memory_row *row = &ours->rows[i];
		char bytes[32];

		add("%-18s %-7s %5s %10.1f in %6.2f", row->name, row->machine,
		    human_bytes(row->bytes, bytes, sizeof(bytes)), row->held, row->blocks);
		for (int peer = 0; peer < PEERS; peer++) {
			const struct memory_row *theirs = &bench_memory_runs[peer].rows[i];

			if (!bench_memory_runs[peer].wanted)
				continue;
			add(" %10.1f in %6.2f", theirs->held, theirs->blocks);
			if (theirs->held > 0)
				add(" %6.2f", row->held / theirs->held);
			else
				add(" %6s", "-");
		}
		end_line();
	}
	end_line();
}

void bench_report_peers(unsigned int rounds)
{
	unsigned int met = 0, missed = 0;

	printf("median ns of %u rounds on CPU %d, counted while the bench has it; on two threads "
	       "on CPU "
	       "%d, too,\nand by the clock; then ours / theirs, the median over rounds, and what "
	       "that "
	       "may be\n\n",
	       rounds, bench_cpus[0], bench_cpus[bench_nr_cpus > 1]);
	for (size_t i = 0; i < BENCH_GROUPS; i++)
		print_group(bench_groups[i]);
	print_memory();
	for (size_t i = 0; i < bench_nr_runs; i++)
		for (int peer = 0; peer < PEERS; peer++) {
			double target = peers_target(bench_runs[i].measure, peer);

			if (!bench_runs[i].wanted || !bench_runs[i].peers[peer] || !target)
				continue;
			if (bench_runs[i].ratio[peer] <= target)
				met++;
			else
				missed++;
		}
	for (int peer = 0; peer < PEERS; peer++)
		if (peers_missing(peer))
			printf("%s: not measured: %s\n", peers_name(peer), peers_missing(peer));
	printf("%u targets met, %u missed\n", met, missed);
}
