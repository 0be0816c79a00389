"""Keeps artifacts and caches: trees of files whose contents are stored once, under their digest."""
