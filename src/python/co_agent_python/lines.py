# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""JSON that the server can read."""
from __future__ import annotations

import json
import json.encoder
import math
from typing import Any, Callable, Sequence

# Of what is told, in levels; the server takes no more.
DEPTH_MAX = 100


def plain(value: Any, above: tuple[int, ...] = ()) -> Any:
    """The value with nothing in it that JSON cannot say; None where it contains itself."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        if id(value) in above or len(above) > DEPTH_MAX:
            return None
        above = (*above, id(value))
    if isinstance(value, dict):
        return {str(k): plain(v, above) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v, above) for v in value]
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return plain(value.model_dump(), (*above, id(value)))
    return str(value)


def refuse(value: Any) -> Any:
    raise TypeError(f"JSON has no {type(value).__name__}")


def make_encode() -> Callable[[Any, int], Sequence[str]]:
    """The encoder inside of json.dumps(), which makes a new one in each call."""
    make = json.encoder.c_make_encoder
    if make:
        # No check for what contains itself: that exceeds the recursion limit.
        return make(None, refuse, json.encoder.encode_basestring, None, ": ", ", ",
                    False, False, False)
    whole = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    return lambda value, level: (whole(value),)


encode = make_encode()


def to_json(value: Any) -> bytes:
    try:
        text = "".join(encode(value, 0))
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(plain(value), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def to_line(value: Any) -> bytes:
    return to_json(value) + b"\n"
