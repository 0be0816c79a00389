"""`skyflow`, and `python -m skyflow`."""

from skyflow.errors import EXIT_INTERRUPTED

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C while it is being imported shows no traceback."""
    try:
        from skyflow.cli import main as run  # noqa: PLC0415 -- takes long enough to be interrupted
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
    run()


if __name__ == "__main__":
    main()
