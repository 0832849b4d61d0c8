/* SPDX-License-Identifier: MIT */
/*
 * html-test.c - a page holds the record and nothing that a name could smuggle in
 *
 * What the page then shows is browser-test.py's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <json-c/json.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/string.h>

#include "checker/report/html.h"
#include "checker/report/record.h"
#include "core/event.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/port.h"
#include "tests/ktap.h"

static char path[] = "/tmp/report-XXXXXX";

static const struct html_about about = {
	.title = "a title", .what = "What.", .outcome = "Right.", .timed = true
};

/* To be freed. */
static char *page_at(const char *name)
{
	FILE *file = fopen(name, "r");
	char *page = NULL;
	size_t room = 0;

	if (!file || getdelim(&page, &room, '\0', file) < 0)
		abort();
	fclose(file);
	return page;
}

/* The page, to be freed; NULL after a check that failed. */
static char *written(struct ktap *t, const struct record *record, const struct html_about *as)
{
	return KT_CHECK(t, !html_write(path, record, as)) ? page_at(path) : NULL;
}

static struct json_object *data_of(struct ktap *t, char *page)
{
	char *begin = strstr(page, "id=\"data\">"),
	     *end = begin ? strstr(begin, "</script>") : NULL;
	struct json_object *data;

	if (!KT_CHECK(t, begin && end))
		return NULL;
	*end = '\0';
	data = json_tokener_parse(begin + strlen("id=\"data\">"));
	*end = '<';
	KT_CHECK(t, data);
	return data;
}

static struct json_object *member(struct json_object *of, const char *name)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(of, name, &found);
	return found;
}

static long number(struct json_object *row, size_t column)
{
	return json_object_get_int64(json_object_array_get_idx(row, column));
}

static long kind(struct json_object *data, const char *name)
{
	struct json_object *kinds = member(data, "kinds");

	for (size_t i = 0; i < json_object_array_length(kinds); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(kinds, i)), name))
			return i;
	return -1;
}

/* The @nth event of this kind; the list's last place is not one. */
static struct json_object *event(struct json_object *data, const char *name, int nth)
{
	struct json_object *events = member(data, "events");

	for (size_t i = 0; i + 1 < json_object_array_length(events); i++) {
		struct json_object *row = json_object_array_get_idx(events, i);

		if (number(row, 1) == kind(data, name) && !nth--)
			return row;
	}
	return NULL;
}

static int count(const char *text, const char *part)
{
	int n = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		n++;
	return n;
}

/* --- what is in it ---------------------------------------------------------------------------- */

static void use(struct dma_buf *dmabuf, struct device *dev, enum dma_data_direction dir)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);

	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	dma_buf_detach(dmabuf, attach);
}

static struct record *record_two_buffers(const char *machine_name)
{
	struct machine *machine = machine_create(machine_type_find(machine_name), 0);
	struct device *lens =
		machine_add_device(machine, "lens", machine_type_of(machine)->coherent);
	struct device *screen = machine_add_device(machine, "screen", true);
	struct record *record = record_start(1000);

	for (int i = 0; i < 2; i++) {
		struct dma_buf *dmabuf = system_heap_allocate((i + 1) * PAGE_SIZE);

		use(dmabuf, lens, DMA_FROM_DEVICE);
		use(dmabuf, screen, DMA_TO_DEVICE);
		dma_buf_put(dmabuf);
	}
	record_stop(record);
	machine_remove_device(screen);
	machine_remove_device(lens);
	machine_destroy(machine);
	return record;
}

/* HT2: the second buffer may well lie where the first was. */
static void addresses_become_things(struct ktap *t)
{
	struct record *record = record_two_buffers("arm");
	char *page = written(t, record, &about);
	struct json_object *data = page ? data_of(t, page) : NULL, *agents;

	KT_ASSERT(t, data);
	agents = member(data, "agents");
	KT_EQ(t, json_object_array_length(agents), 3);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "CPU", "lens", "screen" };
		struct json_object *agent = json_object_array_get_idx(agents, i);

		KT_CHECK(t, !strcmp(json_object_get_string(member(agent, "name")), names[i]));
		KT_EQ(t, json_object_get_int(member(agent, "domain")), i == 1);
	}
	KT_EQ(t, json_object_array_length(member(data, "buffers")), 2);
	for (int i = 0; i < 2; i++) {
		KT_EQ(t, number(event(data, "export", i), 4), i);
		KT_EQ(t, number(event(data, "export", i), 5), (i + 1) * PAGE_SIZE);
		KT_EQ(t, number(event(data, "map", 2 * i), 3), 1);
		KT_EQ(t, number(event(data, "map", 2 * i), 4), i);
		KT_EQ(t, number(event(data, "map", 2 * i + 1), 3), 2);
		KT_EQ(t, number(event(data, "build", 2 * i), 3), 1);
		KT_EQ(t, number(event(data, "clean", i), 4), i);
		KT_EQ(t, number(event(data, "clean", i), 6), (i + 1) * PAGE_SIZE);
		KT_EQ(t, number(event(data, "whole", 0), 7), 3);
		KT_EQ(t, number(event(data, "release", i), 4), i);
	}
	KT_EQ(t, json_object_array_length(member(data, "events")), record_events(record) + 1);
	json_object_put(data);
	free(page);
	record_free(record);
}

static void bounce_slots_have_their_devices_names(struct ktap *t)
{
	struct record *record = record_two_buffers("bounce");
	char *page = written(t, record, &about);
	struct json_object *data = page ? data_of(t, page) : NULL, *slots;

	KT_ASSERT(t, data);
	/* After the camera's end its slot alone is whole. */
	slots = member(json_object_array_get_idx(event(data, "whole", 1), 8), "bounced");
	KT_EQ(t, number(event(data, "whole", 1), 7), 0);
	KT_EQ(t, json_object_array_length(slots), 1);
	KT_EQ(t, number(slots, 0), 1);
	json_object_put(data);
	free(page);
	record_free(record);
}

static void a_page_without_events(struct ktap *t)
{
	struct record *record = record_start(10);
	struct json_object *data;
	char *page;

	record_stop(record);
	page = written(t, record, &about);
	data = page ? data_of(t, page) : NULL;
	KT_ASSERT(t, data);
	KT_EQ(t, json_object_array_length(member(data, "events")), 1);
	KT_EQ(t, json_object_get_int(member(data, "dropped")), 0);
	json_object_put(data);
	free(page);
	record_free(record);
}

static void dropped_events_are_told(struct ktap *t)
{
	struct record *record = record_start(1);
	struct json_object *data;
	char *page;

	for (int i = 0; i < 5; i++)
		event_tell(EVENT_CONTENT, NULL, NULL, i, 0, 0);
	record_stop(record);
	page = written(t, record, &about);
	data = page ? data_of(t, page) : NULL;
	KT_ASSERT(t, data);
	KT_EQ(t, json_object_get_int(member(data, "dropped")), 4);
	json_object_put(data);
	free(page);
	record_free(record);
}

/* --- several ---------------------------------------------------------------------------------- */

static void put_number(FILE *file, const void *context)
{
	fprintf(file, "<details>%s</details>\n", (const char *)context);
}

/* The buffer that was exported there last, with what belongs to it and no more. */
static void of_several_pictures_each_has_its_buffer(struct ktap *t)
{
	struct record *record = record_two_buffers("arm");
	const void *last = NULL;
	struct html_picture pictures[] = {
		{ .words = put_number, .context = "first" },
		{ .record = record, .words = put_number, .context = "second" },
		{ .record = record, .words = put_number, .context = "third" },
	};
	struct json_object *data, *list, *picture;
	char *page;

	for (unsigned int i = 0; i < record_events(record); i++)
		if (record_entry(record, i)->event.kind == EVENT_EXPORT)
			last = record_entry(record, i)->event.subject;
	pictures[1].buffer = last;
	KT_ASSERT(t, !html_write_pictures(path, &about, pictures, ARRAY_SIZE(pictures)));
	page = page_at(path);
	KT_CHECK(t, strstr(page, "first") < strstr(page, "<details>second</details>"));
	KT_EQ(t, count(page, "<details>"), 3);
	data = data_of(t, page);
	KT_ASSERT(t, data);
	list = member(data, "pictures");
	KT_EQ(t, json_object_array_length(list), 3);
	KT_CHECK(t, !json_object_array_get_idx(list, 0));
	picture = json_object_array_get_idx(list, 1);
	KT_EQ(t, json_object_array_length(member(picture, "buffers")), 1);
	KT_EQ(t, number(event(picture, "export", 0), 4), 0);
	KT_EQ(t, number(event(picture, "export", 0), 5), 2 * PAGE_SIZE);
	KT_CHECK(t, event(picture, "map", 1) && !event(picture, "map", 2));
	KT_CHECK(t, event(picture, "clean", 0) && !event(picture, "clean", 1));
	picture = json_object_array_get_idx(list, 2);
	KT_EQ(t, json_object_array_length(member(picture, "buffers")), 2);
	KT_EQ(t, json_object_array_length(member(picture, "events")), record_events(record) + 1);
	json_object_put(data);
	free(page);
	record_free(record);
}

static void a_page_of_no_findings(struct ktap *t)
{
	struct json_object *data;
	char *page;

	KT_ASSERT(t, !html_write_pictures(path, &about, NULL, 0));
	page = page_at(path);
	data = data_of(t, page);
	KT_ASSERT(t, data);
	KT_EQ(t, json_object_array_length(member(data, "pictures")), 0);
	json_object_put(data);
	free(page);
}

/* --- what must not get in --------------------------------------------------------------------- */

/* HT1 */
static void names_stay_text(struct ktap *t)
{
	static const char *const names[] = {
		"</script><script>alert(1)</script>",
		"<!--<script>",
		"\"quoted\\",
		"tab\tnew\nline",
		"\xc3\xa9t\xc3\xa9",
		"\xff\xfe",
		"\xf0\x9f\x8e\xa5",
		"@@DATA@@",
		"\xe2\x80\xa8",
		"\xc0\xaf",
		"\xed\xa0\x80",
		"\xe2\x80",
	};
	static const char *const read[] = {
		"</script><script>alert(1)</script>",
		"<!--<script>",
		"\"quoted\\",
		"tab\tnew\nline",
		"\xc3\xa9t\xc3\xa9",
		"\xef\xbf\xbd\xef\xbf\xbd",
		"\xf0\x9f\x8e\xa5",
		"@@DATA@@",
		"\xe2\x80\xa8",
		"\xef\xbf\xbd\xef\xbf\xbd",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		"\xef\xbf\xbd\xef\xbf\xbd",
	};
	struct record *record = record_start(100), *empty;
	char *plain, *page;
	struct json_object *data;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		event_tell(EVENT_NAME, NULL, names[i], 0, 0, 0);
	record_stop(record);
	page = written(t, record,
		       &(struct html_about){ "<b>\"bold\" & more</b>\x01", "'quoted' \xff",
					     "</p><script>", true });
	data = page ? data_of(t, page) : NULL;
	KT_ASSERT(t, data);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_object *text =
			member(json_object_array_get_idx(event(data, "name", i), 8), "text");

		ktap_check(t, !strcmp(json_object_get_string(text), read[i]), __FILE__, __LINE__,
			   "%zu is %s, not %s", i, json_object_get_string(text), read[i]);
	}
	json_object_put(data);
	record_free(record);

	empty = record_start(1);
	record_stop(empty);
	plain = written(t, empty, &about);
	KT_ASSERT(t, plain);
	KT_EQ(t, count(page, "<script"), count(plain, "<script"));
	KT_EQ(t, count(page, "</script"), count(plain, "</script"));
	KT_EQ(t, count(page, "<!--"), count(plain, "<!--"));
	KT_CHECK(t, strstr(page,
			   "<title>&#60;b&#62;&#34;bold&#34; &#38; more&#60;/b&#62;&#32;</title>"));
	for (const char *c = page; *c; c++)
		KT_ASSERT(t, (unsigned char)*c < 0x80);
	free(plain);
	free(page);
	record_free(empty);
}

/* Nothing is loaded: no address of anything else is in the page, and its policy allows none. */
static void nothing_is_loaded(struct ktap *t)
{
	struct record *record = record_two_buffers("arm");
	char *page = written(t, record, &about);

	KT_ASSERT(t, page);
	KT_CHECK(t, !strstr(page, " src=") && !strstr(page, " href=") && !strstr(page, "@import"));
	KT_CHECK(t,
		 !strstr(page, "fetch(") && !strstr(page, "XMLHttp") && !strstr(page, "import("));
	KT_EQ(t, count(page, "://"), count(page, "http://www.w3.org/2000/svg"));
	KT_EQ(t, count(page, "default-src 'none'"), 1);
	KT_EQ(t, count(page, "<html"), 1);
	KT_EQ(t, count(page, "</html>"), 1);
	KT_EQ(t, count(page, "@@"), 0);
	KT_EQ(t, count(page, "a title"), 2);
	free(page);
	record_free(record);
}

/* --- failures --------------------------------------------------------------------------------- */

static void a_file_that_cannot_be_written(struct ktap *t)
{
	struct record *record = record_two_buffers("arm");

	KT_EQ(t, html_write("/nowhere/at/all.html", record, &about), -ENOENT);
	KT_EQ(t, html_write("/", record, &about), -EISDIR);
	KT_EQ(t, html_write("/dev/full", record, &about), -ENOSPC);
	record_free(record);
}

static void without_memory_it_says_so(struct ktap *t)
{
	struct record *record = record_two_buffers("arm");
	unsigned int n = 0, failures = 0;
	int ret;

	do {
		port_fail_nth(PORT_FAULT_ALLOC, ++n);
		ret = html_write(path, record, &about);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM);
		failures += ret == -ENOMEM;
	} while (ret && n < 1000);
	KT_CHECK(t, failures > 2);
	record_free(record);
}

static const struct ktap_case cases[] = {
	KTAP_CASE(addresses_become_things),
	KTAP_CASE(bounce_slots_have_their_devices_names),
	KTAP_CASE(a_page_without_events),
	KTAP_CASE(dropped_events_are_told),
	KTAP_CASE(of_several_pictures_each_has_its_buffer),
	KTAP_CASE(a_page_of_no_findings),
	KTAP_CASE(names_stay_text),
	KTAP_CASE(nothing_is_loaded),
	KTAP_CASE(a_file_that_cannot_be_written),
	KTAP_CASE(without_memory_it_says_so),
};

int main(int argc, char **argv)
{
	int fd = mkstemp(path), status;

	if (fd < 0)
		return 2;
	close(fd);
	status = ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
	unlink(path);
	return status;
}
