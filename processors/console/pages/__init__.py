"""The pages: one file a subject, each a function of the console's `Pages` and the request."""
