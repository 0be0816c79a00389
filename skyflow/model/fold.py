"""Which jobs of a picture share a node. A module of its own, so that the command line can name it at no cost."""

from enum import StrEnum

__all__ = ["Fold"]


class Fold(StrEnum):
    """Which jobs share a node."""

    AUTO = "auto"
    """The jobs of a matrix; and where there are very many nodes, those that wait for the same and are waited for by the same."""
    ALL = "all"
    """Also the jobs of a called workflow."""
    NONE = "none"
    """None: each has its own."""
