"""First lessons of the bundled model: five small worlds with few, large parts, and the skills its scores are of."""
