/* SPDX-License-Identifier: MIT */
/* lacks.c - see lacks.h */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checker/check/lacks.h"

#define SAY "dmabuf check: "

struct lack *lacks_add(struct lacks *lacks, enum lack_kind kind, const char *name, const char *who)
{
	struct lack *lack;

	for (size_t i = 0; i < lacks->nr; i++)
		if (!strcmp(lacks->lack[i].name, name))
			return &lacks->lack[i];
	lacks->lack = reallocarray(lacks->lack, lacks->nr + 1, sizeof(*lack));
	if (!lacks->lack) {
		fprintf(stderr, SAY "%s\n", strerror(ENOMEM));
		exit(2);
	}
	lack = &lacks->lack[lacks->nr++];
	*lack = (struct lack){
		.kind = kind,
		.name = words_format("%s", name),
		.who = words_format("%s", who),
	};
	return lack;
}

void lacks_free(struct lacks *lacks)
{
	for (size_t i = 0; i < lacks->nr; i++) {
		free(lacks->lack[i].name);
		free(lacks->lack[i].who);
		words_free(&lacks->lack[i].members);
	}
	free(lacks->lack);
	*lacks = (struct lacks){};
}

/* --- the driver's text, where a message points ------------------------------------------------ */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A message, and what it is about. */
struct message {
	const char *text; /* behind "error: " */
	size_t length;
	char *path; /* where it is in the driver, or NULL */
	unsigned long line, column;
	char *source;  /* that line, or "" */
	bool expanded; /* in a macro of ours, of which this is the call */
};

static char *line_of(const char *path, unsigned long number)
{
	char *text = words_file(path), *line = text, *copy;

	while (line && --number) {
		line = strchr(line, '\n');
		line += !!line;
	}
	copy = words_format("%.*s", line ? (int)(strchrnul(line, '\n') - line) : 0, line ?: "");
	free(text);
	return copy;
}

/* The word that ends at @at or, behind a bracket, before it; "" where there is none. */
static char *word_before(const struct message *message, bool *called)
{
	const char *start = message->source;
	size_t end = message->column - 1, begin;

	if (end > strlen(start))
		end = strlen(start);
	*called = false;
	while (end && (isspace((unsigned char)start[end - 1]) || start[end - 1] == '(')) {
		*called |= start[end - 1] == '(';
		end--;
	}
	begin = end;
	while (begin && is_word(start[begin - 1]))
		begin--;
	return words_format("%.*s", (int)(end - begin), start + begin);
}

/* The member behind the -> or . at @column; "" where there is none. */
static char *member_at(const struct message *message)
{
	const char *at = message->source;
	int length = 0;

	if (message->column > strlen(at))
		return words_format("%s", "");
	at += message->column - 1;
	at += !strncmp(at, "->", 2) ? 2 : *at == '.';
	while (is_word(at[length]))
		length++;
	return words_format("%.*s", at[-1] == '>' || at[-1] == '.' ? length : 0, at);
}

/* The last "struct NAME" of the line that begins before the column, or "". */
static char *tagged_type_before(const struct message *message)
{
	static const char *const tags[] = { "struct ", "union ", "enum " };
	size_t limit = message->column, best = 0;
	const char *found = "";
	int length = 0;

	for (size_t t = 0; t < 3; t++) {
		for (const char *at = message->source; (at = strstr(at, tags[t])); at++) {
			size_t offset = at - message->source;

			if (offset > limit || offset < best || (offset && is_word(at[-1])))
				continue;
			best = offset;
			found = at;
		}
	}
	if (*found) {
		length = strcspn(found, " ") + 1;
		while (is_word(found[length]))
			length++;
	}
	return words_format("%.*s", length, found);
}

/* --- messages --------------------------------------------------------------------------------- */

/* What stands between @before and a quote in the message, or NULL. The caller's to free. */
static char *quoted(const struct message *message, const char *before)
{
	const char *found = memmem(message->text, message->length, before, strlen(before));
	const char *end;

	if (!found)
		return NULL;
	found += strlen(before);
	end = memchr(found, '\'', message->text + message->length - found);
	return end ? words_format("%.*s", (int)(end - found), found) : NULL;
}

/* Without qualifiers: "const struct x *" is "struct x". */
static const char *plain(char *type)
{
	static const char *const qualifiers[] = { "const ", "volatile " };

	for (size_t q = 0; q < 2; q++)
		if (!strncmp(type, qualifiers[q], strlen(qualifiers[q])))
			return plain(type + strlen(qualifiers[q]));
	type[strcspn(type, "*[")] = '\0';
	while (*type && type[strlen(type) - 1] == ' ')
		type[strlen(type) - 1] = '\0';
	return type;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static bool is_tagged(const char *type)
{
	return starts_with(type, "struct ") || starts_with(type, "union ") ||
	       starts_with(type, "enum ");
}

static void add(struct lacks *lacks, enum lack_kind kind, const struct message *message,
		const char *name, const char *member)
{
	char *who = words_format("%s:%lu", message->path, message->line);
	struct lack *lack = lacks_add(lacks, kind, name, who);

	if (member && *member && !words_have(&lack->members, member))
		words_add(&lack->members, "%s", member);
	free(who);
}

/* A kind that one quoted name tells. */
static bool read_name(struct lacks *lacks, const struct message *message)
{
	static const struct {
		const char *before;
		enum lack_kind kind;
	} rows[] = {
		{ "unknown type name '", LACKS_TYPE },
		{ "implicit declaration of function '", LACKS_FUNCTION },
		{ "type defaults to 'int' in declaration of '", LACKS_MACRO },
		{ "use of undeclared identifier '", LACKS_NAME },
	};
	char *name;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		name = quoted(message, rows[i].before);
		if (!name)
			continue;
		add(lacks, rows[i].kind, message, name, NULL);
		free(name);
		return true;
	}
	if (*message->text != '\'' || !memmem(message->text, message->length, "' undeclared", 12))
		return false;
	name = quoted(message, "'");
	/* A macro of ours that could not be expanded has names of its own. */
	if (!message->expanded || strstr(message->source, name))
		add(lacks, LACKS_NAME, message, name, NULL);
	free(name);
	return true;
}

static bool read_member(struct lacks *lacks, const struct message *message)
{
	static const struct {
		const char *type, *member;
	} rows[] = {
		{ "'", "' has no member named '" },
		{ "' in '", "no member named '" },
		{ "does not refer to any field in type '", "field designator '" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *type = quoted(message, rows[i].type),
		     *member = quoted(message, rows[i].member);
		bool found = type && member;

		if (found)
			add(lacks, LACKS_TYPE, message, plain(type), member);
		free(type);
		free(member);
		if (found)
			return true;
	}
	return false;
}

static bool read_incomplete(struct lacks *lacks, const struct message *message)
{
	static const char *const parts[] = { "undefined type '", "incomplete type '",
					     "incomplete element type '", "definition of type '" };
	static const char *const unquoted[] = { "incomplete type", "storage size of" };
	char *type = NULL, *member;
	bool found = false;

	for (size_t i = 0; !type && i < sizeof(parts) / sizeof(*parts); i++)
		type = quoted(message, parts[i]);
	for (size_t i = 0; !type && i < sizeof(unquoted) / sizeof(*unquoted); i++)
		if (memmem(message->text, message->length, unquoted[i], strlen(unquoted[i])))
			type = tagged_type_before(message);
	if (type && is_tagged(plain(type))) {
		member = member_at(message);
		add(lacks, LACKS_TYPE, message, plain(type), member);
		free(member);
		found = true;
	}
	free(type);
	return found;
}

/* The word before the brackets that end at the column, or "". */
static char *loop_before(const struct message *message)
{
	const char *start = message->source;
	size_t end = strlen(start), begin;
	unsigned int depth = 0;

	end = message->column < end ? message->column : end;
	while (end && start[end - 1] != ')')
		end--;
	while (end) {
		depth += start[end - 1] == ')';
		depth -= start[end - 1] == '(';
		end--;
		if (!depth)
			break;
	}
	begin = end;
	while (begin && is_word(start[begin - 1]))
		begin--;
	return words_format("%.*s", (int)(end - begin), start + begin);
}

/* for_each_something() { } has been taken for a call of a function. */
static bool read_loop(struct lacks *lacks, const struct message *message)
{
	bool found = false;
	char *word;

	if (!memmem(message->text, message->length, "expected ';' ", 13))
		return false;
	word = loop_before(message);
	for (size_t i = 0; i < lacks->nr; i++) {
		if (lacks->lack[i].kind != LACKS_FUNCTION || strcmp(lacks->lack[i].name, word))
			continue;
		lacks->lack[i].kind = LACKS_LOOP;
		found = true;
	}
	free(word);
	return found;
}

/* What cannot be read begins with a word that should have been a macro. */
static void read_unparsed(struct lacks *lacks, const struct message *message)
{
	bool called;
	char *word;

	if (read_loop(lacks, message))
		return;
	if (memmem(message->text, message->length, "type specifier missing", 22)) {
		word = words_format("%.*s", (int)strcspn(message->source, "(; \t"),
				    message->source);
		called = message->source[strlen(word)] == '(';
	} else if (memmem(message->text, message->length, "expected ", 9)) {
		word = word_before(message, &called);
	} else {
		return;
	}
	if (*word && !isdigit((unsigned char)*word) && called)
		add(lacks, LACKS_MACRO, message, word, NULL);
	free(word);
}

static bool is_capital(const char *name)
{
	for (; *name; name++)
		if (islower((unsigned char)*name))
			return false;
	return true;
}

/* DEFINE_SOMETHING(name) would have declared @name. */
static bool would_be_declared(const struct lacks *lacks, const struct lack *lack)
{
	const char *colon = strrchr(lack->who, ':');
	char *path = words_format("%.*s", (int)(colon - lack->who), lack->who);
	char *text = words_file(path);
	bool declared = false;

	for (size_t i = 0; text && !declared && i < lacks->nr; i++) {
		const struct lack *macro = &lacks->lack[i];
		char *call = words_format("%s(", macro->name);

		if ((macro->kind != LACKS_MACRO && macro->kind != LACKS_FUNCTION) ||
		    !is_capital(macro->name))
			goto next;
		for (const char *at = text; !declared && (at = strstr(at, call)); at++) {
			const char *end = strchrnul(at, ')'), *name = at;
			size_t length = strlen(lack->name);

			while (!declared && (name = strstr(name + 1, lack->name)) && name < end)
				declared = !is_word(name[-1]) && !is_word(name[length]);
		}
next:
		free(call);
	}
	free(text);
	free(path);
	return declared;
}

static void drop_declared(struct lacks *lacks)
{
	for (size_t i = 0; i < lacks->nr;) {
		struct lack *lack = &lacks->lack[i];

		if (lack->kind != LACKS_NAME || is_capital(lack->name) ||
		    !would_be_declared(lacks, lack)) {
			i++;
			continue;
		}
		free(lack->name);
		free(lack->who);
		words_free(&lack->members);
		*lack = lacks->lack[--lacks->nr];
	}
}

/* Splits "PATH:LINE:COLUMN: KIND: TEXT"; false for any other line. */
static bool parse(struct message *message, const char *line, const char *kind)
{
	const char *end = strchrnul(line, '\n');
	const char *at = memmem(line, end - line, kind, strlen(kind)), *colon;
	char *rest;

	if (!at || at == line)
		return false;
	for (colon = line; colon < at && (*colon != ':' || !isdigit((unsigned char)colon[1]));)
		colon++;
	if (colon == at)
		return false;
	message->line = strtoul(colon + 1, &rest, 10);
	message->column = *rest == ':' ? strtoul(rest + 1, NULL, 10) : 0;
	message->path = words_format("%.*s", (int)(colon - line), line);
	message->text = at + strlen(kind);
	message->length = end - message->text;
	return message->line && message->column;
}

static bool is_ours(const char *path, const struct words *ours)
{
	for (size_t i = 0; i < ours->nr; i++)
		if (starts_with(path, ours->word[i]))
			return true;
	return false;
}

/* An error within a macro of ours is the driver's where that macro is expanded. */
static bool place(struct message *message, const char *line, const struct words *ours)
{
	while (is_ours(message->path, ours)) {
		struct message note = {};

		line = strchr(line, '\n');
		if (!line)
			return false;
		line++;
		if (!parse(&note, line, ": note: ")) {
			free(note.path);
			if (*line == ' ' && line[1])
				continue;
			return false;
		}
		free(message->path);
		message->path = note.path;
		message->expanded = true;
		message->line = note.line;
		message->column = note.column;
	}
	return true;
}

void lacks_read(struct lacks *lacks, const char *messages, const struct words *ours)
{
	for (const char *line = messages; *line; line += !!*line) {
		struct message message = {};

		if (parse(&message, line, ": error: ") && place(&message, line, ours)) {
			message.source = line_of(message.path, message.line);
			if (!read_name(lacks, &message) && !read_member(lacks, &message) &&
			    !read_incomplete(lacks, &message))
				read_unparsed(lacks, &message);
			free(message.source);
		}
		free(message.path);
		line = strchrnul(line, '\n');
	}
	drop_declared(lacks);
}

void lacks_stand_in(const struct lacks *lacks, FILE *header)
{
	for (size_t i = 0; i < lacks->nr; i++) {
		const struct lack *lack = &lacks->lack[i];

		if (lack->kind == LACKS_TYPE && !is_tagged(lack->name))
			fprintf(header, "typedef struct { int unknown; } %s;\n", lack->name);
		else if (lack->kind == LACKS_MACRO)
			fprintf(header, "#define %s(...)\n", lack->name);
		else if (lack->kind == LACKS_LOOP)
			fprintf(header, "#define %s(...) for (;;)\n", lack->name);
	}
}
