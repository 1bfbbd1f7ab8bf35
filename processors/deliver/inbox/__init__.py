"""The inputs: notifications, registrations, receipts, reviewers' actions; each has a file and returns a partial decision."""
