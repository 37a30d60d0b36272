"""Training: what models learn from, the one loop that trains them all, and recipes."""
