"""
The wording of messages.

facts.py      everything a text may use, in the words of one language
templates.py  the texts of the rules, filled in with the facts
fitting.py    what is shortened so that a text message fits
segments.py   GSM-7 or UCS-2, and in how many segments
dates.py      dates and times in words
clean.py      cleans what others wrote
gsm7.py       the alphabet of text messages
style.py      language, rules and time zone of a message
"""
