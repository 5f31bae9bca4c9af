"""One module a format: what makes it of the one before."""
