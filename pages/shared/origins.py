"""Which web pages may call the server: its own, and those of addresses that were configured.

Streamlit takes a websocket from any page of this machine, whatever its port: a notebook's, or another user's server.
Through it a page does all that a reader can, as launching a run.
"""

from urllib.parse import urlsplit

from streamlit import config

from pages.shared.headers import Message, Receive, Send, Server

_READS = ("GET", "HEAD", "OPTIONS")  # which change nothing, and whose answers a browser keeps from other pages


class Origins:
    """Refuses websockets, and requests that change something, of pages from elsewhere.

    A browser says where a page is from. What says nothing is no browser: a script, that may say anything.

    Args:
        server: what answers.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request or a websocket, or refuse it."""
        asks = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _READS)
        if not asks or _allowed(dict(scope["headers"])):
            await self._server(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # its request to connect, which this answers with 403
            await send({"type": "websocket.close", "code": 1008, "reason": _REFUSED})
        else:
            plain = (b"content-type", b"text/plain; charset=utf-8")
            await send({"type": "http.response.start", "status": 403, "headers": [plain]})
            await send({"type": "http.response.body", "body": f"{_REFUSED}\n".encode()})


_REFUSED = (
    "a page of another address; behind a proxy that changes the Host, give the app's own to browser.serverAddress"
)


def _allowed(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin1")
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname
    except ValueError:
        return False
    if parts.netloc and parts.netloc.lower() == headers.get(b"host", b"").decode("latin1").lower():
        return True
    if config.is_manually_set("browser.serverAddress") and name == config.get_option("browser.serverAddress"):
        return True
    return origin in config.get_option("server.corsAllowedOrigins")
