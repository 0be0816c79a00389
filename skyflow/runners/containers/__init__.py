"""Jobs and steps in containers, through the command line that docker and podman share."""
