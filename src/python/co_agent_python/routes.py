# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Requests to the agent's own HTTP routes."""
from __future__ import annotations

import asyncio
import base64
import json
import urllib.parse
from typing import Any


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


def call_route(route: Any, asked: dict[str, Any]) -> dict[str, Any]:
    """A request to one of the agent's own HTTP routes."""
    from connectonion.network.host.http_routes import HTTPRequest

    body = asked.get("body", "").encode() or base64.b64decode(asked.get("body_base64", ""))
    params = asked["path_params"]  # decoded, once, before they were matched
    request = HTTPRequest(
        method=asked["method"], path=asked["path"], headers=asked["headers"],
        query=urllib.parse.parse_qs(asked["query"], keep_blank_values=True),
        path_params=params, body=body, identity=asked.get("identity") or None)
    try:
        reply = http_body(asyncio.run(route.invoke(request, params)))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        text = json.dumps({"error": f"invalid request body: {error}"})
        reply = {"status": 400, "type": "application/json", "text": text}
    return {"type": "EXEC_RESULT", "status": "success", "result": json.dumps(reply)}
