"""Look into what FOP learned: matrices at a step cursor, their spectra, how they turn gradients, how two compare."""

import streamlit as st

from fop_core.runs.files import DamagedFile
from fop_core.runs.learned import Layer
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.preconditioners import compare, downloads, fork, inspector, observed, panels, rotation, whitening
from pages.preconditioners.settings import FIELDS, PRESETS, RENAMED, VALUES
from pages.preconditioners.sources import Source, damaged, known, labels, of_entry
from pages.preconditioners.uploads import uploaded
from pages.shared.first_run import first_run
from pages.shared.form import Form
from pages.shared.reruns import run_again
from pages.shared.text import literal

FIRST = "cifar10-fop-velocity"  # of the gallery: what a newcomer sees first
PANELS = {
    "spectrum": panels.spectrum,
    "histograms": panels.histograms,
    "rotation": rotation.rotation,
    "whitening": whitening.whitening,
    "fork": fork.fork,
}
TICK = 3  # seconds after which a run that trains is asked for newer snapshots

form = Form("preconditioners", PRESETS, FIELDS, {"all": VALUES}, tuple(VALUES), renamed=RENAMED)
runs = known()


def run_of(name: str, none: str = "") -> str:
    """Show the choice of a run; return its id, or "" for none of them."""
    key = form.give(name)
    options = ([""] if none else []) + list(runs)
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    st.selectbox(
        FIELDS[name].label,
        options,
        key=key,
        format_func=lambda id_: runs[id_].name if id_ in runs else none,
        help=None if none else "Runs that learn a preconditioner: the gallery's, then your own, the newest first",
    )
    return form.take_over(name)


def layer_of(name: str, source: Source) -> Layer | None:
    """Show the choice of a layer with a matrix; return it."""
    layers = {layer.name: layer for layer in source.matrices}
    if not layers:
        return None
    key = form.give(name)
    if st.session_state[key] not in layers:
        st.session_state[key] = form["layer"] if form["layer"] in layers else list(layers)[-1]
    cut = labels(list(layers))  # a select cuts at the end, where layers differ
    st.selectbox(FIELDS[name].label, list(layers), key=key, format_func=cut.__getitem__)
    return layers[form.take_over(name)]


def chosen() -> None:
    """Take over what the reader chose at the matrices."""
    if (now := st.session_state["inspector"].chosen) is not None:
        form.put(**{name: now[name] for name in ("layer", "see", "view", "range")})


def on_cursor_change() -> None:
    """Take over the cursor's step."""
    if (step := st.session_state["step cursor"].at) is not None:
        form.put(at=int(step))


def sidebar() -> tuple[Source | None, tuple[Source, Layer] | None]:
    """Show what is looked into, and what is beside it; return both."""
    form.draw("source")
    if form["source"] == "file":
        own = uploaded(form)
        return own, beside_of() if own else None
    if not runs:
        return None, None
    if form["run"] not in runs:
        missing = form["run"]
        form.put(run=FIRST if FIRST in runs else next(iter(runs)))
        if missing:
            notes.warning(literal(f"{absent(missing)}. {runs[form['run']].name} is shown."))
    source = of_entry(runs[run_of("run")])
    if isinstance(source, str):
        notes.error(literal(source))
        return None, None
    return source, beside_of()


def absent(id_: str) -> str:
    """Say why a run is not among those that can be looked into."""
    damage = {entry.id: entry.damage for entry in damaged()}.get(id_)
    return (
        f"{id_} is not here: it may have been deleted, or has no preconditioner"
        if damage is None
        else (f"{id_} is damaged: {damage}")
    )


def beside_of() -> tuple[Source, Layer] | None:
    """Show the choice of a layer beside the chosen one."""
    if form["beside"] and form["beside"] not in runs:
        notes.warning(literal(f"Nothing stands beside: {absent(form['beside'])}."))
        form.put(beside="")
    id_ = run_of("beside", none="Nothing")
    if not id_:
        return None
    other = of_entry(runs[id_])
    if isinstance(other, str):
        notes.error(literal(other))
        return None
    if (layer := layer_of("other", other)) is None:
        notes.info(literal(f"{other.name} has no matrix to stand beside."))
        return None
    return other, layer


def empty() -> None:
    """Say how to begin."""
    if form["source"] == "file":
        st.markdown(
            "**Your own matrices.** Save what was learned in your script, then bring the file in the sidebar. Every "
            "picture that needs no gradients works on it."
        )
        st.code(
            'from safetensors.torch import save_file\n\nsave_file(optimizer.factors(), f"M-{step}.safetensors")',
            language="python",
        )
        return
    st.markdown("**Nothing was learned yet.** Train a network with FOP first; MNIST takes a minute.")
    first_run()


def show(source: Source, beside: tuple[Source, Layer] | None) -> None:
    """Show the cursor, the matrices and the panel that is asked for."""
    layers = source.learned.layers
    name = form["layer"] if form["layer"] in layers else list(layers)[-1]
    if form["layer"] not in ("", name):
        if st.session_state.get("inspect source", source.id) == source.id:  # by a link, not by choosing another run
            notes.info(literal(f"{source.name} has no layer {form['layer']}: {name} is shown."))
        form.put(layer="")
    st.session_state["inspect source"] = source.id
    layer = layers[name]
    observed.strip(form, source)
    inspector.cursor(source, form["at"], on_cursor_change, "step cursor")
    selection = {"layer": name, "see": form["see"], "view": form["view"], "range": form["range"]}
    inspector.inspector(source, beside, selection, chosen, "inspector")
    form.draw("panel")
    if form["panel"] == "compare":
        compare.compared(form, source, layer, beside)
    else:
        PANELS[form["panel"]](form, source, layer)
    with tools:
        downloads.draw(form, source, layer, beside)


@st.fragment(run_every=TICK)
def growing(source: Source) -> None:
    """Say that a run trains on, and show its newer snapshots when the reader wants them: nothing jumps by itself."""
    entry = known().get(source.id)
    if entry is None or not entry.alive:
        return
    try:
        steps, shown = entry.run.snapshot_steps(), source.learned.steps
    except (DamagedFile, OSError) as error:
        st.warning(literal(str(error)))
        return
    if not steps or (len(shown) and steps[-1] <= shown[-1]):
        st.caption("It is training: newer snapshots are offered here.")
        return
    if not len(shown) or st.session_state.pop("inspect newer", False):
        run_again()
    st.button(
        f"Show the newer snapshots, up to step {steps[-1]:,}",
        on_click=lambda: st.session_state.update({"inspect newer": True}),
    )


with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Preconditioners", anchor=False, width="content")
    st.caption("P, n × n, is what a layer's gradient is multiplied by.")
    with st.container(key="tools", horizontal=True, width="content"):
        tools = st.container(width="content")
        copy_link("copy")
form.draw_warnings()
notes = st.container()
with st.sidebar:
    source, beside = sidebar()
    for entry in damaged() if form["source"] == "run" else ():
        st.caption(literal(f"{entry.id} is damaged: {entry.damage}"))
if source is None:
    if form["source"] == "file" or not runs:
        empty()
else:
    if source.learned.missing:
        st.warning(literal(source.learned.missing))
    if source.learned.layers:
        show(source, beside)
    elif not source.learned.missing:
        st.info("It has no snapshot yet: the first comes with its first steps.")
    if source.entry is not None and source.entry.alive:
        growing(source)
deliver()
form.publish()
