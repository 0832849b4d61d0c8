/* SPDX-License-Identifier: MIT */
/* What is a number and what is not. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include "tests/ktap.h"

static void unsigned_numbers(struct ktap *t)
{
	static const struct {
		const char *text;
		unsigned int base;
		int ret;
		unsigned long long value;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "42\n", 0, 0, 42 },
		{ "+7", 10, 0, 7 },
		{ "0x1F", 0, 0, 31 },
		{ "1f", 16, 0, 31 },
		{ "0X1f", 16, 0, 31 },
		{ "017", 0, 0, 15 },
		{ "017", 10, 0, 17 },
		{ "18446744073709551615", 0, 0, ULLONG_MAX },
		{ "18446744073709551616", 0, -ERANGE, 0 },
		{ "99999999999999999999999x", 0, -EINVAL, 0 },
		{ "", 0, -EINVAL, 0 },
		{ "\n", 0, -EINVAL, 0 },
		{ "0x", 0, -EINVAL, 0 },
		{ "-1", 0, -EINVAL, 0 },
		{ "+-1", 0, -EINVAL, 0 },
		{ " 1", 0, -EINVAL, 0 },
		{ "1 ", 0, -EINVAL, 0 },
		{ "1\n\n", 0, -EINVAL, 0 },
		{ "08", 0, -EINVAL, 0 },
		{ "12", 2, -EINVAL, 0 },
	};

	for (int i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long long value = 99;

		KT_EQ(t, kstrtoull(cases[i].text, cases[i].base, &value), cases[i].ret);
		KT_CHECK(t, value == (cases[i].ret ? 99 : cases[i].value));
	}
}

static void signed_numbers(struct ktap *t)
{
	long long value;

	KT_EQ(t, kstrtoll("-9223372036854775808", 0, &value), 0);
	KT_CHECK(t, value == LLONG_MIN);
	KT_EQ(t, kstrtoll("9223372036854775807", 0, &value), 0);
	KT_EQ(t, kstrtoll("9223372036854775808", 0, &value), -ERANGE);
	KT_EQ(t, kstrtoll("-9223372036854775809", 0, &value), -ERANGE);
	KT_EQ(t, kstrtoll("--1", 0, &value), -EINVAL);
	KT_EQ(t, kstrtoll("-0x10", 0, &value), 0);
	KT_EQ(t, value, -16);
}

static void narrow_types_have_narrow_ranges(struct ktap *t)
{
	u8 byte = 1;
	u16 half = 1;
	unsigned int word = 1;
	int number = 1;

	KT_EQ(t, kstrtou8("256", 0, &byte), -ERANGE);
	KT_EQ(t, byte, 1);
	KT_EQ(t, kstrtou8("255", 0, &byte), 0);
	KT_EQ(t, byte, 255);
	KT_EQ(t, kstrtou16("0xffff", 0, &half), 0);
	KT_EQ(t, half, 0xffff);
	KT_EQ(t, kstrtouint("4294967296", 0, &word), -ERANGE);
	KT_EQ(t, kstrtouint("4294967295", 0, &word), 0);
	KT_EQ(t, word, UINT_MAX);
	KT_EQ(t, kstrtoint("-2147483649", 0, &number), -ERANGE);
	KT_EQ(t, kstrtoint("-2147483648", 0, &number), 0);
	KT_EQ(t, number, INT_MIN);
}

static void booleans(struct ktap *t)
{
	static const char *const yes[] = { "y", "Yes", "1", "on", "ON", "true" };
	static const char *const no[] = { "n", "No", "0\n", "off", "OFF", "false" };
	bool b;

	for (int i = 0; i < ARRAY_SIZE(yes); i++) {
		b = false;
		KT_CHECK(t, kstrtobool(yes[i], &b) == 0 && b);
		KT_CHECK(t, kstrtobool(no[i], &b) == 0 && !b);
	}
	KT_EQ(t, kstrtobool("maybe", &b), -EINVAL);
	KT_EQ(t, kstrtobool("o", &b), -EINVAL);
	KT_EQ(t, kstrtobool("", &b), -EINVAL);
	KT_EQ(t, kstrtobool(NULL, &b), -EINVAL);
}

static void from_user(struct ktap *t)
{
	unsigned long long value;
	char digits[200];
	bool b;

	KT_EQ(t, kstrtoull_from_user("123456", 3, 10, &value), 0);
	KT_EQ(t, value, 123);
	KT_EQ(t, kstrtobool_from_user("no", 2, &b), 0);
	KT_EQ(t, b, false);
	memset(digits, '1', sizeof(digits));
	KT_EQ(t, kstrtoull_from_user(digits, sizeof(digits), 2, &value), -ERANGE);
}

KTAP_MAIN(KTAP_CASE(unsigned_numbers), KTAP_CASE(signed_numbers),
	  KTAP_CASE(narrow_types_have_narrow_ranges), KTAP_CASE(booleans), KTAP_CASE(from_user))
