"""`skyflow top`: the newest runs on a full screen, and the jobs of one of them, kept up to date."""
