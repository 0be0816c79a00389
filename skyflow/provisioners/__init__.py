"""Where machines come from, one module per provider; they know nothing of one another."""
