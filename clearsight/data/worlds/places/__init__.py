"""Places: invented maps with their land and signs, and the flags of countries, real ones and invented ones."""
