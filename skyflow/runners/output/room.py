"""How much of what a step prints is still kept."""

from skyflow.model.units import format_gb

__all__ = ["OutputRoom"]


class OutputRoom:
    """Room for what one step prints, on however many machines it does."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._left = limit_bytes
        self._is_said = False

    def take(self, size: int) -> int:
        """Return how many of so many bytes there is room for, which are taken."""
        taken = min(size, self._left)
        self._left -= taken
        return taken

    def last_word(self) -> str:
        """Return what is to be said when there is too little room, empty when it was said."""
        if self._is_said:
            return ""
        self._is_said = True
        return (
            f"this step has printed more than {format_gb(self._limit_bytes / 10**9)}: what came after is left out, and no command "
            "in it is obeyed; 'log-limit' in skyflow.yml says how much is kept"
        )
