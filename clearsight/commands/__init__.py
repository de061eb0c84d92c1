"""Groups of commands, and what all commands share."""
