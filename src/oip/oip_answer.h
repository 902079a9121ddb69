/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ANSWER_H
#define OIP_OIP_ANSWER_H

/*
 * Answers to what an agent asked (doc/oip.txt 7). One that nobody waits for is
 * mostly a late one and passes in silence: an ERROR would end the client's
 * input.
 */
struct json;
struct oip_conn;

/* ASK_USER_RESPONSE: a string, or an array that is joined. */
void oip_answer_ask(struct oip_conn *c, const struct json *frame);

/* APPROVAL_RESPONSE; what is not clearly a yes is a no. */
void oip_answer_approval(struct oip_conn *c, const struct json *frame);

/* PLAN_REVIEW_RESPONSE: any text. */
void oip_answer_review(struct oip_conn *c, const struct json *frame);

/* A frame for a question that no agent asks here. */
void oip_answer_late(struct oip_conn *c, const struct json *frame);

#endif
