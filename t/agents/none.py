# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""No agent."""
import connectonion  # noqa: F401
