/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_LOGIN_H
#define ONSEMBL_ONS_LOGIN_H

/*
 * How programs get tokens, /api/auth (doc/onsembl.txt): a program shows a code,
 * a signed-in user enters it, and the program, which asks meanwhile, is given
 * tokens of that user, which it renews and gives back.
 */
struct http;
struct ons_site;

/* Add the routes; *site outlives the server. */
void ons_login_mount(struct http *http, const struct ons_site *site);

#endif
