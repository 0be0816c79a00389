"""Rules about what a workflow means, once its shape is right: one module for each, listed in `registry`."""
