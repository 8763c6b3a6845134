"""FOP Lab: the page's frame, and the way to its pages."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="FOP Lab", page_icon=str(HERE / "static/logo.svg"), layout="wide")
st.logo(HERE / "static/wordmark.svg", icon_image=HERE / "static/logo.svg", size="large")
st.html(HERE / "static/app.css")
st.navigation(
    [
        st.Page("pages/trajectories.py", title="Trajectories", default=True),
        st.Page("pages/basins.py", title="Basins"),
        st.Page("pages/train.py", title="Train"),
        st.Page("pages/runs.py", title="Runs"),
        st.Page("pages/preconditioners.py", title="Preconditioners"),
    ]
).run()
