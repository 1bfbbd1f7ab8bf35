"""The pages: one file per subject; each page is a function of the console's `Pages` and the request."""
