"""Steps on another machine, over one session that is opened again whenever it broke."""
