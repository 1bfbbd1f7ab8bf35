"""
The words of a message.

facts.py      everything a text may use, in the words of one language
templates.py  the texts of the rules, filled in with the facts
fitting.py    what is shortened so that a text message fits
segments.py   GSM-7 or UCS-2, and in how many segments
dates.py      dates and times; clean.py what others wrote; gsm7.py the alphabet of text messages; style.py how it is written
"""
