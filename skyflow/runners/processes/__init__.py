"""Processes that outlive the one that wanted them, are found again, and end when they must."""
