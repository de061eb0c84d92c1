"""Things and where they are: shapes, icons, solids in perspective, people with badges; marks drawn on pictures; pairs
in which something changed, and moments of something going on.
"""
