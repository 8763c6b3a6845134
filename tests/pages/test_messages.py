"""Messages of the browser that come before the run that is to answer has begun, by Streamlit's own session."""

import asyncio

import pytest
from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from pages.shared.messages import FAST, join_messages

RERUN, STOP = ScriptRequestType.RERUN, ScriptRequestType.STOP


def _clicked(button: str) -> ClientState:
    """What the browser says when a button is clicked; it says so once."""
    state = ClientState(query_string="rules=adam")
    widget = state.widget_states.widgets.add()
    widget.id, widget.trigger_value = button, True
    return state


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A session whose runs do not begin, as on a machine that is busy."""
    monkeypatch.setattr(AppSession, "request_rerun", AppSession.request_rerun)  # put back at the end
    monkeypatch.setattr(ScriptRunner, "start", lambda runner: None)
    script = tmp_path / "page.py"
    script.write_text("")
    files = MemoryUploadedFileManager("/_stcore/upload_file")
    data = ScriptData(main_script_path=str(script), is_hello=False)

    async def made() -> AppSession:
        return AppSession(data, files, ScriptCache(), lambda: None, {})

    session = asyncio.run(made())
    yield session
    session.shutdown()


@pytest.fixture
def joined(session):
    join_messages()
    return session


def _buttons(session) -> set[str]:
    """Those whose click the run that waits will hear of."""
    return {each.id for each in session._scriptrunner._requests._rerun_data.widget_states.widgets}


def test_a_click_outlives_a_message_that_follows_before_its_run_has_begun(joined):
    joined.request_rerun(_clicked("cancel"))
    runner = joined._scriptrunner
    joined.request_rerun(_clicked("settled"))
    assert joined._scriptrunner is runner and runner._requests._state is RERUN
    assert _buttons(joined) == {"cancel", "settled"}


def test_streamlit_alone_still_loses_it(session):
    """Else pages.shared.messages has nothing left to do, and goes."""
    session.request_rerun(_clicked("cancel"))
    session.request_rerun(_clicked("settled"))
    assert _buttons(session) == {"settled"}


@pytest.mark.parametrize("execing", [False, True])
def test_a_run_at_work_ends_for_the_next_message_at_once(joined, execing):
    """Whether its own message was taken up, or another one waits behind it, as a part of the page that runs alone."""
    joined.request_rerun(_clicked("compute"))
    first = joined._scriptrunner
    if execing:
        first._execing = True
    else:
        first._requests.on_scriptrunner_ready()
    joined.request_rerun(_clicked("cancel"))
    assert joined._scriptrunner is not first and first._requests._state is STOP
    assert _buttons(joined) == {"cancel"}
    assert config.get_option(FAST)
