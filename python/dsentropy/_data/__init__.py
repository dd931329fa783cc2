"""Data sets: rows, subsets of them, clusters, neighbours."""
