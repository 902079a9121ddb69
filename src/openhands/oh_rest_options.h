/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_REST_OPTIONS_H
#define OPENHANDS_OH_REST_OPTIONS_H

/* Handlers of requests (oh_asked.h): what the server has and is. */
struct oh_asked;

/* The name of the model, if it is known. */
void oh_rest_options_models(struct oh_asked *a);

/* The name of the agent. */
void oh_rest_options_agents(struct oh_asked *a);

/* No security analyzer. */
void oh_rest_options_analyzers(struct oh_asked *a);

/* What the page shows and hides. */
void oh_rest_options_config(struct oh_asked *a);

#endif
