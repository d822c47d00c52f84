"""Networks (pure torch) and their Lightning modules, one folder per task."""
