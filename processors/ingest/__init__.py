"""
Ingest: the one front door, in two steps.

read.py       tells the format, parses, checks, rejects: without state, in as many copies as there are cores
identify.py   finds or makes the offender's key, counts surges, remembers messages, routes: one owner, one order
"""
