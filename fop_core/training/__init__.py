"""Training: models, data, and the loop."""
