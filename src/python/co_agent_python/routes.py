# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Requests to the agent's own HTTP routes."""
from __future__ import annotations

import base64
import copy
import functools
import inspect
import json
import urllib.parse
from typing import Any, Callable


def http_body(result: Any) -> dict[str, Any]:
    """What the handler of an HTTP route returned, as the server has it."""
    from connectonion.network.host import http_routes

    if result is None:
        return {}
    reply: dict[str, Any] = {"type": "text/plain; charset=utf-8"}
    if isinstance(result, http_routes.HTTPResponse):
        headers = {str(k).lower(): str(v) for k, v in result.headers.items()}
        # In the package, too, a content-type among the headers counts.
        media_type = headers.pop("content-type", result.media_type)
        reply = {"status": result.status, "type": media_type, "headers": headers}
        result = result.body
    elif isinstance(result, (dict, list)):
        reply["type"] = "application/json"
        result = json.dumps(result, default=http_routes.pydantic_json_encoder)
    elif isinstance(result, bytes):
        reply["type"] = "application/octet-stream"
    if isinstance(result, bytes):
        reply["base64"] = base64.b64encode(result).decode()
    else:
        reply["text"] = str(result)
    return reply


def waits_itself(handler: Callable[..., Any], settle: Callable[[Any], Any]) -> Callable[..., Any]:
    """The handler as a function whose result need not be awaited."""
    @functools.wraps(handler)
    def call(**kwargs: Any) -> Any:
        result = handler(**kwargs)
        return settle(result) if inspect.isawaitable(result) else result

    return call


def invoke(route: Any, request: Any, settle: Callable[[Any], Any]) -> Any:
    """The handler runs in this thread; what has to be awaited, where settle() wants it."""
    route = copy.copy(route)
    object.__setattr__(route, "handler", waits_itself(route.handler, settle))
    try:
        route.invoke(request, request.path_params).send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("this version of the package calls handlers in another way")


def call_route(route: Any, asked: dict[str, Any], settle: Callable[[Any], Any]) -> dict[str, Any]:
    """A request to one of the agent's own HTTP routes."""
    from connectonion.network.host.http_routes import HTTPRequest

    body = asked.get("body", "").encode() or base64.b64decode(asked.get("body_base64", ""))
    params = asked["path_params"]  # decoded, once, before they were matched
    request = HTTPRequest(
        method=asked["method"], path=asked["path"], headers=asked["headers"],
        query=urllib.parse.parse_qs(asked["query"], keep_blank_values=True),
        path_params=params, body=body, identity=asked.get("identity") or None)
    try:
        reply = http_body(invoke(route, request, settle))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        text = json.dumps({"error": f"invalid request body: {error}"})
        reply = {"status": 400, "type": "application/json", "text": text}
    return {"type": "EXEC_RESULT", "status": "success", "result": json.dumps(reply)}
