"""What people and programs see of a plan and a run. `rich` is imported only where something is drawn with it."""
