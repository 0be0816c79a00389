"""Fetching new prices and carbon figures from the official sources, and deciding whether to believe them.

Each source yields quotes page by page. Quotes are laid over the tables in use, the result has to pass the `gates`, and
only then is it written: to a folder of its own, which takes the place of the old one in a single move.
"""
