"""The browser's messages, joined while the run that is to answer them has not begun.

With ``runner.fastReruns`` Streamlit ends a page's run at each message of the browser, and begins another. A run that
had not begun yet took with it what its message had said: a button that was clicked did nothing, as a component spoke
right after. Without ``fastReruns`` Streamlit joins such messages, but no page would answer while it computes.

One that comes between a run's beginning and the callbacks of its widgets still ends that run, with its click.
"""

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

FAST = "runner.fastReruns"


def join_messages() -> None:
    """Have a message join the one before it, where the run that was to answer that has not begun."""
    plain = AppSession.request_rerun

    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        fast = config.get_option(FAST)
        if not fast or _begun(session):
            plain(session, client_state)
            return
        config.set_option(FAST, False)  # read there alone, and messages are taken one by one
        try:
            plain(session, client_state)
        finally:
            config.set_option(FAST, fast)

    AppSession.request_rerun = request_rerun  # type: ignore[assignment, method-assign]


def _begun(session: AppSession) -> bool:
    """Whether what the last message asked for has been taken up, or waits behind a script at work."""
    runner = session._scriptrunner
    return runner is None or runner._execing or runner._requests._state is not ScriptRequestType.RERUN
