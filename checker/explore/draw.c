/* SPDX-License-Identifier: MIT */
/*
 * draw.c - one program as a page: each operation is noted after what it made the core do
 */
#include <linux/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker/explore/arena.h"
#include "checker/explore/scene.h"
#include "checker/report/html.h"
#include "checker/report/record.h"
#include "core/event.h"
#include "host/warn.h"

#define EVENTS 16384

static void ignore_warning(const char *file, int line, const char *text)
{
}

static void remark(struct scene *w, enum event_kind kind, struct device *dev, const char *text,
		   unsigned int number)
{
	struct event_remark remark = { text, dev };

	event_tell(kind, w->dmabuf, &remark, number, 0, 0);
}

/* The program's own have numbers. */
static void note(struct scene *w, const struct operation *op, const char *before,
		 unsigned int *number)
{
	bool own = op->kind < OP_ADVERSARY;
	char words[128], text[192];

	scene_tell(w, op, words, sizeof(words));
	snprintf(text, sizeof(text), "%s%s", before, words);
	remark(w, EVENT_NOTE, own ? w->agents[op->agent].dev : NULL, text, own ? ++*number : 0);
}

static void carry_out(struct scene *w, const struct operation *ops, unsigned int nr,
		      const char *wrong)
{
	unsigned int number = 0;

	for (const struct operation *op = ops; op < ops + nr; op++) {
		struct operation alone = *op, beside = { op->beside, op->other, op->what };
		char before[64];

		alone.step = 0;
		scene_do(w, op);
		note(w, &alone, "", &number);
		if (!op->step)
			continue;
		snprintf(before, sizeof(before), "before step %u of this: ", op->step);
		note(w, &beside, before, &number);
	}
	if (wrong)
		remark(w, EVENT_FINDING, NULL, wrong, 0);
}

/* In its first state again afterwards, as scene_destroy() wants it. */
static int play(const struct explore_config *config, const struct operation *ops, unsigned int nr,
		const char *wrong)
{
	const char *why;
	struct scene *w;
	void *copy;
	int ret;

	ret = arena_open();
	if (ret)
		return ret;
	ret = -ENOMEM;
	w = scene_create(config, &why);
	if (!w)
		goto close;
	copy = malloc(arena_bytes(SCENE_ROOM));
	if (!copy)
		goto destroy;
	arena_save(copy);
	carry_out(w, ops, nr, wrong);
	arena_restore(copy);
	free(copy);
	ret = 0;
destroy:
	scene_destroy(w);
close:
	arena_close();
	return ret;
}

static int write_page(const struct explore_config *config, const struct record *record,
		      const char *wrong)
{
	char title[256], outcome[512];

	snprintf(title, sizeof(title), "%s and one buffer, exporter %s: %s", config->agents,
		 explore_exporter_names[config->exporter],
		 wrong ? "the shortest program that goes wrong" : "one of the longest programs");
	snprintf(outcome, sizeof(outcome), "%s%s", wrong ? "It ends so: " : "Nothing is violated.",
		 wrong ?: "");
	return html_write(config->report, record,
			  &(struct html_about){
				  title,
				  "The CPU and devices use one small buffer, step by step, while "
				  "the caches write lines back or fetch them whenever they like.",
				  outcome, .timed = false });
}

int scene_draw(const struct explore_config *config, const struct operation *ops, unsigned int nr,
	       const char *wrong)
{
	host_warn_hook_t warn_hook = host_set_warn_hook(ignore_warning);
	struct record *record = record_start(EVENTS);
	int ret = PTR_ERR_OR_ZERO(record);

	if (!ret) {
		ret = play(config, ops, nr, wrong);
		record_stop(record);
		if (!ret)
			ret = write_page(config, record, wrong);
		record_free(record);
	}
	host_set_warn_hook(warn_hook);
	return ret;
}
