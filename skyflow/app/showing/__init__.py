"""What is stored of runs, put together for looking at."""
