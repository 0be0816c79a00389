"""`skyflow expr`."""

import sys
from typing import Annotated

import typer

__all__ = ["expr"]


def expr(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="An expression, with or without ${{ }}.")
    ] = None,
    *,
    context: Annotated[
        str | None,
        typer.Option(
            "--context", metavar="FILE", help="A JSON file whose keys are the contexts; - for standard input."
        ),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help='Answer JSON lines {"expr": ..., "context": {...}} from standard input.')
    ] = False,
) -> None:
    """Evaluate an expression of the workflow language."""
    from skyflow.app.expression import evaluate_text  # noqa: PLC0415 -- start-up
    from skyflow.errors import UsageError  # noqa: PLC0415
    from skyflow.expr import answer  # noqa: PLC0415

    if batch:
        if expression is not None or context is not None:
            raise UsageError("--batch reads expressions and contexts from standard input; give neither beside it")
        for line in sys.stdin.buffer:
            sys.stdout.write(f"{answer(line.decode(errors='replace'))}\n")
            sys.stdout.flush()
        return
    if expression is None:
        raise UsageError("give an expression, or --batch", hint="skyflow expr \"contains('abc', 'b')\"")
    sys.stdout.write(f"{evaluate_text(expression, context_path=context)}\n")
