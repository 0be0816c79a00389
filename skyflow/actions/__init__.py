"""The actions that are built in."""

from skyflow.actions.registry import BUILTINS

__all__ = ["BUILTINS"]
