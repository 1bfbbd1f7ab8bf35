"""
Ingest: the entrance to the pipeline, in two parts.

read/         parses and checks what outsiders send, and accepts or rejects it; stateless, so any number of instances can run
identify/     finds or creates the offender's key, counts surges, remembers messages and routes them; one partition
"""
