"""What every answer of the server says to browsers: what may show the app, and where its pictures come from."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Server = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = (
    # In a frame of a page from elsewhere a click meant for that page could launch a run.
    (b"x-frame-options", b"SAMEORIGIN"),
    # Scripts may make functions of text: components/lib/program.js makes them, of its own words and numbers alone.
    # Nothing that somebody wrote into a run can make a browser call another machine for a picture.
    (b"content-security-policy", b"frame-ancestors 'self'; img-src 'self' data: blob:; object-src 'none'"),
)


class Headers:
    """Adds ``HEADERS`` to every answer.

    Args:
        server: what answers.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or a websocket, which has no such headers."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._server(scope, receive, sent if scope["type"] == "http" else send)
