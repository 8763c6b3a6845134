"""Figures: data in; a plotly or matplotlib figure, or an animation, out. No files, no Streamlit."""
