"""
The staff's pages: reviewers, operators, administrators, advocates.

app.py        which page answers at which path
pages/        one file a subject
page.py       what every page has
formats.py    instants, durations and records as people read them
security.py   headers, CSRF, who is signed in
actions.py    what a page may change: records on the pipeline's topics, with the person's name
overview.py   the stages as the watch sees them
"""
