"""The four functions of dse-dsmi, with their signatures."""
