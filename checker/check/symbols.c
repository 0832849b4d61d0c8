/* SPDX-License-Identifier: MIT */
/*
 * symbols.c - see symbols.h
 *
 * Every offset of the file is checked before it is followed: it may be anything.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/symbols.h"

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#endif

#define LABEL "ldb_"

struct file {
	const unsigned char *bytes;
	size_t size;
};

/* @count things of @bytes each at @offset, or NULL where the file does not have them all */
static const void *part(const struct file *file, uint64_t offset, uint64_t count, uint64_t bytes)
{
	if (offset > file->size || count > (file->size - offset) / bytes || offset % 8)
		return NULL;
	return file->bytes + offset;
}

static const char *string(const struct file *file, const Elf64_Shdr *strings, uint64_t at)
{
	if (strings->sh_offset > file->size || strings->sh_size > file->size - strings->sh_offset ||
	    at >= strings->sh_size)
		return NULL;
	if (!memchr(file->bytes + strings->sh_offset + at, 0, strings->sh_size - at))
		return NULL;
	return (const char *)file->bytes + strings->sh_offset + at;
}

static void add_symbol(struct symbols *symbols, const Elf64_Sym *symbol, const char *name)
{
	unsigned int visibility = ELF64_ST_VISIBILITY(symbol->st_other);
	unsigned int binding = ELF64_ST_BIND(symbol->st_info);

	if (!strncmp(name, LABEL, strlen(LABEL)))
		name += strlen(LABEL);
	if (!*name || binding == STB_LOCAL)
		return;
	if (symbol->st_shndx == SHN_UNDEF) {
		if (binding != STB_WEAK)
			words_add(&symbols->needed, "%s", name);
	} else if (visibility == STV_DEFAULT || visibility == STV_PROTECTED) {
		words_add(&symbols->given, "%s", name);
	}
}

static bool read_symbols(struct symbols *symbols, const struct file *file, const Elf64_Shdr *table,
			 const Elf64_Shdr *strings)
{
	const Elf64_Sym *symbol =
		part(file, table->sh_offset, table->sh_size / sizeof(*symbol), sizeof(*symbol));

	for (uint64_t i = 1; symbol && i < table->sh_size / sizeof(*symbol); i++) {
		const char *name = string(file, strings, symbol[i].st_name);

		if (!name)
			return false;
		add_symbol(symbols, &symbol[i], name);
	}
	return symbol;
}

static bool read_libraries(struct symbols *symbols, const struct file *file,
			   const Elf64_Shdr *table, const Elf64_Shdr *strings)
{
	const Elf64_Dyn *entry =
		part(file, table->sh_offset, table->sh_size / sizeof(*entry), sizeof(*entry));

	for (uint64_t i = 0; entry && i < table->sh_size / sizeof(*entry); i++) {
		const char *name;

		if (entry[i].d_tag == DT_NULL)
			break;
		if (entry[i].d_tag != DT_NEEDED)
			continue;
		name = string(file, strings, entry[i].d_un.d_val);
		if (!name)
			return false;
		words_add(&symbols->libraries, "%s", name);
	}
	return entry;
}

static const char *read_file(struct symbols *symbols, const struct file *file)
{
	const Elf64_Ehdr *head = part(file, 0, 1, sizeof(*head));
	const Elf64_Shdr *section;
	bool found = false;

	if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) ||
	    head->e_ident[EI_CLASS] != ELFCLASS64)
		return "no shared object (ELF, 64 bits)";
	if (head->e_machine != THIS_MACHINE || head->e_ident[EI_DATA] != ELFDATA2LSB)
		return "a shared object, but for another machine than this one";
	if (head->e_type != ET_DYN)
		return "no shared object: an object file or a program (cc -shared makes one)";
	section = part(file, head->e_shoff, head->e_shnum, sizeof(*section));
	for (unsigned int i = 0; section && i < head->e_shnum; i++) {
		const Elf64_Shdr *table = &section[i];
		bool good;

		if (table->sh_type != SHT_DYNSYM && table->sh_type != SHT_DYNAMIC)
			continue;
		if (table->sh_link >= head->e_shnum)
			return "a shared object cut short, or damaged";
		if (table->sh_type == SHT_DYNSYM)
			good = read_symbols(symbols, file, table, &section[table->sh_link]);
		else
			good = read_libraries(symbols, file, table, &section[table->sh_link]);
		if (!good)
			return "a shared object cut short, or damaged";
		found |= table->sh_type == SHT_DYNSYM;
	}
	return found ? NULL : "a shared object cut short, or damaged";
}

const char *symbols_read(struct symbols *symbols, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *wrong = NULL;
	struct file file;
	struct stat stat;
	void *bytes;

	*symbols = (struct symbols){};
	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &stat)) {
		wrong = strerror(errno);
		goto close;
	}
	if (!S_ISREG(stat.st_mode) || !stat.st_size) {
		wrong = S_ISREG(stat.st_mode) ? "empty" : "no file";
		goto close;
	}
	bytes = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		wrong = strerror(errno);
		goto close;
	}
	file = (struct file){ bytes, stat.st_size };
	wrong = read_file(symbols, &file);
	munmap(bytes, stat.st_size);
close:
	close(fd);
	return wrong;
}

void symbols_lacking(const struct symbols *symbols, const struct words *given,
		     struct words *lacking)
{
	static const char *const sanitizers[] = { "__asan_", "__ubsan_", "__sanitizer_",
						  "__lsan_" };
	/* Not RTLD_DEFAULT: this program's other libraries have names of the kernel's (zlib: crc32). */
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < symbols->needed.nr; i++) {
		const char *name = symbols->needed.word[i];
		size_t s = 0;

		while (s < 4 && strncmp(name, sanitizers[s], strlen(sanitizers[s])))
			s++;
		if (s == 4 && !words_have(given, name) && !(libc && dlsym(libc, name)))
			words_add(lacking, "%s", name);
	}
	if (libc)
		dlclose(libc);
}

void symbols_free(struct symbols *symbols)
{
	words_free(&symbols->needed);
	words_free(&symbols->given);
	words_free(&symbols->libraries);
}
