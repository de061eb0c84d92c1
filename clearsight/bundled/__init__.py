"""The trained parts of the bundled model, and its sample picture."""
