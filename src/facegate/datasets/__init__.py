"""Arrow packs, data contracts, augmentation and Lightning data modules."""
