/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ANSWER_H
#define OIP_OIP_ANSWER_H

/*
 * Answers to questions of an agent (doc/oip.txt 7). An answer without a waiting
 * question is usually just late, so it is ignored: clients would take an ERROR
 * for the end of their input.
 */
struct json;
struct oip_conn;

/* ASK_USER_RESPONSE: a string, or an array whose elements are joined. */
void oip_answer_ask(struct oip_conn *c, const struct json *frame);

/* APPROVAL_RESPONSE: anything but a clear yes is a no. */
void oip_answer_approval(struct oip_conn *c, const struct json *frame);

/* PLAN_REVIEW_RESPONSE: any text. */
void oip_answer_review(struct oip_conn *c, const struct json *frame);

/* A frame that answers a kind of question that no agent asks here. */
void oip_answer_late(struct oip_conn *c, const struct json *frame);

#endif
