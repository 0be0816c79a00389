"""What the bounds leave open: the formulation as a mixed-integer program, and python-mip to solve it."""
