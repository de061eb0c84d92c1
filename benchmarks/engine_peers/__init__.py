"""The contenders of `benchmarks.engine`: their environments, weights, workers, and what each is asked."""
