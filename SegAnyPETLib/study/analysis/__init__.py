"""Statistics of a reader study; the libraries of the extra ``study`` do the computing."""
