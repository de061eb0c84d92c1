"""Inference for many conversations at once: scheduler, blocks, caches, kernels."""
