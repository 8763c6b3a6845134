"""Figures: data in, a plotly figure out. No files, no Streamlit."""
