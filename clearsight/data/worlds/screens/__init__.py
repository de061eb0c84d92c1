"""Screens of telephones and computers: what is on them, how either kind is drawn, and what is asked."""
