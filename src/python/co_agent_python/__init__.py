# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Runs the agent of a ConnectOnion file for co-hostd.

The file runs as __main__ and is not changed: host() and create_app() of the
package are replaced, and host() serves where it was called. A turn speaks
co-agent(7). When the state is isolated, a turn is a fork of the zygote under a
nest of its own (co-nest.so, beside co-turn); when it is shared, a thread of the zygote.

A file of this folder is one noun; main.py has the command line. All of them are
loaded at the start, and none has a name that a module of the user could have.
"""
