"""
Ingest: the one front door, in two steps.

read/         parses, checks, and accepts or rejects what outsiders send: without state, in as many copies as there are cores
identify/     finds or makes the offender's key, counts surges, remembers messages and routes them: one owner, one order
"""
