"""Seeds as a person writes them, on the page and on the command line."""

import re

from fop_core.training.config import ConfigError, TrainConfig, change

MOST = 100  # seeds at once


def seeds(text: str) -> list[int]:
    """Return the seeds that "0, 1, 2", "0-2" or "0-2,5" means, each once, in the order given.

    Raises:
        ConfigError: where it means none, too many, or one that is no seed.
    """
    listed: list[int] = []
    for word in re.split(r"[\s,]+", re.sub(r"\s*-\s*", "-", text.strip())):
        match = re.fullmatch(r"([0-9]{1,30})(?:-([0-9]{1,30}))?", word)
        if match is None:
            raise ConfigError(("", f"{word!r:.40} given; write 0, 1, 2 or 0-2"))
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ConfigError(("", f"{word} runs backwards; write {last}-{first}"))
        for number in (first, last):
            change(TrainConfig(), [f"seed={number}"])
        if last - first >= MOST:
            raise ConfigError(("", f"{word} are {last - first + 1:,} seeds; at most {MOST} go at once"))
        listed += range(first, last + 1)
    listed = list(dict.fromkeys(listed))
    if len(listed) > MOST:
        raise ConfigError(("", f"{len(listed):,} seeds given; at most {MOST} go at once"))
    return listed
