"""The browser's messages, none of which is lost to another that follows at once.

With ``runner.fastReruns`` Streamlit ends a page's run at each message of the browser, and begins another. What the
ended one had not answered yet was gone: a button that was clicked did nothing, or half of what it does, as a component
spoke right after. Without ``fastReruns`` Streamlit joins such messages, but no page would answer while it computes.

So a message joins the one before it until that one's callbacks are called; these are called whole. From then on the
run ends for the next message at once, and what a part of the page has waiting behind it goes over to the next run.
"""

from typing import Any

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx, script_runner
from streamlit.runtime.scriptrunner_utils.script_requests import (
    ScriptRequest,
    ScriptRequests,
    ScriptRequestType,
    _coalesce_widget_states,
)
from streamlit.runtime.state.safe_session_state import SafeSessionState

FAST = "runner.fastReruns"
RERUN, STOP = ScriptRequestType.RERUN, ScriptRequestType.STOP


class Requests(ScriptRequests):
    """What a run is asked for; until the callbacks of what it took up are called, nothing stops it."""

    calling = False

    def on_scriptrunner_ready(self) -> ScriptRequest:
        """Take up what waits, before or after a run."""
        self.calling = True  # before it is taken up: a message may come between
        request = super().on_scriptrunner_ready()
        self.calling = _calls(request)
        return request

    def on_scriptrunner_yield(self) -> ScriptRequest | None:
        """Take up what ends the run that is at work, if anything does."""
        if self.calling:
            return None
        self.calling = self._state is RERUN
        request = super().on_scriptrunner_yield()
        self.calling = _calls(request)
        return request

    def answered(self, at_work: bool) -> bool:
        """Whether the callbacks of the last message that was taken up are called, and its script is at work or over."""
        return not self.calling and (at_work or self._state is not RERUN)

    def hand_over(self, client_state: ClientState) -> ClientState:
        """Stop, and return the message joined with what waits for the run to end."""
        with self._lock:
            waiting = self._rerun_data.widget_states if self._state is RERUN else None
            self._state = STOP
        if waiting is None:
            return client_state
        joined = ClientState()
        joined.CopyFrom(client_state)
        joined.widget_states.CopyFrom(_coalesce_widget_states(waiting, client_state.widget_states))
        return joined


def join_messages() -> None:
    """Have each message answered, in Streamlit's sessions of this process from now on."""
    plain, calling = AppSession.request_rerun, SafeSessionState.on_script_will_rerun

    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        fast, runner = config.get_option(FAST), session._scriptrunner
        if not fast or client_state is None or client_state.fragment_id or runner is None:
            plain(session, client_state)
        elif not isinstance(runner._requests, Requests):  # it began before
            plain(session, client_state)
        elif runner._requests.answered(at_work=runner._execing):
            plain(session, runner._requests.hand_over(client_state))
        else:
            config.set_option(FAST, False)  # read there alone, and messages are taken one by one
            try:
                plain(session, client_state)
            finally:
                config.set_option(FAST, fast)

    def on_script_will_rerun(state: SafeSessionState, *args: Any, **options: Any) -> None:
        try:
            calling(state, *args, **options)
        finally:
            context = get_script_run_ctx(suppress_warning=True)
            if context is not None and isinstance(context.script_requests, Requests):
                context.script_requests.calling = False

    script_runner.ScriptRequests = Requests  # type: ignore[attr-defined]
    AppSession.request_rerun = request_rerun  # type: ignore[assignment, method-assign]
    SafeSessionState.on_script_will_rerun = on_script_will_rerun  # type: ignore[assignment, method-assign]


def _calls(request: ScriptRequest | None) -> bool:
    """Whether callbacks are called for what is taken up."""
    return request is not None and request.type is RERUN and request.rerun_data.widget_states is not None
