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
	snprintf(answer->asked, sizeof(answer->asked), "%s", result->asked);
}

/* --- one case --------------------------------------------------------------------------------- */

/* What several cores said of a case. */
struct row {
	struct side {
		const char *title;
		enum world_core core;
		const struct conformance_answer *answer;
		const char *text; /* NULL: it was not asked */
	} side[CONFORMANCE_COLUMNS];
	unsigned int nr;
};

static bool alike(const struct row *row, unsigned int a, unsigned int b)
{
	const char *one = row->side[a].text, *other = row->side[b].text;

	return one && other ? !strcmp(one, other) : one == other;
}

static bool all_alike(const struct row *row)
{
	for (unsigned int i = 1; i < row->nr; i++)
		if (!alike(row, 0, i))
			return false;
	return true;
}

/* Does this core answer otherwise than the rule, and say so? */
static bool excepted(const struct side *side)
{
	const struct world_case *c = side->answer->running;

	return (c->otherwise.cores | c->also.cores | c->not_on.cores) & side->core;
}

/* Does @core say anything else than a core that keeps the rule? */
static bool differs(const struct row *row, enum world_core core)
{
	for (unsigned int i = 0; i < row->nr; i++)
		for (unsigned int j = 0; row->side[i].core == core && j < row->nr; j++)
			if (!excepted(&row->side[j]) && !alike(row, i, j))
				return true;
	return false;
}

static bool some_keep_the_rule(const struct row *row)
{
	for (unsigned int i = 0; i < row->nr; i++)
		if (!excepted(&row->side[i]))
			return true;
	return false;
}

/* What breaks CM1, CM2, or failed; NULL: nothing. */
static const char *wrong_with(const struct row *answers, const struct row *asked)
{
	for (unsigned int i = 0; i < answers->nr; i++) {
		const struct side *side = &answers->side[i];
		bool other = differs(answers, side->core) || differs(asked, side->core);

		if (side->answer->verdict == CONFORMANCE_FAILED)
			return "a core answers neither as the rule says nor as its exception";
		if (other && !excepted(side))
			return "a difference that no exception explains";
		if (!other && excepted(side) && some_keep_the_rule(answers))
			return "an exception, but no difference";
	}
	return NULL;
}

/* --- the text --------------------------------------------------------------------------------- */

#define TITLE_COLUMNS 40

/* How many bytes of whole lines all begin with; who was not asked has none. */
static size_t common_lines(const struct row *row)
{
	const char *first = row->side[0].text ?: "";
	size_t lines = 0;

	for (size_t at = 0; first[at]; at++) {
		for (unsigned int i = 1; i < row->nr; i++)
			if ((row->side[i].text ?: "")[at] != first[at])
				return lines;
		if (first[at] == '\n')
			lines = at + 1;
	}
	return lines;
}

static void print_text(const struct side *side, size_t common, FILE *to)
{
	const char *line = side->text + common;

	if (!side->text) {
		fprintf(to, "is not asked: %s\n", side->answer->text);
		return;
	}
	if (!*line)
		fputs("no more", to);
	while (*line) {
		const char *end = strchrnul(line, '\n');

		fprintf(to, "%.*s%s", (int)(end - line), line, end[0] && end[1] ? "; " : "");
		line = end + !!*end;
	}
	fputc('\n', to);
}

/* A line for each answer, with all who gave it; @what is put before it. */
static void print_block(const struct row *row, const char *what, FILE *to)
{
	size_t common = common_lines(row);

	for (unsigned int i = 0; i < row->nr; i++) {
		char titles[128] = "";
		bool told = false;

		for (unsigned int before = 0; before < i; before++)
			told |= alike(row, before, i);
		if (told)
			continue;
		for (unsigned int j = i; j < row->nr; j++) {
			size_t len = strlen(titles);

			if (alike(row, i, j))
				snprintf(titles + len, sizeof(titles) - len, "%s%s",
					 len ? ", " : "", row->side[j].title);
		}
		fprintf(to, "  %-*s%s", TITLE_COLUMNS, titles, what);
		print_text(&row->side[i], common, to);
	}
}

static void print_why(const struct row *row, const struct world_exception *exception, FILE *to)
{
	unsigned int printed = 0;

	for (unsigned int i = 0; i < row->nr; i++)
		if (exception->cores & row->side[i].core)
			fprintf(to, "%s%s", printed++ ? ", " : "  why ", row->side[i].title);
	if (printed)
		fprintf(to, ": %s\n", exception->why);
}

static void print_case(const struct row *answers, const struct row *asked, const char *wrong,
		       FILE *to)
{
	const struct world_case *c = answers->side[0].answer->running;

	fprintf(to, "\n%s: %s\n", c->name, c->rule);
	if (!all_alike(answers))
		print_block(answers, "", to);
	else if (!all_alike(asked))
		print_block(asked, "exporter: ", to);
	for (unsigned int i = 0; i < answers->nr; i++)
		if (answers->side[i].answer->verdict == CONFORMANCE_FAILED)
			fprintf(to, "  %-*sFAILED %s\n", TITLE_COLUMNS, answers->side[i].title,
				answers->side[i].answer->text);
	print_why(answers, &c->otherwise, to);
	print_why(answers, &c->also, to);
	if (wrong)
		fprintf(to, "  WRONG: %s\n", wrong);
}

/* Case @i, as each column says it; CM1 says whose askings count. */
static void fill_rows(const struct conformance_column *columns, unsigned int nr, unsigned int i,
		      struct row *answers, struct row *asked)
{
	*answers = *asked = (struct row){};
	for (unsigned int j = 0; j < nr; j++) {
		const struct conformance_answer *answer = &columns[j].answer[i];
		bool skipped = answer->verdict == CONFORMANCE_SKIPPED;
		struct side side = { columns[j].title, columns[j].core, answer };

		BUG_ON(columns[j].nr != columns->nr);
		side.text = skipped ? NULL : answer->answers;
		answers->side[answers->nr++] = side;
		side.text = answer->asked;
		if (!skipped && columns[j].core != OURS_CACHED)
			asked->side[asked->nr++] = side;
	}
}

unsigned int conformance_compare(const struct conformance_column *columns, unsigned int nr,
				 FILE *to)
{
	unsigned int same = 0, wrong_cases = 0;

	BUG_ON(!nr || nr > CONFORMANCE_COLUMNS);
	for (unsigned int i = 0; i < columns->nr; i++) {
		struct row answers, asked;
		const char *wrong;

		fill_rows(columns, nr, i, &answers, &asked);
		wrong = wrong_with(&answers, &asked);
		wrong_cases += wrong != NULL;
		if (all_alike(&answers) && all_alike(&asked) && !wrong)
			same++;
		else
			print_case(&answers, &asked, wrong, to);
	}
	fprintf(to, "\n%u cases: %u answered alike by all, %u not, %u of them without a reason\n",
		columns->nr, same, columns->nr - same, wrong_cases);
	return wrong_cases;
}
