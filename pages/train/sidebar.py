"""The sidebar of the Train page: what matters first, the rest under "More"."""

from collections.abc import Mapping

import streamlit as st

from fop_core.training.config import METHODS
from pages.shared.text import literal
from pages.shared.train.settings import FIRST, GROUPS, applies
from pages.train.form import TrainForm, about, differences, label

PAIRED = (("epochs", "batch_size"), ("optimizer.lr", "fop.hyper_lr"), ("fop.preconditioner",), ("fop.rank",))


def draw(form: TrainForm, wrong: Mapping[str, str]) -> None:
    """Show all settings, each with what is wrong with it."""
    form.draw_presets()
    form.draw_marked("method", wrong)
    st.caption(literal(about(form)))
    if METHODS[form["method"]].fop is not None:
        form.draw_marked("compare", wrong)
    _changes(form)
    for names in PAIRED:
        _row(form, [name for name in names if _applies(form, name)], wrong)
    of_a_folder = form["data.name"] == "folder" and "data.path" not in form.replaced
    if of_a_folder:
        form.draw_marked("data.path", wrong)
    _row(form, ["seeds", "device"], wrong)
    form.draw_marked("name", wrong)
    st.markdown("**More**")
    drawn = {*FIRST, "device"} - (set() if of_a_folder else {"data.path"})
    for title, group in GROUPS.items():
        here = [name for name in group if name not in drawn and (_applies(form, name) or name in wrong)]
        files = dict.fromkeys(form.replaced[name] for name in group if name in form.replaced)
        if here or files:
            bad = sum(name in wrong for name in here)
            with st.expander(
                f"{title}: {bad} wrong" if bad else title, expanded=bad > 0, key=f"train {title} {bad > 0}"
            ):
                for file in files:
                    st.caption(f"{literal(file)} has settings of its own, under Files of your own.")
                for name in here:
                    form.draw_marked(name, wrong)


def _applies(form: TrainForm, name: str) -> bool:
    return name not in form.replaced and applies(name, form.now)


def _row(form: TrainForm, names: list[str], wrong: Mapping[str, str]) -> None:
    for column, name in zip(st.columns(len(names)) if names else (), names):
        with column:
            form.draw_marked(name, wrong)


def _changes(form: TrainForm) -> None:
    changed = form.changed()
    words = "As the preset has it."
    if changed:
        names = [label(form, name) for name in changed]
        words = f"Changed from the preset: {', '.join(names[:4])}{' and more' if len(names) > 4 else ''}."
        lines = [f"- {name}: {literal(now)}, not {literal(then)}" for name, now, then in differences(form)]
        st.caption(words, help="\n".join(lines))
    else:
        st.caption(words)
    st.button("Reset to the preset", on_click=lambda: form.reset(form.preset), disabled=not changed, key="train reset")
