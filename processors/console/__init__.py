"""
The staff's pages: reviewers, operators, administrators, advocates.

app.py        the pages and what each asks
security.py   headers, CSRF, who is signed in
actions.py    what a page may change: records on the pipeline's topics, with the person's name
overview.py   who has not been told yet, and the stages, from the watch
"""
