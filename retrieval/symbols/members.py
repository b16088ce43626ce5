"""What a declared thing has, and what is known of it in the file that declares it."""

from dataclasses import dataclass, field

from retrieval.index.declarations import Kinds


@dataclass(frozen=True, slots=True)
class Members:
    """The names that may stand after a dot and what they are, besides those of the `bases`, which
    are names themselves where the thing is declared. Without `complete` there may be more."""

    names: Kinds = field(default_factory=dict)
    complete: bool = True
    bases: tuple[str, ...] = ()

    def __or__(self, other: "Members") -> "Members":
        """What is declared in two pieces has the names of both."""
        return Members(
            {**self.names, **other.names},
            self.complete and other.complete,
            (*self.bases, *other.bases),
        )


OPEN = Members(complete=False)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a declared name itself has, and what a value has that is of the type it names.

    None where it is no value, or no type. A class makes values of its own type.
    """

    itself: Members | None = None
    of_type: Members | None = None
    is_class: bool = False

    def __or__(self, other: "Declared") -> "Declared":
        """A name may be declared in several pieces."""
        return Declared(
            together(self.itself, other.itself),
            together(self.of_type, other.of_type),
            self.is_class or other.is_class,
        )


UNKNOWN = Declared(OPEN, OPEN)


def together(one: Members | None, other: Members | None) -> Members | None:
    return one | other if one is not None and other is not None else one or other
