"""What is added to Streamlit's HTML page, so that it is there from the first byte: our stylesheet, and plotly.js.

A style that a run of a page brings comes when much has been drawn, and moves it. A script that a component asks for
begins to load when all of Python's answer has been drawn: a second later.
"""

from collections.abc import Collection

from pages.shared.headers import Message, Receive, Send, Server

_LEFT_OUT = (b"if-none-match", b"if-modified-since", b"accept-encoding")
"""Of a request for a page, whose answer is to be whole, and to be read here."""
_CACHES = (b"content-length", b"etag", b"last-modified")


class Additions:
    """Puts a style, and a script, behind everything else of an HTML page; the style so comes after Streamlit's own.

    Args:
        server: what answers.
        css: the style.
        script: address of a script that components will wait for (``loadPlotly`` in components/lib/plotly.js).
        of: paths of the pages that need it.
    """

    def __init__(self, server: Server, css: str, script: str, of: Collection[str]) -> None:
        self._server, self._of = server, of
        self._style = f"<style>\n{css}</style>\n"
        # One that fails goes, so that a component knows to try again.
        self._script = f'<script async data-plotly src="./{script}" onerror="this.remove()"></script>\n'

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request; a page whole, for a browser may have one without the style."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._server(scope, receive, send)
            return
        if b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in _LEFT_OUT]}
        begun: Message | None = None  # how a page's answer begins, until it is there
        page = b""

        async def sent(message: Message) -> None:
            nonlocal begun, page
            if message["type"] == "http.response.start" and _is_page(message):
                begun = message
            elif begun is None:
                await send(message)
            else:
                page += message.get("body", b"")
                if message.get("more_body", False):
                    return
                head, end, tail = page.rpartition(b"</body>")
                added = self._style + (self._script if scope["path"].strip("/") in self._of else "")
                page = head + added.encode() + end + tail if end else page
                kept = [pair for pair in begun["headers"] if pair[0].lower() not in _CACHES]
                begun["headers"] = [*kept, (b"content-length", str(len(page)).encode())]
                await send(begun)
                await send({"type": "http.response.body", "body": page})

        await self._server(scope, receive, sent)


def _is_page(start: Message) -> bool:
    kind = dict(start.get("headers", ())).get(b"content-type", b"")
    return start["status"] == 200 and kind.startswith(b"text/html")
