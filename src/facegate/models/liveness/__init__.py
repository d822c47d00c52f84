"""Is this a live person: a clip, as a film strip."""
