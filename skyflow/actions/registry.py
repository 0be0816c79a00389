"""The built-in actions, by name."""

from collections.abc import Mapping

from skyflow.actions.cache import CACHE, CACHE_RESTORE, CACHE_SAVE
from skyflow.actions.call import BuiltinAction
from skyflow.actions.checkout import CHECKOUT
from skyflow.actions.download_artifact import DOWNLOAD_ARTIFACT
from skyflow.actions.setup_node import SETUP_NODE
from skyflow.actions.setup_python import SETUP_PYTHON
from skyflow.actions.upload_artifact import UPLOAD_ARTIFACT

__all__ = ["BUILTINS"]

BUILTINS: Mapping[str, BuiltinAction] = {
    action.name: action
    for action in (
        CHECKOUT,
        UPLOAD_ARTIFACT,
        DOWNLOAD_ARTIFACT,
        CACHE,
        CACHE_RESTORE,
        CACHE_SAVE,
        SETUP_PYTHON,
        SETUP_NODE,
    )
}
"""Every built-in action, by its name in lower case."""
