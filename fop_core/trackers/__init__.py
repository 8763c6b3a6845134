"""Runs to and from other programs: callbacks of their trainers, and files of other experiment trackers.

    from fop_core.trackers.huggingface import RunCallback      # transformers
    from fop_core.trackers.lightning import RunCallback        # lightning
    from fop_core.trackers import tensorboard, tables               # files, to and from

Each module imports its package when it is imported or called, and nothing else imports these modules at load. They
know runs and nothing above them; what they draw, ``fop_core.figures`` colours.
"""
