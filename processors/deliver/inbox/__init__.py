"""What comes in: notifications, registrations, receipts, reviewers' actions; a file each, a partial decision each."""
