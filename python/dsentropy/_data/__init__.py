"""Data sets: rows and pairs of rows, their subsets, clusters, nearest neighbours and fingerprints."""
