"""Read: the first part of ingest. Parses and checks what outsiders send, and accepts or rejects it; stateless."""
