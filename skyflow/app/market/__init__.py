"""What there is to rent and what one pays: tables, their refreshing, the project's own machines, and what was seen."""
