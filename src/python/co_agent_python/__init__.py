# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Runs the agent of a ConnectOnion file for co-hostd.

The file runs as __main__ and is not changed: host() and create_app() of the
package are replaced, and host() serves where it was called. A turn speaks
co-agent(7). It is a thread or a task of a process that has run the file (shared.py,
with co-mux.so); or, if the state is isolated, a fork of one, under a nest of its own
(zygote.py, with co-nest.so, beside co-turn).

A file of this folder is one noun; main.py has the command line. All of them are
loaded at the start, and none has a name that a module of the user could have.
"""
