"""Messages of the browser that follow one another at once, by Streamlit's own sessions and their threads."""

import asyncio
import builtins
import threading

import pytest
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import ScriptRunner, script_runner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.state.safe_session_state import SafeSessionState

from pages.shared.messages import FAST, join_messages

WAIT = 20  # seconds
PAGE = """
import builtins
import streamlit as st

log = builtins.log

def cancel():
    st.session_state["half"] = 1
    log.reach("callback")
    st.session_state["whole"] = 2
    st.toast("Cancelled.")
    log.said.append("cancel")

def slid():
    log.said.append(st.session_state["slider"])

@st.fragment
def part():
    st.button("part", key="part", on_click=lambda: log.said.append("part"))

st.button("cancel", key="cancel", on_click=cancel)
st.slider("slider", 0, 9, key="slider", on_change=slid)
part()
log.reach("page")
log.drawn.append(st.session_state["slider"])
st.text("drawn")
log.ended.release()
"""


class Log:
    """What the page's runs did; one can be held where it has come to a point."""

    def __init__(self) -> None:
        self.said: list[str | int] = []
        self.drawn: list[int] = []
        self.ended = threading.Semaphore(0)
        self.held, self.there, self.on = "", threading.Event(), threading.Event()

    def reach(self, point: str) -> None:
        if self.held == point:
            self.held = ""
            self.there.set()
            assert self.on.wait(WAIT)


class Browser:
    """Says to a session what a browser would: all its sliders each time, a click once."""

    def __init__(self, session: AppSession, log: Log) -> None:
        self.session, self.log = session, log

    async def drawn(self) -> None:
        assert await asyncio.to_thread(self.log.ended.acquire, timeout=WAIT)
        while self.session._scriptrunner is not None:
            await asyncio.sleep(0.01)

    def say(self, click: str = "", slider: int = 0, part: bool = False) -> None:
        ids = self.session._session_state._key_id_mapper._key_id_mapping
        message = ClientState()
        if click:
            message.widget_states.widgets.add(id=ids[click], trigger_value=True)
        if "slider" in ids:
            message.widget_states.widgets.add(id=ids["slider"]).double_array_value.data.append(slider)
        if part:
            [message.fragment_id] = self.session._fragment_storage._fragments
        self.session.request_rerun(message)

    async def hold(self, point: str, click: str = "", slider: int = 0) -> None:
        """Say something, and keep its run where it comes to a point."""
        self.log.held = point
        self.say(click, slider)
        assert await asyncio.to_thread(self.log.there.wait, WAIT)


@pytest.fixture
def log(monkeypatch) -> Log:
    log = Log()
    monkeypatch.setattr(builtins, "log", log, raising=False)
    return log


@pytest.fixture
def at(tmp_path, monkeypatch, log):
    """Do something with a page that has been drawn; return when all is over."""
    monkeypatch.setattr(Runtime, "_instance", None)
    for of, name in (
        (AppSession, "request_rerun"),
        (SafeSessionState, "on_script_will_rerun"),
        (script_runner, "ScriptRequests"),
    ):
        monkeypatch.setattr(of, name, getattr(of, name))  # put back at the end
    script = tmp_path / "page.py"
    script.write_text(PAGE)
    files = MemoryUploadedFileManager("/upload")
    Runtime(RuntimeConfig(str(script), MemoryMediaFileStorage("/media"), files))

    def at(what) -> None:
        async def all_of_it() -> None:
            session = AppSession(ScriptData(str(script), False), files, ScriptCache(), lambda: None, {})
            browser = Browser(session, log)
            try:
                browser.say()
                await browser.drawn()
                await what(browser)
                await browser.drawn()
            finally:
                log.on.set()
                session.shutdown()

        asyncio.run(all_of_it())

    return at


@pytest.fixture
def joined(at):
    join_messages()
    yield at
    assert config.get_option(FAST)


async def _cut_in(browser: Browser) -> None:
    """Say two things while the callback of a click is at work."""
    await browser.hold("callback", click="cancel", slider=1)
    browser.say(slider=2)
    browser.say(slider=3)
    browser.log.on.set()


def test_a_callback_that_has_begun_is_called_whole_and_what_came_meanwhile_is_one_message(joined, log):
    joined(_cut_in)
    assert log.said == ["cancel", 1, 3] and log.drawn == [0, 3]


def test_streamlit_alone_does_half_of_it(at, log):
    """Else pages.shared.messages has nothing left to do, and goes."""
    at(_cut_in)
    assert "cancel" not in log.said


def test_a_click_outlives_a_message_that_comes_before_its_run_has_begun(joined, log, monkeypatch):
    async def said(browser: Browser) -> None:
        begin = ScriptRunner.start
        with monkeypatch.context() as busy:
            busy.setattr(ScriptRunner, "start", lambda runner: None)
            browser.say(click="cancel")
            runner = browser.session._scriptrunner
            browser.say(slider=2)
        assert browser.session._scriptrunner is runner
        begin(runner)

    joined(said)
    assert sorted(log.said, key=str) == [2, "cancel"] and log.drawn == [0, 2]


def test_a_click_outlives_a_message_that_comes_between_its_runs_beginning_and_its_callbacks(joined, log, monkeypatch):
    async def said(browser: Browser) -> None:
        there, on = threading.Event(), threading.Event()
        call = SafeSessionState.on_script_will_rerun

        def slow(*args, **options) -> None:
            there.set()
            assert on.wait(WAIT)
            call(*args, **options)

        with monkeypatch.context() as busy:
            busy.setattr(SafeSessionState, "on_script_will_rerun", slow)
            browser.say(click="cancel")
            assert await asyncio.to_thread(there.wait, WAIT)
        browser.say(slider=2)
        on.set()

    joined(said)
    assert log.said == ["cancel", 2] and log.drawn == [0, 2]


def test_a_page_at_work_ends_for_the_next_message_which_does_not_wait_for_it(joined, log):
    async def said(browser: Browser) -> None:
        await browser.hold("page", slider=1)
        first = browser.session._scriptrunner
        browser.say(click="cancel", slider=1)
        await browser.drawn()
        assert log.said == [1, "cancel"] and log.drawn == [0, 1]
        assert first is not None and first._script_thread is not None and first._script_thread.is_alive()
        log.on.set()
        await asyncio.to_thread(first._script_thread.join, WAIT)
        log.ended.release()  # for the last look

    joined(said)
    assert log.drawn[-1] == 1 and log.said == [1, "cancel"]


def test_a_click_in_a_part_of_the_page_that_waits_for_the_page_outlives_the_next_message(joined, log):
    async def said(browser: Browser) -> None:
        await browser.hold("page", slider=1)
        browser.say(click="part", slider=1, part=True)
        browser.say(slider=2)
        log.on.set()

    joined(said)
    assert sorted(log.said, key=str) == [1, 2, "part"] and log.drawn[-1] == 2
