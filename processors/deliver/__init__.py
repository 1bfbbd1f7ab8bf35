"""
Deliver: notifies each registrant on every channel, in their language.

decide.py     the stage: which state an input needs, and which file decides on it
inputs/       the inputs: notifications, registrations, receipts, replies, reviewers' actions
gathering.py  merges notifications of one event; applies changes and cancellations to what was not sent yet
due.py        what is due: sent, held until the end of quiet hours, flagged for review, or dropped
quiet.py      quiet hours
contacts.py   the contacts of a registrant
lifecycle.py  the transition tables of attempts and contacts
dispatch/     deliveries: attempts, and the outbound record of each
wording/      the texts of the rules, filled in with the facts
situation.py  the context of one decision
state.py      the state of one registrant
answer/       the response to each submission, a unit of its own
"""
