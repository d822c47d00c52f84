"""The suite mirrors src/facegate."""
