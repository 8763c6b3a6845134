"""A page of another origin may not show the app in a frame, where a click meant for that page would launch a run."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.waiting import until


@pytest.fixture
def elsewhere(app: str) -> Iterator[str]:
    """The address of a page of another origin, which frames the Train page."""
    page = f"<title>other</title><iframe id=frame src='{app}/train' width=900 height=700></iframe>".encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_of_another_origin_gets_no_app_into_its_frame(wide, elsewhere):
    page = wide.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "frame-ancestors" in message.text else None)
    page.goto(elsewhere)
    frame = page.frame_locator("#frame")
    page.wait_for_function("() => frames.length === 1")
    train = frame.get_by_role("heading", name="Train", exact=True)
    until(lambda: refused or train.count(), pause=lambda: page.wait_for_timeout(50))
    expect(frame.get_by_role("button")).to_have_count(0)
    assert refused
    page.close()


@pytest.mark.parametrize("path", ["", "train", "app/static/logo.svg", "_stcore/health", "nowhere.js"])
def test_every_answer_forbids_frames_and_pictures_from_elsewhere(app, path):
    try:
        headers = urllib.request.urlopen(f"{app}/{path}").headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob:" in headers["Content-Security-Policy"]
