"""
The staff's pages: reviewers, operators, administrators, advocates.

app.py        routes
pages/        one file a subject
page.py       shared by all pages
formats.py    instants, durations and records as people read them
security.py   headers, CSRF, who is signed in
contacts.py   where a registrant is reached
actions.py    the changes that pages can make: records on the pipeline's topics, with the person's name
overview.py   the stages as measured by the watch
"""
