/* SPDX-License-Identifier: MIT */
/*
 * compare.c - see compare.h
 */
#include <stdlib.h>

#include "compare.h"

int conformance_column_init(struct conformance_column *column, unsigned int cases)
{
	column->answer = calloc(cases, sizeof(*column->answer));
	column->nr = 0;
	column->room = column->answer ? cases : 0;
	return column->answer ? 0 : -ENOMEM;
}

void conformance_column_free(struct conformance_column *column)
{
	free(column->answer);
	column->answer = NULL;
	column->nr = column->room = 0;
}

void conformance_collect(const struct conformance_result *result, void *context)
{
	struct conformance_column *column = context;
	struct conformance_answer *answer = &column->answer[column->nr];

	BUG_ON(column->nr == column->room);
	column->nr++;
	answer->running = result->running;
	answer->verdict = result->verdict;
	snprintf(answer->text, sizeof(answer->text), "%s", result->text);
	snprintf(answer->answers, sizeof(answer->answers), "%s", result->answers);
}

/* --- one case --------------------------------------------------------------------------------- */

/* One line of the table: a case, and each column's answer to it. */
struct row {
	const struct conformance_column *columns;
	const struct conformance_answer *answer[CONFORMANCE_COLUMNS];
	unsigned int nr;
};

static bool alike(const struct row *row, unsigned int a, unsigned int b)
{
	const struct conformance_answer *one = row->answer[a], *other = row->answer[b];

	return one->verdict == other->verdict && !strcmp(one->answers, other->answers);
}

/* Does column @i answer otherwise than the rule, and say so? */
static bool excepted(const struct row *row, unsigned int i)
{
	const struct world_case *c = row->answer[i]->running;

	return (c->otherwise.cores | c->also.cores | c->not_on.cores) & row->columns[i].core;
}

/* What breaks CM1, CM2, or failed; NULL: nothing. */
static const char *wrong_with(const struct row *row)
{
	for (unsigned int i = 0; i < row->nr; i++) {
		bool rule = false, differs = false;

		if (row->answer[i]->verdict == CONFORMANCE_FAILED)
			return "a core answers neither as the rule says nor as its exception";
		for (unsigned int j = 0; j < row->nr; j++) {
			if (excepted(row, j))
				continue;
			rule = true;
			differs |= !alike(row, i, j);
		}
		if (rule && excepted(row, i) && !differs)
			return "an exception, but no difference";
		if (differs && !excepted(row, i))
			return "a difference that no exception explains";
	}
	return NULL;
}

/* --- the text --------------------------------------------------------------------------------- */

#define TITLE_COLUMNS 40

/* How many bytes of whole lines all answers begin with; who was not asked has none. */
static size_t common_lines(const struct row *row)
{
	const char *first = row->answer[0]->answers;
	size_t lines = 0;

	for (size_t at = 0; first[at]; at++) {
		for (unsigned int i = 1; i < row->nr; i++)
			if (row->answer[i]->answers[at] != first[at])
				return lines;
		if (first[at] == '\n')
			lines = at + 1;
	}
	return lines;
}

/* A skipped case has no answers; any other's begin with @common. */
static void print_answers(const struct conformance_answer *answer, size_t common, FILE *to)
{
	const char *line = answer->answers + common;

	if (answer->verdict == CONFORMANCE_SKIPPED) {
		fprintf(to, "is not asked: %s", answer->text);
		return;
	}
	if (!*line)
		fputs("no more", to);
	for (const char *end; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		fprintf(to, "%s%.*s", line > answer->answers + common ? "; " : "",
			(int)(end - line), line);
		if (!*end)
			break;
	}
}

/* Those that answer as column @first, which is the first of them. */
static void print_titles(const struct row *row, unsigned int first, FILE *to)
{
	char titles[128] = "";
	size_t len = 0;

	for (unsigned int i = first; i < row->nr; i++)
		if (alike(row, first, i) && len < sizeof(titles))
			len += snprintf(titles + len, sizeof(titles) - len, "%s%s", len ? ", " : "",
					row->columns[i].title);
	fprintf(to, "  %-*s", TITLE_COLUMNS, titles);
}

static void print_why(const struct row *row, const struct world_exception *exception, FILE *to)
{
	unsigned int printed = 0;

	for (unsigned int i = 0; i < row->nr; i++)
		if (exception->cores & row->columns[i].core)
			fprintf(to, "%s%s", printed++ ? ", " : "  why ", row->columns[i].title);
	if (printed)
		fprintf(to, ": %s\n", exception->why);
}

static void print_row(const struct row *row, const char *wrong, FILE *to)
{
	const struct world_case *c = row->answer[0]->running;
	size_t common = common_lines(row);

	fprintf(to, "\n%s: %s\n", c->name, c->rule);
	for (unsigned int i = 0; i < row->nr; i++) {
		bool told = false;

		for (unsigned int before = 0; before < i; before++)
			told |= alike(row, before, i);
		if (told)
			continue;
		print_titles(row, i, to);
		print_answers(row->answer[i], common, to);
		fputc('\n', to);
		if (row->answer[i]->verdict == CONFORMANCE_FAILED)
			fprintf(to, "  FAILED %s\n", row->answer[i]->text);
	}
	print_why(row, &c->otherwise, to);
	print_why(row, &c->also, to);
	if (wrong)
		fprintf(to, "  WRONG: %s\n", wrong);
}

static bool all_alike(const struct row *row)
{
	for (unsigned int i = 1; i < row->nr; i++)
		if (!alike(row, 0, i))
			return false;
	return true;
}

unsigned int conformance_compare(const struct conformance_column *columns, unsigned int nr,
				 FILE *to)
{
	unsigned int same = 0, wrong_cases = 0;

	BUG_ON(!nr || nr > CONFORMANCE_COLUMNS);
	for (unsigned int i = 0; i < columns->nr; i++) {
		struct row row = { .columns = columns, .nr = nr };
		const char *wrong;

		for (unsigned int j = 0; j < nr; j++) {
			BUG_ON(columns[j].nr != columns->nr);
			row.answer[j] = &columns[j].answer[i];
		}
		wrong = wrong_with(&row);
		wrong_cases += wrong != NULL;
		if (all_alike(&row) && !wrong)
			same++;
		else
			print_row(&row, wrong, to);
	}
	fprintf(to, "\n%u cases: %u answered alike by all, %u not, %u of them without a reason\n",
		columns->nr, same, columns->nr - same, wrong_cases);
	return wrong_cases;
}
