"""Puzzles: boards and patterns as they are drawn, and what is asked and said of them."""
