"""Files: embeddings and labels are read; eigenvalues that dse-dsmi can read, and spectra, are written as well.

Each file that is written is one ``.npz``, written all or nothing.
"""

from dsentropy.io.embeddings import read_embeddings
from dsentropy.io.labels import read_labels

__all__ = ["read_embeddings", "read_labels"]
