"""Native kernels for plain CPUs: C++ that the user's own compiler builds on first use.

    build.py        compiles the sources once for this processor and loads the library
    quantise.py     int8 and int4 weights, and scales that even out the inputs they meet
    layout.py       weights in the order in which the kernels read them
    memory.py       the region of memory that they lie in
    native.py       the decoder behind a Python class
    vision.py       the vision tower and connector behind another
    simd.hpp        vectors for AVX-512, AVX2 and the rest
    pool.hpp        threads that wait for nobody the system does not run
    matmul.hpp      products with packed weights
    attention.hpp   softmax attention over tiles of keys
    decoder.cpp     the decoder over paged keys and values
    vision.cpp      the vision tower and connector

Where there is no compiler, `NoCompiler` says so and the caller stays with PyTorch.
"""

from clearsight.engine.kernels.build import NoCompiler
from clearsight.engine.kernels.native import NativeDecoder
from clearsight.engine.kernels.vision import NativeVision

__all__ = ["NativeDecoder", "NativeVision", "NoCompiler"]
