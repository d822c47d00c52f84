"""The embedded data set: rendered people, their presentation attacks and their clips."""
