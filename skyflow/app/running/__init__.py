"""Runs: begun, driven, watched, cancelled, gone on with."""
