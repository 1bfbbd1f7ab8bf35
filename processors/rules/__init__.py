"""The rules as data: code lists, transitions, clocks, calendars, texts and settings, and their typed loader."""
