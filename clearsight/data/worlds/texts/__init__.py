"""Text to be read for its own sake: lines on signs and labels, pages of prose, listings of code, and formulas."""
