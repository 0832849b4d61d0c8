/* SPDX-License-Identifier: MIT */
/*
 * json.c - see json.h
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/json.h"

static struct json_object *counts_json(const struct bench_result *result)
{
	struct json_object *counts = json_object_new_object();

	for (int i = 0; i < BENCH_COUNTS; i++)
		if (result->count[i])
			json_object_object_add(counts, result->count_name[i],
					       json_object_new_double(result->count[i]));
	return counts;
}

static struct json_object *peers_json(const struct bench_result *result)
{
	struct json_object *peers = NULL;

	for (int i = 0; i < BENCH_PEERS; i++) {
		struct json_object *one;

		if (!result->beside[i].peer)
			continue;
		one = json_object_new_object();
		json_object_object_add(one, "ratio",
				       json_object_new_double(result->beside[i].ratio));
		if (result->beside[i].target)
			json_object_object_add(one, "target",
					       json_object_new_double(result->beside[i].target));
		peers = peers ?: json_object_new_object();
		json_object_object_add(peers, result->beside[i].peer, one);
	}
	return peers;
}

static int cannot_write(const char *path)
{
	fprintf(stderr, "dmabuf bench: cannot write %s: %s\n", path, strerror(errno));
	return 2;
}

int bench_write_json(const char *path, const struct bench_result *results, size_t count)
{
	struct json_object *list = json_object_new_array();
	FILE *file;
	bool failed;

	for (size_t i = 0; i < count; i++) {
		struct json_object *row = json_object_new_object(), *peers;

		json_object_object_add(row, "name", json_object_new_string(results[i].name));
		json_object_object_add(row, "machine", json_object_new_string(results[i].machine));
		json_object_object_add(row, "n", json_object_new_int(results[i].n));
		json_object_object_add(row, "threads", json_object_new_int(results[i].threads));
		json_object_object_add(row, "bytes", json_object_new_int64(results[i].bytes));
		if (results[i].ns)
			json_object_object_add(row, "ns", json_object_new_double(results[i].ns));
		json_object_object_add(row, "counts", counts_json(&results[i]));
		peers = peers_json(&results[i]);
		if (peers)
			json_object_object_add(row, "peers", peers);
		json_object_array_add(list, row);
	}
	file = fopen(path, "w");
	failed =
		!file || fprintf(file, "%s\n",
				 json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY)) < 0;
	if (file && fclose(file))
		failed = true;
	if (failed)
		cannot_write(path);
	json_object_put(list);
	return failed ? 2 : 0;
}

int bench_try_json(const char *path)
{
	FILE *file = fopen(path, "a");

	if (!file)
		return cannot_write(path);
	fclose(file);
	return 0;
}
