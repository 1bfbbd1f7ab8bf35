"""The job by which stream processors are compared, as a stage of this pipeline and in other systems."""
