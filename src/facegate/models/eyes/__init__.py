"""Are the eyes open: one eye, cut out of a face."""
