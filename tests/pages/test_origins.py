"""Which web pages may open the app's websocket, by which they do all that a reader can."""

import asyncio

import pytest
from streamlit import config

from pages.shared.origins import Origins

HOST = "localhost:8501"


def answer(origin, host=HOST, kind="websocket", method="GET") -> bool | int:
    """Ask by a page of an origin; return whether the app got it, or with which status it was refused."""
    results: list = []

    async def app(scope, receive, send):
        results.append(True)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        if "status" in message or message["type"] == "websocket.close":
            results.append(message.get("status", False))

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    asyncio.run(Origins(app)({"type": kind, "method": method, "headers": headers}, receive, send))
    (result,) = results
    return result


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8501", HOST),
        ("http://127.0.0.1:8501", "127.0.0.1:8501"),
        ("http://localhost:9000", "localhost:9000"),  # ssh -L 9000:localhost:8501
        ("http://LOCALHOST:8501", HOST),
        ("https://fop.example", "fop.example"),
        ("http://[::1]:8501", "[::1]:8501"),
        (None, HOST),  # a script
    ],
)
def test_the_apps_own_pages_and_scripts_are_answered(origin, host):
    assert answer(origin, host) is True
    assert answer(origin, host, "http", "PUT") is True


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8888",  # a notebook
        "http://127.0.0.1:8501",
        "http://localhost",
        "http://0.0.0.0:8501",
        "http://evil.example",
        "http://localhost:8501.evil.example",
        "http://localhost:8501@evil.example",
        "http://[::1",
        "null",
        "://",
    ],
)
def test_pages_of_other_addresses_are_refused_also_of_this_machine(origin):
    assert answer(origin) is False
    assert answer(origin, kind="http", method="PUT") == 403
    assert answer(origin, kind="http") is True


def test_addresses_that_were_configured_are_answered_whatever_host_a_proxy_names():
    kept = config.get_option("server.corsAllowedOrigins")
    try:
        config.set_option("server.corsAllowedOrigins", ["https://desk.example"])
        assert answer("https://desk.example") is True and answer("https://other.example") is False
        config.set_option("browser.serverAddress", "fop.example")
        assert answer("https://fop.example") is True and answer("https://desk.example") is True
    finally:
        config.set_option("server.corsAllowedOrigins", kept)
        config._set_option("browser.serverAddress", "localhost", config.ConfigOption.DEFAULT_DEFINITION)
