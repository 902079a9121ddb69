/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Runs a fuzzer over kept inputs without a fuzzing engine: each file of the
 * folders named as arguments, or of $TOP_SRCDIR/t/fuzz/corpus/<name of this
 * program>, is one test. A crash is then a missing test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_tests;
static int n_failed;

static void report(int passed, const char *name)
{
	n_tests++;
	n_failed += !passed;
	printf("%s %d - %s is survived\n", passed ? "ok" : "not ok", n_tests,
	    name);
	(void)fflush(stdout); /* the next input may end the process */
}

/* All bytes of a regular file (free()), or NULL. */
static uint8_t *read_file(const char *path, size_t *size)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	if (!f)
		return NULL;

	if (!fstat(fileno(f), &st) && S_ISREG(st.st_mode)) {
		*size = (size_t)st.st_size;
		data = malloc(*size ? *size : 1);
		if (data && fread(data, 1, *size, f) != *size) {
			free(data);
			data = NULL;
		}
	}
	(void)fclose(f); /* only read */
	return data;
}

static void replay_file(const char *folder, const char *name)
{
	char path[4096];
	size_t size = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	uint8_t *data = read_file(path, &size);
	if (data)
		(void)LLVMFuzzerTestOneInput(data, size); /* always 0 */
	report(data != NULL, name);
	free(data);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_input, alphasort);

	if (n <= 0) {
		printf("# no inputs in %s\n", folder);
		report(0, folder);
	}
	for (int i = 0; i < n; i++) {
		replay_file(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/*
 * The corpus that bears the program's name, without libtool's "lt-" or a
 * suffix.
 */
static void replay_own(const char *program)
{
	char folder[4096];
	const char *top = getenv("TOP_SRCDIR");
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	if (!strncmp(name, "lt-", 3))
		name += 3;
	(void)snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%.*s",
	    top ? top : ".", (int)strcspn(name, "."), name);
	replay_folder(folder);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay_folder(argv[i]);
	if (argc < 2)
		replay_own(argv[0]);
	printf("1..%d\n", n_tests);
	return n_failed ? 1 : 0;
}
