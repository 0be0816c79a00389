"""The live page: runs in a browser, served on this machine to whoever holds a token. It shows, and changes nothing."""
