"""Files: eigenvalues that dse-dsmi can read, and spectra. Each is one ``.npz``, written all or nothing."""
