"""What is remembered: one SQLite file for every run, job, attempt, step and event of a project."""
