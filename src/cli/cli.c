/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/cli.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "cli/editor.h"
#include "cli/interrupts.h"
#include "cli/output.h"
#include "cli/read_file.h"
#include "cli/session_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHY_SIZE 1024

/* ---- keys ---- */

static bool has_key_in(const char *folder)
{
	struct buf path = {0};

	if (!folder)
		return false;
	buf_printf(&path, "%s/.co/keys/agent.key", folder);
	bool is_there = access(buf_cstr(&path), F_OK) == 0;
	buf_fini(&path);
	return is_there;
}

/* 32 bytes, as in .co/keys/agent.key, or the same as hex digits. */
static bool parse_key(unsigned char key[32], const struct buf *text)
{
	size_t n = text->len;

	if (n == 32) {
		memcpy(key, text->data, 32);
		return true;
	}
	while (n && (text->data[n - 1] == '\n' || text->data[n - 1] == '\r'))
		n--;
	return n == 64 && enc_unhex(key, text->data, 32);
}

static bool take_key(struct cli *cli)
{
	struct buf text = {0};
	char why[WHY_SIZE];
	const char *path = cli->options->key_file;

	if (!path)
		return true;
	if (!read_key_file(path, 4096, &text, why, sizeof why))
		screen_fail(&cli->screen, "%s", why);
	else if (!(cli->has_key = parse_key(cli->key, &text)))
		screen_fail(&cli->screen,
		    "%s is no key: 32 bytes, or 64 hex digits", path);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_fini(&text);
	return cli->has_key;
}

/* The seed for the library, or NULL: it looks for one itself. */
static const unsigned char *key_of(const struct cli *cli)
{
	const struct cli_options *o = cli->options;
	bool is_strange =
	    !o->co_dir && !has_key_in(".") && !has_key_in(getenv("HOME"));

	if (cli->has_key)
		return cli->key;
	if (!cli->session || o->is_keyless || o->co_dir)
		return NULL;
	return session_file_key(cli->session, is_strange);
}

/* ---- callbacks ---- */

static struct partner *partner_of(struct cli *cli, const struct co_client *c)
{
	for (size_t i = 0; i < cli->n_partners; i++)
		if (cli->partners[i].client == c)
			return &cli->partners[i];
	return NULL;
}

/* From its first event on, another run can come back to a turn. */
static void on_event(
    void *arg, struct co_client *c, const struct co_event *event)
{
	struct cli *cli = arg;
	const struct partner *partner = partner_of(cli, c);

	if (cli->options->is_json)
		output_json(event->json, event->json_len);
	else
		screen_event(&cli->screen, event);
	if (!cli->is_saved && partner && *event->id) {
		cli->is_saved = true;
		cli_save(cli, partner);
	}
}

static void on_connection(
    void *arg, struct co_client *c, const struct co_connection *news)
{
	struct cli *cli = arg;

	(void)c;
	screen_connection(&cli->screen, news);
}

/* ---- clients ---- */

static unsigned flags_of(const struct cli_options *o)
{
	return (o->is_keyless ? CO_KEYLESS : 0) |
	       (o->is_relay_only ? CO_NO_DIRECT : 0);
}

static enum co_seal seal_of(const struct cli_options *o)
{
	return o->is_clear ? CO_SEAL_IF_POSSIBLE : CO_SEAL_REQUIRED;
}

enum exit_status cli_connect(struct cli *cli, struct partner *partner)
{
	const struct cli_options *o = cli->options;
	struct co_options options;
	struct co_error error;

	if (partner->client)
		return STATUS_OK;
	co_options_init(&options);
	options.relay_url = o->relay_url;
	options.direct_url = o->direct_url;
	options.key = key_of(cli);
	options.co_dir = o->co_dir;
	options.flags = flags_of(o);
	options.seal = seal_of(o);
	options.session = cli->session && partner->name
			      ? session_file_get(cli->session, partner->name)
			      : NULL;
	options.invite_code = o->invite_code;
	options.retries = o->retries;
	options.user_agent = "co-connect/" CO_CONNECT_VERSION;
	options.on_event = on_event;
	options.on_connection = on_connection;
	options.arg = cli;
	partner->client = co_connect(partner->name, &options, &error);
	if (partner->client)
		return STATUS_OK;
	screen_fail(&cli->screen, "%s", error.text);
	return exit_status_of(error.code);
}

void cli_save(struct cli *cli, const struct partner *partner)
{
	char why[WHY_SIZE];

	if (!cli->session || !partner->client)
		return;
	char *text = co_session_save(partner->client);
	session_file_set(cli->session, partner->name, text);
	session_file_set_next(cli->session, cli->next);
	free(text);
	cli->is_unsaved = !session_file_save(cli->session, why, sizeof why);
	if (cli->is_unsaved)
		screen_fail(&cli->screen, "%s", why);
}

bool cli_has_past(const struct cli *cli, const struct partner *partner)
{
	return cli->session && session_file_get(cli->session, partner->name);
}

int64_t cli_timeout_ms(const struct cli *cli)
{
	if (cli->options->timeout_ms)
		return cli->options->timeout_ms;
	/* A user who watches can press Ctrl-C. */
	return cli->editor ? CO_NO_TIMEOUT : CO_DEFAULT_TIMEOUT;
}

/* ---- its life ---- */

static void add_partner(struct cli *cli, const char *name)
{
	cli->partners = mem_realloc(
	    cli->partners, (cli->n_partners + 1) * sizeof *cli->partners);
	cli->partners[cli->n_partners++] = (struct partner){.name = name};
}

static void add_partners(struct cli *cli)
{
	const struct cli_list *agents = &cli->options->agents;

	for (size_t i = 0; i < agents->n; i++)
		add_partner(cli, agents->items[i]);
	if (agents->n == 0 && cli->options->direct_url)
		add_partner(cli, cli->options->direct_url);
}

static bool open_session(struct cli *cli)
{
	char why[WHY_SIZE];

	if (!cli->options->session_file)
		return true;
	cli->session =
	    session_file_open(cli->options->session_file, why, sizeof why);
	if (!cli->session) {
		screen_fail(&cli->screen, "%s", why);
		return false;
	}
	if (cli->n_partners)
		cli->next = session_file_next(cli->session) % cli->n_partners;
	return true;
}

static bool attach(struct cli *cli, const struct cli_list *list, bool is_image)
{
	char why[WHY_SIZE];

	for (size_t i = 0; i < list->n; i++) {
		if (!attachments_add(&cli->attachments, list->items[i],
			is_image, why, sizeof why)) {
			screen_fail(&cli->screen, "%s", why);
			return false;
		}
	}
	return true;
}

bool cli_init(struct cli *cli, const struct cli_options *options)
{
	*cli = (struct cli){.options = options};
	screen_init(&cli->screen, options->is_quiet || options->is_json,
	    options->is_verbose && !options->is_json);
	cli->interrupts = interrupts_open();
	add_partners(cli);
	if (!take_key(cli) || !open_session(cli) ||
	    !attach(cli, &options->images, true) ||
	    !attach(cli, &options->files, false))
		return false;
	cli->editor = editor_new(cli->interrupts);
	return true;
}

void cli_fini(struct cli *cli)
{
	for (size_t i = 0; i < cli->n_partners; i++)
		co_free(&cli->partners[i].client);
	free(cli->partners);
	editor_free(&cli->editor);
	session_file_close(&cli->session);
	attachments_fini(&cli->attachments);
	screen_fini(&cli->screen);
	explicit_bzero(cli->key, sizeof cli->key);
}
