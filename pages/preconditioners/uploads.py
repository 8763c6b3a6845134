"""The reader's own matrices: files that the session keeps while another page is shown, until they are removed."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fop_core.formatting import size
from fop_core.runs import learned
from pages.preconditioners.sources import Source, of_upload
from pages.shared.form import Form
from pages.shared.text import literal

MOST = 256_000_000  # bytes that a session keeps
MANY = 5  # files from which on their list scrolls
_FILES, _TURN, _REFUSED = "inspect files", "inspect files turn", "inspect files refused"


def uploaded(form: Form) -> Source | None:
    """Show where files go and which are there; return what they hold."""
    turn = st.session_state.setdefault(_TURN, 0)
    st.file_uploader(
        "Matrices (.safetensors)",
        type=["safetensors"],
        accept_multiple_files=True,
        max_upload_size=learned.UPLOAD >> 20,
        key=f"{_FILES} {turn}",
        on_change=_add,
        help="[n, n] or [n, k], as `save_file(optimizer.factors(), path)` writes them; several files are several "
        "steps, by the number in their names. No file can start code: pickles are refused.",
    )
    if refused := st.session_state.get(_REFUSED):
        st.error(literal(refused))
    files = _files()
    with st.container(height=220 if len(files) > MANY else "content", gap="xsmall", border=False):
        for file in files:
            st.button(
                literal(f"Remove {file.name}"),
                width="stretch",
                key=f"{_FILES} {file.file_id}",
                on_click=_remove,
                args=(file.file_id,),
            )
    file_form, kernel = form.draw("file_form"), form.draw("kernel")
    if not files:
        return None
    source = of_upload(files, file_form, kernel)
    if isinstance(source, str):
        st.error(literal(source))
        return None
    if source.may_be_P:
        st.info("Every matrix is symmetric, as a P is. If they are P, say so under “They are”.")
    return source


def _files() -> list[UploadedFile]:
    return st.session_state.setdefault(_FILES, [])


def _add() -> None:
    """Take over what was brought; the box is then empty again, as it is when the reader comes back to the page."""
    new = st.session_state[f"{_FILES} {st.session_state[_TURN]}"]
    st.session_state[_TURN] += 1
    context = get_script_run_ctx()
    if context is not None and isinstance(manager := context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in new:  # what the session keeps Streamlit would keep, too, beyond its removal
            manager.remove_file(context.session_id, file.file_id)
    names = {file.name for file in new}
    files = [*(file for file in _files() if file.name not in names), *new]
    bytes_ = sum(file.size for file in files)
    st.session_state[_REFUSED] = ""
    if bytes_ > MOST:
        st.session_state[_REFUSED] = (
            f"{', '.join(names)}: with it there would be {size(bytes_)}, and up to {size(MOST)} are kept. "
            "Remove some first."
        )
        return
    st.session_state[_FILES] = files


def _remove(id_: str) -> None:
    st.session_state[_FILES] = [file for file in _files() if file.file_id != id_]
    st.session_state[_REFUSED] = ""
