"""Readers of files of embeddings and labels, one a format; each imports its package where it reads."""
