"""How the database came to have its shape, a function for each change: append only, never edit one that was released.

A new one goes into the module of what it changes, with the next number, and to the end of the list in `migrate.py`.
"""
