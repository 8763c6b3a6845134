"""A button that copies the page's address, which holds its whole state."""

from pages.components.component import component

_mount = component("copy_link")


def copy_link(key: str) -> None:
    """Show the button."""
    _mount(key=key, width="content")
