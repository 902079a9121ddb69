/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The yardstick: the least that libh2o, wslay and LMDB can be asked to do, in
 * one process with one event loop, and one thread that commits.
 *
 *   bare FOLDER          prints its port, ends when its standard input does
 *
 *   GET /json            a small JSON answer
 *   POST /put            {"prompt":...}: parsed, stored and synced, answered;
 *                        all that came during one commit is the next commit
 *   /ws                  WebSocket: a message is sent back
 *   /wsput               WebSocket: what POST /put does
 */
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/websocket.h>

#include "base/buf.h"
#include "base/json.h"

#define MAP_BYTES (1ul << 30)

/* Bytes stored for each, about what a turn of co-hostd stores. */
#define ROW_BYTES 400

/* Rows are written over after so many. */
#define N_ROWS 100000

struct waiting {
	struct waiting *next;
	h2o_req_t *req;		    /* or */
	h2o_websocket_conn_t *conn; /* who waits; both NULL: it has left */
	struct waiting **slot;	    /* where who waits knows this */
	char *text;
	size_t len;
};

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accepting;
static MDB_env *env;
static MDB_dbi rows;
static uint64_t n_rows;

/* Put in by one thread, and taken out whole by the other. */
struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t is_changed;
	struct waiting *first;
	struct waiting **last;
};

static struct queue asked = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &asked.first};
static struct queue stored = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &stored.first};
static int doorbell;

static void die(const char *what)
{
	(void)fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int reply(h2o_req_t *req, const char *text, size_t len)
{
	req->res.status = 200;
	req->res.reason = "OK";
	req->res.content_length = len;
	h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
	    NULL, H2O_STRLIT("application/json"));
	h2o_send_inline(req, text, len);
	return 0;
}

/* Append a chain. */
static void give(struct queue *q, struct waiting *w)
{
	pthread_mutex_lock(&q->mutex);
	*q->last = w;
	while (*q->last)
		q->last = &(*q->last)->next;
	pthread_cond_signal(&q->is_changed);
	pthread_mutex_unlock(&q->mutex);
}

/* All there is; if is_patient, at least one. */
static struct waiting *take(struct queue *q, bool is_patient)
{
	pthread_mutex_lock(&q->mutex);
	while (is_patient && !q->first)
		pthread_cond_wait(&q->is_changed, &q->mutex);
	struct waiting *w = q->first;
	q->first = NULL;
	q->last = &q->first;
	pthread_mutex_unlock(&q->mutex);
	return w;
}

/* A request or WebSocket ends; its client may not have waited. */
static void on_gone(void *arg)
{
	struct waiting **slot = arg;
	if (*slot) {
		(*slot)->req = NULL;
		(*slot)->conn = NULL;
	}
}

/* A WebSocket has one message in the works at a time; more are dropped. */
static void wait_for_commit(
    h2o_req_t *req, h2o_websocket_conn_t *conn, const char *text, size_t len)
{
	struct waiting **slot = conn ? conn->data : NULL;
	if (req) {
		slot = h2o_mem_alloc_shared(&req->pool, sizeof *slot, on_gone);
		*slot = NULL;
	}
	if (*slot)
		return;
	struct waiting *w = h2o_mem_alloc(sizeof *w);
	*w = (struct waiting){NULL, req, conn, slot, h2o_mem_alloc(len), len};
	memcpy(w->text, text, len);
	*slot = w;
	give(&asked, w);
}

static void say(h2o_websocket_conn_t *conn, const char *text, size_t len)
{
	struct wslay_event_msg m = {
	    WSLAY_TEXT_FRAME, (const uint8_t *)text, len};
	(void)wslay_event_queue_msg(conn->ws_ctx, &m);
}

static void put(MDB_txn *txn)
{
	static char row[ROW_BYTES];
	uint64_t key = __builtin_bswap64(n_rows++ % N_ROWS);
	MDB_val k = {sizeof key, &key}, v = {sizeof row, row};
	if (mdb_put(txn, rows, &k, &v, 0))
		die("put");
}

static void commit(const struct waiting *batch)
{
	MDB_txn *txn;
	if (mdb_txn_begin(env, NULL, 0, &txn))
		die("begin");
	for (const struct waiting *w = batch; w; w = w->next)
		put(txn);
	if (mdb_txn_commit(txn))
		die("commit");
}

/* The thread that commits. */
static void *run_committer(void *unused)
{
	uint64_t one = 1;
	for (;;) {
		struct waiting *batch = take(&asked, true);
		commit(batch);
		give(&stored, batch);
		if (write(doorbell, &one, sizeof one) != sizeof one)
			die("eventfd");
	}
	return unused;
}

static void tell(const struct waiting *w)
{
	if (!w->req && !w->conn)
		return;
	*w->slot = NULL;
	if (w->req) {
		reply(w->req, w->text, w->len);
		return;
	}
	say(w->conn, w->text, w->len);
	h2o_websocket_proceed(w->conn);
}

static void on_stored(h2o_socket_t *bell, const char *err)
{
	struct waiting *next;
	uint64_t n;
	(void)bell;
	if (err || (read(doorbell, &n, sizeof n) < 0 && errno != EAGAIN))
		die("eventfd");
	for (struct waiting *w = take(&stored, false); w; w = next) {
		next = w->next;
		tell(w);
		free(w->text);
		free(w);
	}
}

static int on_json(h2o_handler_t *self, h2o_req_t *req)
{
	static const char text[] =
	    "{\"status\":\"healthy\",\"agent\":\"demo\",\"uptime\":1}";
	(void)self;
	return reply(req, text, sizeof text - 1);
}

/* {"prompt":...} in, {"result":...} out, when it is stored. */
static void answer(h2o_req_t *req, h2o_websocket_conn_t *conn,
    const char *request, size_t request_len)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf scratch = {0}, text = {0};
	size_t len = 0;
	const struct json *body =
	    json_parse(&doc, request, request_len, 0, &why);
	const char *prompt = json_str(json_get(body, "prompt"), &scratch, &len);
	buf_str(&text, "{\"result\":");
	buf_json(&text, prompt ? prompt : "", len);
	buf_char(&text, '}');
	wait_for_commit(req, conn, text.data, text.len);
	json_fini(&doc);
	buf_fini(&scratch);
	buf_fini(&text);
}

static int on_put(h2o_handler_t *self, h2o_req_t *req)
{
	(void)self;
	answer(req, NULL, req->entity.base, req->entity.len);
	return 0;
}

static void end(h2o_websocket_conn_t *conn)
{
	if (conn->data)
		on_gone(conn->data);
	free(conn->data);
	h2o_websocket_close(conn);
}

static void on_message(
    h2o_websocket_conn_t *conn, const struct wslay_event_on_msg_recv_arg *arg)
{
	if (!arg)
		end(conn);
	else if (wslay_is_ctrl_frame(arg->opcode))
		return;
	else if (conn->data)
		answer(NULL, conn, (const char *)arg->msg, arg->msg_length);
	else
		say(conn, (const char *)arg->msg, arg->msg_length);
}

static int upgrade(h2o_req_t *req, void *data)
{
	const char *key;
	if (h2o_is_websocket_handshake(req, &key) || !key) {
		h2o_send_error_400(req, "Bad Request", "no handshake", 0);
		return 0;
	}
	(void)h2o_upgrade_to_websocket(req, key, data, on_message);
	return 0;
}

static int on_ws(h2o_handler_t *self, h2o_req_t *req)
{
	(void)self;
	return upgrade(req, NULL);
}

static int on_wsput(h2o_handler_t *self, h2o_req_t *req)
{
	struct waiting **slot = h2o_mem_alloc(sizeof *slot);
	(void)self;
	*slot = NULL;
	return upgrade(req, slot);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
	h2o_socket_t *sock;
	for (int i = 0; !err && i < 64; i++) {
		if (!(sock = h2o_evloop_socket_accept(listener)))
			return;
		h2o_accept(&accepting, sock);
	}
}

static void on_stdin(h2o_socket_t *sock, const char *err)
{
	(void)sock;
	(void)err;
	exit(0);
}

static void serve(const char *at, int (*fn)(h2o_handler_t *, h2o_req_t *))
{
	h2o_pathconf_t *p = h2o_config_register_path(config.hosts[0], at, 0);
	h2o_create_handler(p, sizeof(h2o_handler_t))->on_req = fn;
}

static void open_store(const char *folder)
{
	MDB_txn *txn;
	if (mdb_env_create(&env) || mdb_env_set_mapsize(env, MAP_BYTES) ||
	    mdb_env_open(env, folder, 0, 0600) ||
	    mdb_txn_begin(env, NULL, 0, &txn) ||
	    mdb_dbi_open(txn, NULL, 0, &rows) || mdb_txn_commit(txn))
		die(folder);
}

static int open_port(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (void *)&at, sizeof at) != 0 ||
	    listen(fd, 4096) != 0 || getsockname(fd, (void *)&at, &size) != 0)
		die("listen");
	printf("%d\n", ntohs(at.sin_port));
	(void)fflush(stdout);
	return fd;
}

static void watch(int fd, h2o_socket_cb fn)
{
	h2o_socket_t *s = h2o_evloop_socket_create(
	    context.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
	h2o_socket_read_start(s, fn);
}

int main(int argc, char **argv)
{
	pthread_t committer;
	if (argc != 2)
		die("usage: bare FOLDER");
	(void)signal(SIGPIPE, SIG_IGN);
	open_store(argv[1]);
	h2o_config_init(&config);
	(void)h2o_config_register_host(
	    &config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	serve("/json", on_json);
	serve("/put", on_put);
	serve("/wsput", on_wsput);
	serve("/ws", on_ws);
	h2o_context_init(&context, h2o_evloop_create(), &config);
	accepting = (h2o_accept_ctx_t){.ctx = &context, .hosts = config.hosts};
	watch(open_port(), on_accept);
	watch(STDIN_FILENO, on_stdin);
	doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	watch(doorbell, on_stored);
	if (pthread_create(&committer, NULL, run_committer, NULL))
		die("thread");
	for (;;)
		if (h2o_evloop_run(context.loop, 1000) != 0 && errno != EINTR)
			die("event loop");
}
