/* SPDX-License-Identifier: MIT */
/*
 * html.c - a record as one page to look at
 *
 * The JSON is one object, or { pictures } with a list of such objects, null where there is no record:
 *
 *	timed, dropped
 *	kinds	names of the event kinds
 *	costs	names of the costs
 *	agents	[{name, domain}]: first the CPU, then devices; domain: 0 caches, 1 memory, 2 bounced
 *	buffers	[{name, exporter, bytes}]
 *	fences	[name of its timeline]
 *	events	[[ns since the one before, kind, thread, agent, buffer, a, b, c, extra]]; what is not
 *		known is -1; nothing that is 0 stands at the end
 *
 * a, b and c are as in core/event.h and record.h, but for the sets of domains, which are 1 (caches)
 * and 2 (memory), and fences, whose b is their place in `fences`.  extra is an object: "cost" {number
 * of the cost: amount}, "text", and "bounced": the agents whose bounce slots are in the set.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "checker/report/html.h"
#include "checker/report/page.h"
#include "checker/report/record.h"
#include "core/coherence.h"

#define NOBODY (-1L)
#define CPU 0L

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_EXPORT] = "export",
	[EVENT_RELEASE] = "release",
	[EVENT_NAME] = "name",
	[EVENT_CONTENT] = "content",
	[EVENT_ATTACH] = "attach",
	[EVENT_DETACH] = "detach",
	[EVENT_MAP] = "map",
	[EVENT_UNMAP] = "unmap",
	[EVENT_ACCESS] = "access",
	[EVENT_ACCESS_END] = "access end",
	[EVENT_UNMAPPED] = "unmapped",
	[EVENT_CPU_BEGIN] = "cpu begin",
	[EVENT_CPU_END] = "cpu end",
	[EVENT_EXPORTER_BEGIN] = "exporter begin",
	[EVENT_EXPORTER_END] = "exporter end",
	[EVENT_MOVE] = "move",
	[EVENT_SLOT] = "slot",
	[EVENT_BUILD] = "build",
	[EVENT_TEARDOWN] = "teardown",
	[EVENT_WIDEN] = "widen",
	[EVENT_JOIN] = "join",
	[EVENT_CLEAN] = "clean",
	[EVENT_INVALIDATE] = "invalidate",
	[EVENT_BOUNCED] = "bounced",
	[EVENT_WHOLE] = "whole",
	[EVENT_FENCE_ADD] = "fence add",
	[EVENT_FENCE_SIGNAL] = "fence signal",
	[EVENT_JOB] = "job",
	[EVENT_NOTE] = "note",
	[EVENT_FINDING] = "finding",
};

/* What an address stood for when an entry was told, as numbers in the page's lists. */
struct names {
	long agent, buffer, fence;
};

struct html {
	FILE *file;
	const struct record *record;
	int error;

	/* address -> number; buffers also by directory and reservation */
	struct xarray agents, buffers, fences;
	struct xarray owner_agents, owner_buffers; /* of slots and attachments */
	struct xarray drawn_fences;                /* number + 1 -> whatever */
	struct xarray bounced; /* 64 * number of a buffer + number of a bit -> agent */
	long nr_agents, nr_buffers, nr_fences;

	struct names *names; /* of each entry */
	long only;           /* the buffer that is drawn, or NOBODY: all */
};

/* --- text ------------------------------------------------------------------------------------- */

/* The character at @text, whose bytes are counted in *@len; U+FFFD for what is not UTF-8. */
static u32 character(const unsigned char *text, unsigned int *len)
{
	static const u32 least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned int more = text[0] >= 0xf0 ? 3 : text[0] >= 0xe0 ? 2 : text[0] >= 0xc0 ? 1 : 0;
	u32 c = text[0];

	*len = 1;
	if (c < 0x80)
		return c;
	if (!more || c >= 0xf8)
		return 0xfffd;
	c &= 0x3f >> more;
	for (unsigned int i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	*len = more + 1;
	return c;
}

/* A JSON string that is also harmless inside <script>. */
static void put_json(FILE *file, const char *text)
{
	unsigned int len;

	fputc('"', file);
	for (; *text; text += len) {
		u32 c = character((const unsigned char *)text, &len);

		if (c >= 0x10000)
			fprintf(file, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				0xdc00 + ((c - 0x10000) & 0x3ff));
		else if (c < 0x20 || c > 0x7e || strchr("\"\\<>&'", c))
			fprintf(file, "\\u%04x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

void html_text(FILE *file, const char *text)
{
	unsigned int len;

	for (; *text; text += len) {
		u32 c = character((const unsigned char *)text, &len);

		if (c < 0x20 || c > 0x7e || strchr("\"'<>&", c))
			fprintf(file, "&#%u;", c < 0x20 ? 0x20 : c);
		else
			fputc(c, file);
	}
}

/* --- what addresses stand for ----------------------------------------------------------------- */

static void learn(struct html *html, struct xarray *of, const void *address, long number)
{
	void *value = number == NOBODY ? NULL : xa_mk_value(number);

	if (xa_is_err(xa_store(of, (unsigned long)address, value, GFP_KERNEL)))
		html->error = -ENOMEM;
}

static long known(struct xarray *of, const void *address)
{
	void *value = xa_load(of, (unsigned long)address);

	return value ? (long)xa_to_value(value) : NOBODY;
}

/* Devices are told with their names, by the calls that bring them. */
static long agent_of(struct html *html, const struct record_entry *entry)
{
	long agent = known(&html->agents, entry->dev);

	if (agent == NOBODY && entry->dev && entry->text) {
		agent = html->nr_agents++;
		learn(html, &html->agents, entry->dev, agent);
	}
	return agent;
}

static void learn_owner(struct html *html, const void *owner, const struct names *names)
{
	learn(html, &html->owner_agents, owner, names->agent);
	learn(html, &html->owner_buffers, owner, names->buffer);
}

static void *bounced_key(long buffer, unsigned int bit)
{
	return (void *)(64 * buffer + bit);
}

/* The first look at an entry, in order. */
static void settle(struct html *html, const struct record_entry *entry, struct names *names)
{
	const struct event *event = &entry->event;

	names->agent = agent_of(html, entry);
	names->buffer = known(&html->buffers, event->subject);
	names->fence = known(&html->fences, event->subject);
	switch (event->kind) {
	case EVENT_EXPORT:
		names->buffer = html->nr_buffers++;
		learn(html, &html->buffers, event->subject, names->buffer);
		learn(html, &html->buffers, event->object, names->buffer);
		learn(html, &html->buffers, (const void *)event->c, names->buffer);
		break;
	case EVENT_SLOT:
		names->buffer = known(&html->buffers, event->object);
		learn_owner(html, event->subject, names);
		break;
	case EVENT_ATTACH:
		learn_owner(html, event->object, names);
		break;
	case EVENT_DETACH:
	case EVENT_UNMAPPED:
		names->agent = known(&html->owner_agents, event->object);
		break;
	case EVENT_CPU_BEGIN:
	case EVENT_CPU_END:
		names->agent = CPU;
		break;
	case EVENT_BUILD:
	case EVENT_TEARDOWN:
	case EVENT_WIDEN:
	case EVENT_JOIN:
	case EVENT_CLEAN:
	case EVENT_INVALIDATE:
	case EVENT_BOUNCED:
		names->agent = known(&html->owner_agents, event->subject);
		names->buffer = known(&html->owner_buffers, event->subject);
		break;
	case EVENT_FENCE_ADD:
		names->buffer = known(&html->buffers, event->object);
		if (names->fence == NOBODY)
			names->fence = html->nr_fences++;
		learn(html, &html->fences, event->subject, names->fence);
		break;
	case EVENT_FENCE_SIGNAL:
		xa_erase(&html->fences, (unsigned long)event->subject);
		break;
	default:
		break;
	}
}

/* Is this drawn? */
static bool is_drawn(struct html *html, unsigned int i)
{
	const struct names *names = &html->names[i];
	enum event_kind kind = record_entry(html->record, i)->event.kind;

	if (html->only == NOBODY || names->buffer == html->only)
		return true;
	if (kind == EVENT_FENCE_SIGNAL || kind == EVENT_JOB)
		return names->fence != NOBODY &&
		       known(&html->drawn_fences, (void *)(names->fence + 1)) != NOBODY;
	return names->buffer == NOBODY && kind == EVENT_FINDING;
}

/* What is drawn of fences is those that were added to a buffer that is. */
static void choose(struct html *html, const void *buffer)
{
	unsigned int events = record_events(html->record);

	html->only = NOBODY;
	for (unsigned int i = 0; i < events; i++) {
		const struct event *event = &record_entry(html->record, i)->event;

		if (buffer && event->kind == EVENT_EXPORT && event->subject == buffer)
			html->only = html->names[i].buffer;
	}
	for (unsigned int i = 0; i < events; i++)
		if (record_entry(html->record, i)->event.kind == EVENT_FENCE_ADD &&
		    is_drawn(html, i))
			learn(html, &html->drawn_fences, (void *)(html->names[i].fence + 1), 1);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* The domains of @set: 1 caches, 2 memory, and who has the bounce slots in it. */
static void put_bounced(struct html *html, long buffer, coherence_set set, const char *before)
{
	const char *between = "";

	fprintf(html->file, "%s\"bounced\":[", before);
	for (unsigned int bit = 2; bit < 64; bit++) {
		if (!(set >> bit & 1))
			continue;
		fprintf(html->file, "%s%ld", between,
			known(&html->bounced, bounced_key(buffer, bit)));
		between = ",";
	}
	fputc(']', html->file);
}

static void put_costs(FILE *file, const u64 *cost)
{
	const char *between = "\"cost\":{";

	for (unsigned int i = 0; i < DMA_COST_NR; i++) {
		if (!cost[i])
			continue;
		fprintf(file, "%s\"%u\":%llu", between, i, cost[i]);
		between = ",";
	}
	fputc('}', file);
}

static bool costs(const u64 *cost)
{
	for (unsigned int i = 0; i < DMA_COST_NR; i++)
		if (cost[i])
			return true;
	return false;
}

static bool is_set(u64 *set, const struct event *event)
{
	*set = event->kind == EVENT_EXPORT  ? event->b
	       : event->kind == EVENT_WHOLE ? event->c
	       : event->kind == EVENT_JOIN  ? event->a
					    : 0;
	return *set;
}

static void put_extra(struct html *html, const struct record_entry *entry,
		      const struct names *names)
{
	const char *between = "{";
	coherence_set set;

	if (costs(entry->cost)) {
		fputc('{', html->file);
		put_costs(html->file, entry->cost);
		between = ",";
	}
	if (is_set(&set, &entry->event) && set & ~(COHERENCE_SET_C | COHERENCE_SET_M)) {
		put_bounced(html, names->buffer, set, between);
		between = ",";
	}
	if (entry->text) {
		fprintf(html->file, "%s\"text\":", between);
		put_json(html->file, entry->text);
		between = ",";
	}
	fputs(*between == '{' ? "{}" : "}", html->file);
}

/* The number that the page knows it by. */
static long drawn_buffer(const struct html *html, long buffer)
{
	return html->only == NOBODY ? buffer : buffer == html->only ? 0 : NOBODY;
}

static void put_event(struct html *html, const struct record_entry *entry,
		      const struct names *names, u64 since)
{
	struct event event = entry->event;
	u64 set;

	switch (event.kind) {
	case EVENT_EXPORT:
		event.c = 0;
		event.b &= COHERENCE_SET_C | COHERENCE_SET_M;
		break;
	case EVENT_JOIN:
		if (is_set(&set, &event) && names->buffer != NOBODY)
			learn(html, &html->bounced,
			      bounced_key(names->buffer, __builtin_ctzll(set)), names->agent);
		event.a &= COHERENCE_SET_C | COHERENCE_SET_M;
		break;
	case EVENT_WHOLE:
		event.c &= COHERENCE_SET_C | COHERENCE_SET_M;
		break;
	case EVENT_FENCE_ADD:
	case EVENT_FENCE_SIGNAL:
	case EVENT_JOB:
		event.b = names->fence;
		break;
	default:
		break;
	}
	fprintf(html->file, "[%llu,%d,%u,%ld,%ld,%lld,%lld,%lld,", since, event.kind, entry->thread,
		names->agent, drawn_buffer(html, names->buffer), (s64)event.a, (s64)event.b,
		(s64)event.c);
	put_extra(html, entry, names);
	fputs("],\n", html->file);
}

/* Each thing stands at the entry that gave it the next number. */
static void put_agents(struct html *html)
{
	long next = CPU + 1;

	fputs("\"agents\":[{\"name\":\"CPU\",\"domain\":0}", html->file);
	for (unsigned int i = 0; i < record_events(html->record); i++) {
		const struct record_entry *entry = record_entry(html->record, i);

		if (html->names[i].agent != next)
			continue;
		fputs(",\n{\"name\":", html->file);
		put_json(html->file, entry->text);
		fprintf(html->file, ",\"domain\":%d}",
			(int)(entry->event.kind == EVENT_ATTACH || entry->event.kind == EVENT_SLOT
				      ? entry->event.a
				      : entry->event.c));
		next++;
	}
	fputs("],\n", html->file);
}

static void put_buffers(struct html *html)
{
	const char *between = "";

	fputs("\"buffers\":[", html->file);
	for (unsigned int i = 0; i < record_events(html->record); i++) {
		const struct record_entry *entry = record_entry(html->record, i);

		if (entry->event.kind != EVENT_EXPORT || !is_drawn(html, i))
			continue;
		fprintf(html->file, "%s{\"exporter\":", between);
		put_json(html->file, entry->text);
		fprintf(html->file, ",\"bytes\":%llu}", entry->event.a);
		between = ",\n";
	}
	fputs("],\n", html->file);
}

static void put_fences(struct html *html)
{
	long next = 0;

	fputs("\"fences\":[", html->file);
	for (unsigned int i = 0; i < record_events(html->record); i++) {
		if (html->names[i].fence != next)
			continue;
		fputs(next++ ? "," : "", html->file);
		put_json(html->file, record_entry(html->record, i)->text);
	}
	fputs("],\n", html->file);
}

static void put_data(struct html *html, bool timed)
{
	const struct record *record = html->record;
	const char *between = "";
	u64 before = 0;

	fprintf(html->file, "{\"timed\":%s,\"dropped\":%llu,\n\"kinds\":[",
		timed ? "true" : "false", record_dropped(record));
	for (unsigned int i = 0; i < EVENT_KINDS; i++)
		fprintf(html->file, "%s\"%s\"", i ? "," : "", kind_names[i]);
	fputs("],\n\"costs\":[", html->file);
	for (unsigned int i = 0; i < DMA_COST_NR; i++, between = ",")
		fprintf(html->file, "%s\"%s\"", between, dma_cost_name(i));
	fputs("],\n", html->file);
	put_agents(html);
	put_buffers(html);
	put_fences(html);
	fputs("\"events\":[\n", html->file);
	for (unsigned int i = 0; i < record_events(record); i++) {
		const struct record_entry *entry = record_entry(record, i);
		u64 since = entry->ns > before ? entry->ns - before : 0;

		if (!is_drawn(html, i))
			continue;
		put_event(html, entry, &html->names[i], since);
		before += since;
	}
	fputs("0]}", html->file); /* JSON has no comma at a list's end */
}

/* --- the page --------------------------------------------------------------------------------- */

struct whole {
	FILE *file;
	const struct html_about *about;
	const struct html_picture *pictures;
	unsigned int nr;
	bool several; /* with words beside them */
};

static int settle_all(struct html *html)
{
	unsigned int events = record_events(html->record);

	html->names = kvcalloc(events + 1, sizeof(*html->names), GFP_KERNEL);
	if (!html->names)
		return -ENOMEM;
	for (unsigned int i = 0; i < events; i++)
		settle(html, record_entry(html->record, i), &html->names[i]);
	return html->error;
}

static int put_picture(const struct whole *page, const struct html_picture *picture)
{
	struct html html = { .file = page->file, .record = picture->record, .nr_agents = CPU + 1 };
	struct xarray *maps[] = { &html.agents,       &html.buffers,       &html.fences,
				  &html.owner_agents, &html.owner_buffers, &html.bounced,
				  &html.drawn_fences };
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		xa_init(maps[i]);
	ret = settle_all(&html);
	if (!ret) {
		choose(&html, picture->buffer);
		put_data(&html, page->about->timed);
		ret = html.error;
	}
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		xa_destroy(maps[i]);
	kvfree(html.names);
	return ret;
}

static int put_pictures(const struct whole *page)
{
	int ret = 0;

	if (!page->several)
		return put_picture(page, page->pictures);
	fputs("{\"pictures\":[", page->file);
	for (unsigned int i = 0; i < page->nr && !ret; i++) {
		fputs(i ? ",\n" : "\n", page->file);
		if (page->pictures[i].record)
			ret = put_picture(page, &page->pictures[i]);
		else
			fputs("null", page->file);
	}
	fputs("]}", page->file);
	return ret;
}

static void put_words(const struct whole *page)
{
	for (unsigned int i = 0; page->several && i < page->nr; i++)
		page->pictures[i].words(page->file, page->pictures[i].context);
}

static int put_template(const struct whole *page)
{
	const char *at = (const char *)html_page;
	int ret = 0;

	while (at && !ret) {
		const char *mark = strstr(at, "@@");
		size_t len = mark ? (size_t)(mark - at) : strlen(at);

		fwrite(at, 1, len, page->file);
		if (!mark)
			break;
		mark += 2;
		if (!strncmp(mark, "TITLE", 5))
			html_text(page->file, page->about->title);
		else if (!strncmp(mark, "WHAT", 4))
			html_text(page->file, page->about->what);
		else if (!strncmp(mark, "OUTCOME", 7))
			html_text(page->file, page->about->outcome);
		else if (!strncmp(mark, "WORDS", 5))
			put_words(page);
		else if (!strncmp(mark, "DATA", 4))
			ret = put_pictures(page);
		at = strstr(mark, "@@") + 2;
	}
	return ret;
}

static int write_page(struct whole *page, const char *path)
{
	bool bad;
	int ret;

	page->file = fopen(path, "w");
	if (!page->file)
		return -errno;
	errno = 0;
	ret = put_template(page);
	bad = ferror(page->file);
	if (fclose(page->file) || bad)
		return errno ? -errno : -EIO;
	return ret;
}

int html_write(const char *path, const struct record *record, const struct html_about *about)
{
	struct html_picture picture = { .record = record };
	struct whole page = { .about = about, .pictures = &picture, .nr = 1 };

	return write_page(&page, path);
}

int html_write_pictures(const char *path, const struct html_about *about,
			const struct html_picture *pictures, unsigned int nr)
{
	struct whole page = { .about = about, .pictures = pictures, .nr = nr, .several = true };

	return write_page(&page, path);
}
