"""From a workflow and the catalog to a plan, and what can be said about it."""
