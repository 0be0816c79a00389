"""Runs jobs in the queue of a Slurm cluster: what is asked of it, what it answers, and a place that does both."""
