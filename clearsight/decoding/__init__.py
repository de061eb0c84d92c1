"""From scores to text: what the exact generator and the engine share, so that both choose and stop alike."""
