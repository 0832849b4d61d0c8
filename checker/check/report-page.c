/* SPDX-License-Identifier: MIT */
/* report-page.c - see report-page.h */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/dma-cost.h>
#include <linux/err.h>

#include "checker/check/report-formats.h"
#include "checker/check/report-page.h"
#include "checker/report/html.h"
#include "checker/report/record.h"

/* What the words of one finding are made of. */
struct words_of {
	const struct report *report;
	const struct report_driver *driver;
	const struct report_finding *finding;
};

/* --- words ------------------------------------------------------------------------------------ */

static void put(FILE *file, const char *before, const char *text, const char *behind)
{
	fputs(before, file);
	html_text(file, text);
	fputs(behind, file);
}

static void put_stack(FILE *file, const char *title, struct json_object *stack)
{
	size_t nr = stack ? json_object_array_length(stack) : 0;
	struct json_object *line, *of_driver;

	if (!nr)
		return;
	put(file, "<div><h3>", title, "</h3>\n<ul class=\"stack\">\n");
	for (size_t i = 0; i < nr; i++) {
		struct json_object *frame = json_object_array_get_idx(stack, i);
		bool own = json_object_object_get_ex(frame, "driver", &of_driver) &&
			   json_object_get_boolean(of_driver);

		put(file, own ? "<li class=\"driver\">" : "<li>", report_string(frame, "function"),
		    "");
		if (json_object_object_get_ex(frame, "line", &line)) {
			put(file, "  ", report_string(frame, "file"), "");
			fprintf(file, ":%d", json_object_get_int(line));
		}
		fputs("</li>\n", file);
	}
	fputs("</ul></div>\n", file);
}

static void put_events(FILE *file, struct json_object *events)
{
	size_t nr = events ? json_object_array_length(events) : 0;

	if (!nr)
		return;
	fputs("<div><h3>the buffer until then</h3>\n<ol class=\"events\">\n", file);
	for (size_t i = 0; i < nr; i++)
		put(file, "<li>", json_object_get_string(json_object_array_get_idx(events, i)),
		    "</li>\n");
	fputs("</ol></div>\n", file);
}

static void put_words(FILE *file, const void *context)
{
	const struct words_of *of = context;
	const struct report_finding *finding = of->finding;
	const struct check_rule_words *rule = &check_rules[finding->rule];
	struct json_object *state = report_array(finding->object, "state");
	char again[REPORT_AGAIN_BYTES];

	report_again(of->report, of->driver, finding, again);
	put(file, "<details>\n<summary><b>", rule->id, "</b>");
	put(file, "", rule->meaning, "");
	put(file, " <span class=\"quiet\">(", rule->category, ", ");
	put(file, "", of->driver->name, ")</span></summary>\n");
	put(file, "<p class=\"what\">", report_string(finding->object, "text"), "</p>\n");
	if (check_advice[finding->rule])
		put(file, "<p class=\"what\">What to do: ", check_advice[finding->rule], "</p>\n");
	fputs("<div class=\"sides\">\n", file);
	put_stack(file, "the call", report_array(finding->object, "call"));
	if (state)
		put_stack(file, report_string(state, "what"), report_array(state, "stack"));
	put_events(file, report_array(finding->object, "events"));
	fputs("</div>\n", file);
	put(file, "<h3>while</h3><p>", report_string(finding->object, "at"), "</p>\n");
	fputs("<h3>on</h3><p>", file);
	for (unsigned int i = 0; i < finding->nr_where; i++)
		put(file, i ? ", " : "", finding->where[i], "");
	fprintf(file, "; seed %lu</p>\n", of->report->seed);
	put(file, "<h3>again</h3><p><code class=\"again\">", again, "</code></p>\n");
	put(file, "<h3>Linux 6.12 says so in</h3><p class=\"source\">", rule->source, "</p>\n");
	fputs("</details>\n", file);
}

/* --- pictures --------------------------------------------------------------------------------- */

static u64 number(struct json_object *array, size_t n)
{
	return (u64)json_object_get_int64(json_object_array_get_idx(array, n));
}

/* What check_history_picture() made of it. */
static void read_entry(struct json_object *array, struct record_entry *entry)
{
	entry->event = (struct event){
		.kind = number(array, 0),
		.subject = (void *)(unsigned long)number(array, 1),
		.object = (void *)(unsigned long)number(array, 2),
		.a = number(array, 3),
		.b = number(array, 4),
		.c = number(array, 5),
	};
	entry->dev = (void *)(unsigned long)number(array, 6);
	entry->ns = number(array, 7);
	entry->thread = number(array, 8);
	entry->text = json_object_get_string(json_object_array_get_idx(array, 9));
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		entry->cost[i] = number(array, 10 + i);
	entry->filled = true;
}

/* NULL: there is nothing to draw; ERR_PTR(-ENOMEM). */
static struct record *read_record(struct json_object *picture)
{
	struct json_object *list = picture ? report_array(picture, "entries") : NULL;
	size_t nr = list ? json_object_array_length(list) : 0;
	struct record_entry *entries;
	struct record *record;

	if (!nr)
		return NULL;
	entries = calloc(nr, sizeof(*entries));
	if (!entries)
		return ERR_PTR(-ENOMEM);
	for (size_t i = 0; i < nr; i++)
		read_entry(json_object_array_get_idx(list, i), &entries[i]);
	record = record_of(entries, nr);
	free(entries);
	return record;
}

static int make_picture(const struct words_of *of, struct html_picture *picture)
{
	struct json_object *told = report_array(of->finding->object, "picture"), *buffer;
	struct record *record = read_record(told);

	if (IS_ERR(record))
		return PTR_ERR(record);
	*picture = (struct html_picture){ .record = record, .words = put_words, .context = of };
	if (record && json_object_object_get_ex(told, "buffer", &buffer))
		picture->buffer = (void *)(unsigned long)json_object_get_int64(buffer);
	return 0;
}

/* --- the page --------------------------------------------------------------------------------- */

/* To be freed. */
static char *outcome_of(const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	for (const struct report_driver *driver = report->drivers; driver; driver = driver->next) {
		report_verdict_of(driver, file);
		fputs(driver->next ? "; " : "", file);
	}
	fclose(file);
	return text;
}

static int write_all(const struct report *report, const char *path, struct words_of *of,
		     struct html_picture *pictures)
{
	struct html_about about = {
		.title = "dmabuf check",
		.what = "Each finding is a rule of dma-buf that a driver breaks, as it was seen "
			"first: open one for the call that did it, the call that made things so, "
			"and the buffer until then.",
		.timed = false,
	};
	char *outcome = outcome_of(report);
	unsigned int nr = 0;
	int ret = outcome ? 0 : -ENOMEM;

	about.outcome = outcome;
	for (const struct report_driver *d = report->drivers; d; d = d->next)
		for (const struct report_finding *f = d->findings; f && !ret; f = f->next, nr++) {
			of[nr] = (struct words_of){ report, d, f };
			ret = make_picture(&of[nr], &pictures[nr]);
		}
	if (!ret)
		ret = html_write_pictures(path, &about, pictures, nr);
	free(outcome);
	return ret;
}

int report_page(const struct report *report, const char *path)
{
	unsigned int nr = report_findings(report);
	struct html_picture *pictures = calloc(nr + 1, sizeof(*pictures));
	struct words_of *of = calloc(nr + 1, sizeof(*of));
	int ret = pictures && of ? write_all(report, path, of, pictures) : -ENOMEM;

	for (unsigned int i = 0; pictures && i < nr; i++)
		record_free((struct record *)pictures[i].record);
	free(of);
	free(pictures);
	return ret;
}
