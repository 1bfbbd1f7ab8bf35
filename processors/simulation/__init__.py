"""A world like ICOTS's, and what must be told of it: known because the world made it, not because the pipeline said so."""
