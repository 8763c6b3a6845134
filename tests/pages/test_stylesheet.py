"""The app's style is in every page that the server sends, and in nothing else."""

import asyncio
from pathlib import Path

import pytest

from pages.shared.stylesheet import Stylesheet

CSS = "h1 { color: red }"
HTML = b"<html><head></head><body><p>x</p></body></html>"


def answered(tmp_path: Path, kind: str, body: list[bytes], status: int = 200, path: str = "/basins", **headers: str):
    """What a browser gets of an answer, and which headers of its request the server saw."""
    css = tmp_path / "app.css"
    css.write_text(CSS)
    requested: list[tuple[bytes, bytes]] = []
    messages = []

    async def server(scope, receive, send):
        requested.extend(scope["headers"])
        length = str(sum(map(len, body))).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", kind.encode()), (b"content-length", length)],
            }
        )
        for at, part in enumerate(body):
            await send({"type": "http.response.body", "body": part, "more_body": at < len(body) - 1})

    async def send(message):
        messages.append(message)

    async def receive():
        return {}

    scope = {
        "type": "http",
        "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Stylesheet(server, css)(scope, receive, send))
    start, *bodies = messages
    return start["status"], dict(start["headers"]), b"".join(each["body"] for each in bodies), dict(requested)


@pytest.mark.parametrize("body", [[HTML], [HTML[:20], HTML[20:]]])
def test_a_page_has_the_style_at_the_beginning_of_its_body_and_its_new_length(tmp_path, body):
    status, headers, content, _ = answered(tmp_path, "text/html; charset=utf-8", body)
    assert status == 200 and content == HTML.replace(b"<body>", f"<body><style>{CSS}</style>".encode())
    assert headers[b"content-length"] == str(len(content)).encode()


def test_other_answers_are_as_they_were(tmp_path):
    for kind in ("text/javascript", "image/svg+xml"):
        _, headers, content, _ = answered(tmp_path, kind, [HTML])
        assert content == HTML and headers[b"content-length"] == str(len(HTML)).encode()


def test_a_browser_that_has_a_page_of_before_gets_it_anew_and_keeps_its_files(tmp_path):
    *_, request = answered(tmp_path, "text/html", [HTML], if_none_match="1", accept_encoding="gzip", accept="*/*")
    assert request == {b"accept": b"*/*"}
    *_, request = answered(tmp_path, "text/javascript", [b""], path="/static/a.js", if_none_match="1")
    assert request == {b"if-none-match": b"1"}


def test_an_answer_without_a_body_stays_without(tmp_path):
    status, _, content, _ = answered(tmp_path, "text/html", [b""], status=304)
    assert (status, content) == (304, b"")
