"""
Ingest: the one front door, in two steps.

read/         parses, checks, and accepts or rejects what outsiders send; stateless, so any number of copies can run
identify/     finds or makes the offender's key, counts surges, remembers messages and routes them; one partition
"""
