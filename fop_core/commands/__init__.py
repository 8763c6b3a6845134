"""One file a command of ``python -m fop_core``. Each imports what it needs when it runs."""
