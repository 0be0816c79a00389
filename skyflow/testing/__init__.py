"""Contracts as tests, for whoever writes another implementation of a port."""
