"""Read: what outsiders send becomes checked records, in one total order."""
