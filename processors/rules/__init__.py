"""The rules as data (code lists, transitions, clocks, calendars, texts, settings), and their typed loader."""
