"""Training: exact, guarded, distributed. See `trainer` for the loop, `config` for what a run is described by."""
