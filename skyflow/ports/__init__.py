"""What the features need of each other, as protocols: signatures and their contracts, nothing else."""
