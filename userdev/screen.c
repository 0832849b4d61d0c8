/* SPDX-License-Identifier: MIT */
/*
 * screen.c - the only program of a virtual machine: draws on its screen, a picture for each line that
 * is sent to its console
 *
 * Picture N has the value N * 31 + 7 * y + x in each byte, x counted in bytes from the left; a byte
 * that is no colour has it, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* Those that /modules/order names, a line each. */
static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char name[64], path[96];

	while (order && fscanf(order, "%63s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			printf("loading %s: %s\n", name, strerror(errno));
		close(fd);
	}
}

static int draw(int screen, const struct fb_var_screeninfo *size, unsigned int stride,
		unsigned int number)
{
	uint8_t *row = malloc(stride);
	int ret = row ? 0 : -1;

	for (unsigned int y = 0; !ret && y < size->yres; y++) {
		for (unsigned int x = 0; x < stride; x++)
			row[x] = number * 31 + 7 * y + x;
		ret = pwrite(screen, row, stride, (off_t)y * stride) == (ssize_t)stride ? 0 : -1;
	}
	free(row);
	return ret;
}

static void show(void)
{
	struct fb_var_screeninfo size;
	struct fb_fix_screeninfo fixed;
	int screen = open("/dev/fb0", O_RDWR | O_CLOEXEC);
	unsigned int number = 0;
	char line[16];

	if (screen < 0 || ioctl(screen, FBIOGET_VSCREENINFO, &size) ||
	    ioctl(screen, FBIOGET_FSCREENINFO, &fixed)) {
		printf("no screen: %s\n", strerror(errno));
		return;
	}
	do {
		if (draw(screen, &size, fixed.line_length, number)) {
			printf("drawing: %s\n", strerror(errno));
			return;
		}
		printf("picture %u of %ux%u\n", number++, size.xres, size.yres);
	} while (fgets(line, sizeof(line), stdin) && *line != 'e');
}

int main(void)
{
	struct termios plain;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!tcgetattr(0, &plain)) {
		plain.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(0, TCSANOW, &plain);
	}
	load_modules();
	show();
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
