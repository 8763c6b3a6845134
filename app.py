"""FOP Lab: the server, and in each reader's session the pages' frame and the way to them.

``streamlit run app.py`` imports this file once, finds ``app`` and serves it; the same file then runs in every session.
"""

from dataclasses import asdict
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.components.menu import menu
from pages.components.plot import SOURCE
from pages.components.tour import tour
from pages.shared.additions import Additions
from pages.shared.form import address
from pages.shared.headers import Headers
from pages.shared.messages import join_messages
from pages.shared.origins import Origins
from pages.shared.tour import STOPS

HERE = Path(__file__).parent

if get_script_run_ctx(suppress_warning=True) is None:
    PagesManager.uses_pages_directory = False  # else a deep link as the first visit finds no page
    join_messages()
    css = (HERE / "static/app.css").read_text()
    drawing = ("", "trajectories", "paper", "runs", "preconditioners")
    additions = Middleware(Additions, css=css, script=SOURCE, of=drawing)
    app = st.App(__file__, middleware=[Middleware(Headers), Middleware(Origins), additions])
else:
    st.set_page_config(page_title="FOP Lab", page_icon=str(HERE / "static/logo.svg"), layout="wide")
    st.logo(HERE / "static/wordmark.svg", icon_image=HERE / "static/logo.svg", size="large")
    pages = {
        name: st.Page(f"pages/{name}/page.py", title=name.capitalize(), url_path=name, default=name == "trajectories")
        for name in ("trajectories", "paper", "basins", "train", "runs", "studies", "preconditioners")
    }
    chosen = st.navigation(list(pages.values()), position="hidden")
    st.set_page_config(page_title=f"{chosen.title} · FOP Lab")
    menu({page: address(name) for name, page in pages.items()}, chosen)
    tour([asdict(stop) for stop in STOPS])
    chosen.run()
