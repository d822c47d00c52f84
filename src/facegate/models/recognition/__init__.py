"""Who is this: embeddings of aligned faces."""
