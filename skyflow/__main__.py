"""`python -m skyflow`."""

from skyflow.cli import main

if __name__ == "__main__":
    main()
