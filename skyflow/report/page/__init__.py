"""The report of a run: one HTML file that needs nothing else, no network, and no JavaScript to be read."""
