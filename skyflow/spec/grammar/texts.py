"""Texts, and lists and maps of them."""

from skyflow.spec.availability import NOTHING, Availability
from skyflow.spec.grammar.shapes import Shape, items, table, text

__all__ = ["LABEL_LIST", "NON_EMPTY", "SHELL", "TEXT", "WORKING_DIRECTORY", "texts"]

TEXT = text()
NON_EMPTY = text("text that is not empty", non_empty=True)
LABEL_LIST = items("a list of texts that are not empty", NON_EMPTY)
SHELL = NON_EMPTY.about(
    "The program that runs the script: `bash`, `sh`, `python`, `pwsh`, `powershell`, `cmd`, or a command line with "
    "`{0}` where the name of the script goes."
)
WORKING_DIRECTORY = NON_EMPTY.about("Where the script runs; relative to the workspace.")


def texts(description: str, where: Availability = NOTHING, values: Shape = TEXT) -> Shape:
    """Return the shape of a map from names to texts, such as `env`."""
    return table("a map from names to text", other=values, where=where).about(description)
