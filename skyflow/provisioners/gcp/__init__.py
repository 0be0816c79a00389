"""Google Compute Engine, through google-cloud-compute."""
