"""One module per data set; each turns its layout on disk into the same samples."""
