"""Spectra, and how they are solved for."""
