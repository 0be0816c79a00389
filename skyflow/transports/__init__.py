"""Ways to reach another machine, one module each; see `skyflow.ports.transport`."""
