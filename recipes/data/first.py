"""A first corpus: 200,000 generated pictures of all worlds alike, with their questions.

clearsight data build recipes/data/first.py --out runs/data/first
"""

from clearsight.data.build import Recipe, Worlds

RECIPE = Recipe(parts=(Worlds(count=200_000),))
