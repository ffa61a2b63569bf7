"""The commands of ``ambient``, one module each; imported when they are called."""

WIDE = 1000
"""Columns of what is printed as a table: a name or a reason is never cut, and a pipe gets one line per row."""
