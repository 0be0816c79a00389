"""How steps run on a machine: shells, command files, masks, and processes that end when they must."""
