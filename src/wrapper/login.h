/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_LOGIN_H
#define WRAPPER_LOGIN_H

/*
 * Logging in at a server by a code that the user enters in a browser (RFC 8628),
 * and keeping that login.
 */
struct agent_settings;
struct loop;
struct login;

/* The commands. They return the exit status. */
int login_run(const struct agent_settings *s);
int login_end(const struct agent_settings *s);

/*
 * Keep the login of the server while a wrapper runs: its token is renewed
 * before it expires. Returns NULL if there is no login. ready() is called once,
 * later: the token can be used, or cannot be renewed.
 */
struct login *login_keep(struct loop *loop, const struct agent_settings *s,
    void (*ready)(void *arg), void *arg);

/* The server has refused the token: renew it, if there is a way. */
void login_renew(struct login *l);

/* The token; valid until the next event of the loop. */
const char *login_token(const struct login *l);

/* Free and null *l; NULL is accepted. */
void login_free(struct login **l);

#endif
