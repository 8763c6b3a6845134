"""Every page has our stylesheet from its first byte, behind Streamlit's own, whatever a browser remembers of it.

One that draws with plotly.js has that, too.
"""

import urllib.request

import pytest

from tests.chromium import ROOT

CSS = (ROOT / "static/app.css").read_text()


def answer(address: str, **headers: str):
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers))


@pytest.mark.parametrize("path", ["", "train", "runs?show=gallery"])
def test_a_page_ends_with_the_stylesheet(app, path):
    got = answer(f"{app}/{path}", **{"Accept": "text/html,*/*", "Accept-Encoding": "gzip, deflate, br"})
    page = got.read()
    assert page.decode().count(CSS) == 1 and page.decode().partition(CSS)[2].strip().startswith("</style>")
    assert (b"plotly-cartesian.min.js" in page) == (path != "train"), "only where something is drawn with it"
    assert page.rindex(b"</style>") < page.rindex(b"</body>")
    assert int(got.headers["Content-Length"]) == len(page) and got.headers["ETag"] is None
    assert got.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_a_page_is_sent_whole_to_a_browser_that_remembers_one_without(app):
    remembered = {"Accept": "text/html", "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT", "If-None-Match": "*"}
    got = answer(f"{app}/", **remembered)
    assert got.status == 200 and CSS in got.read().decode()


def test_other_files_are_sent_as_they_are(app):
    for file in ("logo.svg", "app.css"):
        assert answer(f"{app}/app/static/{file}").read() == (ROOT / "static" / file).read_bytes()
