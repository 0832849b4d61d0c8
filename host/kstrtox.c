/* SPDX-License-Identifier: MIT */
/* kstrtox.c - digits to numbers, and nothing but digits */
#include <ctype.h>
#include <linux/errno.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* Digits of the largest number, its sign, "0x", a newline and the end, in any base we are asked. */
#define LONGEST 72

static const char *skip_prefix(const char *s, unsigned int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && isxdigit((unsigned char)s[2]);

	if (*base == 0)
		*base = hex ? 16 : s[0] == '0' ? 8 : 10;
	return hex && *base == 16 ? s + 2 : s;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : UINT_MAX;
}

static int parse(const char *s, unsigned int base, unsigned long long *res)
{
	unsigned long long value = 0;
	const char *first;
	bool over = false;

	first = s = skip_prefix(s, &base);
	for (; digit_value(*s) < base; s++)
		over |= check_mul_overflow(value, (unsigned long long)base, &value) ||
			check_add_overflow(value, (unsigned long long)digit_value(*s), &value);
	if (s == first)
		return -EINVAL;
	if (*s == '\n')
		s++;
	if (*s)
		return -EINVAL;
	if (over)
		return -ERANGE;
	*res = value;
	return 0;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *res)
{
	return parse(*s == '+' ? s + 1 : s, base, res);
}

int kstrtoll(const char *s, unsigned int base, long long *res)
{
	bool negative = *s == '-';
	unsigned long long value;
	int ret = parse(*s == '-' || *s == '+' ? s + 1 : s, base, &value);

	if (ret)
		return ret;
	if (value > (unsigned long long)LLONG_MAX + negative)
		return -ERANGE;
	*res = negative ? (long long)-value : (long long)value;
	return 0;
}

static int parse_up_to(const char *s, unsigned int base, unsigned long long max,
		       unsigned long long *value)
{
	int ret = kstrtoull(s, base, value);

	return ret ?: *value > max ? -ERANGE : 0;
}

#define UNSIGNED(name, type, max)                             \
	int name(const char *s, unsigned int base, type *res) \
	{                                                     \
		unsigned long long value;                     \
		int ret = parse_up_to(s, base, max, &value);  \
                                                              \
		if (!ret)                                     \
			*res = (type)value;                   \
		return ret;                                   \
	}

UNSIGNED(kstrtoul, unsigned long, ULONG_MAX)
UNSIGNED(kstrtouint, unsigned int, UINT_MAX)
UNSIGNED(kstrtou16, u16, U16_MAX)
UNSIGNED(kstrtou8, u8, U8_MAX)

static int parse_between(const char *s, unsigned int base, long long min, long long max,
			 long long *value)
{
	int ret = kstrtoll(s, base, value);

	return ret ?: *value < min || *value > max ? -ERANGE : 0;
}

#define SIGNED(name, type, min, max)                                \
	int name(const char *s, unsigned int base, type *res)       \
	{                                                           \
		long long value;                                    \
		int ret = parse_between(s, base, min, max, &value); \
                                                                    \
		if (!ret)                                           \
			*res = (type)value;                         \
		return ret;                                         \
	}

SIGNED(kstrtol, long, LONG_MIN, LONG_MAX)
SIGNED(kstrtoint, int, INT_MIN, INT_MAX)

int kstrtobool(const char *s, bool *res)
{
	if (!s || !*s)
		return -EINVAL;
	if (strchr("yYtT1", s[0]))
		*res = true;
	else if (strchr("nNfF0", s[0]))
		*res = false;
	else if ((s[0] | 0x20) == 'o' && (s[1] | 0x20) == 'n')
		*res = true;
	else if ((s[0] | 0x20) == 'o' && (s[1] | 0x20) == 'f')
		*res = false;
	else
		return -EINVAL;
	return 0;
}

static int fetch(char text[LONGEST], const char __user *s, size_t len)
{
	len = min_t(size_t, len, LONGEST - 1);
	if (copy_from_user(text, s, len))
		return -EFAULT;
	text[len] = '\0';
	return 0;
}

int kstrtoull_from_user(const char __user *s, size_t len, unsigned int base,
			unsigned long long *res)
{
	char text[LONGEST];

	return fetch(text, s, len) ?: kstrtoull(text, base, res);
}

int kstrtoll_from_user(const char __user *s, size_t len, unsigned int base, long long *res)
{
	char text[LONGEST];

	return fetch(text, s, len) ?: kstrtoll(text, base, res);
}

int kstrtouint_from_user(const char __user *s, size_t len, unsigned int base, unsigned int *res)
{
	char text[LONGEST];

	return fetch(text, s, len) ?: kstrtouint(text, base, res);
}

int kstrtobool_from_user(const char __user *s, size_t len, bool *res)
{
	char text[LONGEST];

	return fetch(text, s, len) ?: kstrtobool(text, res);
}
