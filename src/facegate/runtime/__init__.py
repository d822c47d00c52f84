"""The model contract on disk, and sessions that honour it: what runs on the edge."""
