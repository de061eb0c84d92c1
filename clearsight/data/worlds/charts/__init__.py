"""Charts: bars, lines, pies, points, boxes, histograms and heat maps, and what they share: a page, axes, subjects and
questions."""
