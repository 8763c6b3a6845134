"""The app's own style in the page that the server sends first, so that nothing moves when the first elements come."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from pages.shared.headers import Message, Receive, Send, Server

LEFT_OUT = (b"if-none-match", b"if-modified-since", b"accept-encoding")
"""Of a request for a page: an answer is to be whole, and to be read here."""


class Stylesheet:
    """Puts a style at the beginning of the body of every HTML page: after Streamlit's own, which it so overrules.

    Args:
        server: what answers.
        css: the file of the style.
    """

    def __init__(self, server: Server, css: Path) -> None:
        self._server = server
        self._style = b"<body><style>" + css.read_bytes() + b"</style>"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request; a page is sent whole even to a browser that has an older one of it, without the style."""
        if scope["type"] != "http":
            await self._server(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_html(message):
                start.update(message)
            elif message["type"] == "http.response.body" and start:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    page = b"".join(parts).replace(b"<body>", self._style, 1)
                    kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                    length = [(b"content-length", str(len(page)).encode())] if page else []
                    await send({**start, "headers": [*kept, *length]})
                    await send({"type": "http.response.body", "body": page})
            else:
                await send(message)

        if "." not in scope["path"].rpartition("/")[2]:
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in LEFT_OUT]}
        await self._server(scope, receive, sent)


def _is_html(message: Message) -> bool:
    headers = dict(message.get("headers", ()))
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
