/* SPDX-License-Identifier: MIT */
/*
 * rules.h - the rules of rules.def as numbers and words
 */
#ifndef CHECKER_CHECK_RULES_H
#define CHECKER_CHECK_RULES_H

#define RULE(kind, number, category, meaning, source) CHECK_##kind##_##number,
enum check_rule {
#include "checker/check/rules.def"
	CHECK_RULES
};
#undef RULE

struct check_rule_words {
	const char *id;       /* "LOCK-01" */
	const char *category; /* "lock context" */
	const char *meaning;  /* what holds of a driver that keeps it */
	const char *source;   /* where Linux says so */
};

extern const struct check_rule_words check_rules[CHECK_RULES];

/* What to do to keep it; NULL where the meaning says so. */
extern const char *const check_advice[CHECK_RULES];

/** check_rule_find - the rule of this id, or CHECK_RULES */
enum check_rule check_rule_find(const char *id);

#endif
