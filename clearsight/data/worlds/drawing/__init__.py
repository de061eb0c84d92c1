"""What worlds draw with: fonts and scripts, text set so that every character's place is known, colours and backgrounds,
smooth lines, plain shapes, drawings of things and people, and the parts of pages and screens. Nothing here asks.
"""
