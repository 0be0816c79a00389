"""What a step says: its lines, the workflow commands and problems among them, and the files it answers through."""
