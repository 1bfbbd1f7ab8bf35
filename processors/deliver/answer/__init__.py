"""Answer: exactly one response a submission (contract §5, Responses)."""
