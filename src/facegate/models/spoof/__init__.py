"""Is this a live person: one frame, in its surroundings."""
