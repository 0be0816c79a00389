"""The live page: runs in a browser, served to whoever holds a token; what its buttons begin is another process."""
