"""Layers of a PyTorch model, measured at sweeps over a fixed set of items, while the training stays as it is."""
