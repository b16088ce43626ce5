"""Writing on from where a name that does not exist was written, as often as one is.

Its end has to be seen first. What stands before it is in the cache and not read again.
"""

from collections.abc import Callable
from dataclasses import replace

from completion.decoding import LENGTH, Branch, Decoded
from completion.monitors.watch import Watch
from models.kv_cache import KeyValueCache


def write_watched(
    write: Callable[[Branch], Decoded],
    first: Decoded,
    watch: Watch,
    cache: KeyValueCache,
    start: int,
    rewritten: int,
) -> Decoded:
    """What `write` writes after a branch, until `watch` finds nothing wrong.

    `first` is what it wrote first, `start` how many tokens `cache` holds before that, and
    `rewritten` how many bytes of it stand before the cursor.
    """
    decoded = first
    while True:
        shown, ended = rewritten + len(decoded.text.encode()), decoded.stop != LENGTH
        kept = watch.take_back(decoded.tokens, shown, ended=ended)
        if kept is None:
            return decoded
        cache.truncate(start + kept)
        again = write(Branch(decoded.tokens[:kept], decoded.log_probabilities[:kept]))
        decoded = replace(
            again,
            drafted=again.drafted + decoded.drafted,
            accepted=again.accepted + decoded.accepted,
            passes=again.passes + decoded.passes + bool(kept),  # the last token is read again
        )
