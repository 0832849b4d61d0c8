/* SPDX-License-Identifier: MIT */
/* rules.c - see rules.h */
#include <string.h>

#include "checker/check/rules.h"

#define RULE(kind, number, category, meaning, source) \
	{ #kind "-" #number, category, meaning, source },
const struct check_rule_words check_rules[CHECK_RULES] = {
#include "checker/check/rules.def"
};
#undef RULE

#define RULE(kind, number, category, meaning, source)
#define ADVICE(kind, number, advice) [CHECK_##kind##_##number] = (advice),
const char *const check_advice[CHECK_RULES] = {
#include "checker/check/rules.def"
};

enum check_rule check_rule_find(const char *id)
{
	enum check_rule rule = 0;

	while (rule < CHECK_RULES && strcmp(check_rules[rule].id, id))
		rule++;
	return rule;
}
