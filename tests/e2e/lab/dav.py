"""Requests to a server of address books, as a client that is not ours: METHOD URL CA USER PASSWORD [BODY [TYPE]].

With the method MANY the body is a JSON object: each of its texts is put below the URL by its name.
"""

import base64
import json
import ssl
import sys
import urllib.error
import urllib.request

method, url, authority, user, password = sys.argv[1:6]
body = open(sys.argv[6], "rb").read() if len(sys.argv) > 6 else None
kind = sys.argv[7] if len(sys.argv) > 7 else "text/vcard; charset=utf-8"
context = ssl.create_default_context(cafile=authority) if authority else None


def ask(method, url, body):
    request = urllib.request.Request(url, data=body, method=method)
    if user:
        words = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {words}")
    if body is not None:
        request.add_header("Content-Type", kind)
    try:
        with urllib.request.urlopen(request, context=context, timeout=120) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {url}: {error.code} {error.read()[:500]!r}")


if method == "MANY":
    for name, text in json.loads(body).items():
        ask("PUT", f"{url}/{name}", text.encode())
else:
    sys.stdout.buffer.write(ask(method, url, body))
