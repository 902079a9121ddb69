/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/output.h"

#include "base/buf.h"
#include "cli/safe.h"

#include <stdio.h>
#include <unistd.h>

static bool is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

static void write_line(struct buf *line)
{
	if (!line->len || line->data[line->len - 1] != '\n')
		buf_char(line, '\n');
	/* output_flush() tells of errors. */
	(void)fwrite(line->data, 1, line->len, stdout);
	(void)fflush(stdout);
	buf_fini(line);
}

void output_text(const char *text, size_t len)
{
	struct buf line = {0};

	if (is_terminal())
		safe_text(&line, text, len);
	else
		buf_append(&line, text, len);
	write_line(&line);
}

void output_json(const char *json, size_t len)
{
	struct buf line = {0};

	if (is_terminal()) {
		safe_json(&line, json, len);
	} else {
		buf_append(&line, json, len);
		/* Between values only: in strings they are escaped. */
		for (size_t i = 0; i < line.len; i++)
			if (line.data[i] == '\n' || line.data[i] == '\r')
				line.data[i] = ' ';
	}
	write_line(&line);
}

void output_end(const struct co_result *result)
{
	struct buf json = {0};

	if (result->json_len) {
		output_json(result->json, result->json_len);
		return;
	}
	buf_str(&json, "{\"type\":\"ERROR\",\"code\":");
	buf_json_str(&json, co_code_name(result->code));
	buf_str(&json, ",\"message\":");
	buf_json(&json, result->text, result->text_len);
	buf_char(&json, '}');
	output_json(json.data, json.len);
	buf_fini(&json);
}

bool output_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}
