"""How link models learn: one loop, the split by identity, and a lesson for each model. Needs torch."""
