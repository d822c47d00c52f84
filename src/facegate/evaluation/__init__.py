"""Score tables from bundles and packs, and the metrics and plots made of them."""
