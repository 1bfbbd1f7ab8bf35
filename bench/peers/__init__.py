"""The job that stream processors were compared by, as a stage of ours and as others have it."""
