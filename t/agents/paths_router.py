# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""Routes with names in their paths; each tells what it was given."""
import json
import sys
import urllib.parse

from connectonion.network.host.http_routes import HTTPRouter

http = HTTPRouter()


def tell(pattern):
    def handler(request, **params):
        return {"route": pattern, "params": params, "path": request.path,
                "given": dict(request.path_params)}
    http.public.get(pattern)(handler)


for pattern in ("/file/{name}", "/file/{folder}/{name}", "/file/fixed", "/file/{name}.txt",
                "/pair/{a}-{b}", "/pair/{a}{b}x", "/file/caf\u00e9{name}"):
    tell(pattern)


def main():
    """What the router of the package makes of targets, as uvicorn hands them over."""
    for target in sys.argv[1:]:
        path = urllib.parse.unquote(target)
        try:
            found = http.match("GET", path)
        except ValueError:
            print('"ambiguous"')
            continue
        print(json.dumps(found and {
            "route": found[0].relative_path, "params": found[1], "path": path,
            "given": found[1]}))


if __name__ == "__main__":
    main()
