"""Answer: sends exactly one response to each submission (contract §5, Responses)."""
