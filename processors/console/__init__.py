"""
The staff's pages: reviewers, operators, administrators, advocates.

app.py            routes
pages/            one file per subject
page.py           shared by all pages
formats.py        how the pages write times, durations and records
security.py       headers, CSRF protection, who is signed in
people.py         users, their roles and states; sign-in by the local user or a proxy
openid.py         sign-in by OpenID Connect
contacts.py       a registrant's contacts
registrations.py  registrations that the staff make
actions.py        the changes that pages can make: records on the pipeline's topics, with the user's name
overview.py       the stages as measured by the watch
"""
