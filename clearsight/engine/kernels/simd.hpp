// Vectors of W numbers: W = 16 with AVX-512, 8 with AVX2, 4 elsewhere.
//
// Arithmetic, comparison and conversion are the compiler's vector extension, so that the portable build is also the
// readable definition of the others; intrinsics are used only for what the extension cannot say. The file must be
// compiled with -ffp-contract=off: a product and a sum are fused where `fma` says so and nowhere else, which keeps the
// result of a row independent of the loop that computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define SIMD_AVX512 1
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define SIMD_AVX2 1
#endif
#if SIMD_AVX2 && !defined(__AVXVNNI__)
#define SIMD_AVX2_WITHOUT_VNNI 1
#else
#define SIMD_AVX2_WITHOUT_VNNI 0
#endif

namespace simd {

#if SIMD_AVX512
constexpr int W = 16;
#elif SIMD_AVX2
constexpr int W = 8;
#else
constexpr int W = 4;
#endif

using Floats = float __attribute__((vector_size(4 * W)));
using Ints = int32_t __attribute__((vector_size(4 * W)));
using Words = uint32_t __attribute__((vector_size(4 * W)));
using Shorts = uint16_t __attribute__((vector_size(4 * W)));
using Bytes = uint8_t __attribute__((vector_size(W)));
using SignedBytes = int8_t __attribute__((vector_size(W)));

// IEEE half precision in memory; arithmetic on it is done in float.
struct Half {
    uint16_t bits;
};

#define INLINE inline __attribute__((always_inline))

template <class Vector, class T>
INLINE Vector load_as(const T* from) {
    Vector value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class Vector, class T>
INLINE void store_as(T* to, Vector value) {
    std::memcpy(to, &value, sizeof value);
}

INLINE Floats load(const float* from) { return load_as<Floats>(from); }
INLINE void store(float* to, Floats value) { store_as(to, value); }
INLINE Floats splat(float value) { return value - Floats{}; }  // unlike a sum, even -0 stays what it is
INLINE Ints splat(int32_t value) { return Ints{} + value; }
INLINE Ints as_ints(Floats value) { return reinterpret_cast<Ints>(value); }
INLINE Floats as_floats(Ints value) { return reinterpret_cast<Floats>(value); }

INLINE Floats fma(Floats a, Floats b, Floats c) {
#if SIMD_AVX512
    return _mm512_fmadd_ps(a, b, c);
#elif SIMD_AVX2
    return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
    return vfmaq_f32(c, a, b);
#else
    return a * b + c;
#endif
}

INLINE Floats max(Floats a, Floats b) {
#if SIMD_AVX512
    return _mm512_max_ps(a, b);
#elif SIMD_AVX2
    return _mm256_max_ps(a, b);
#else
    return a > b ? a : b;
#endif
}

INLINE Floats min(Floats a, Floats b) {
#if SIMD_AVX512
    return _mm512_min_ps(a, b);
#elif SIMD_AVX2
    return _mm256_min_ps(a, b);
#else
    return a < b ? a : b;
#endif
}

INLINE Floats abs(Floats a) { return as_floats(as_ints(a) & 0x7fffffff); }

// Adds to each lane the dot product of its four unsigned bytes of `w` and four signed bytes of `a`. Exact.
INLINE Ints dot4(Ints sum, Ints w, Ints a) {
#if SIMD_AVX512 && defined(__AVX512VNNI__)
    return (Ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)a);
#elif SIMD_AVX512
    const __m512i w_even = _mm512_and_si512((__m512i)w, _mm512_set1_epi16(0xff));
    const __m512i w_odd = _mm512_srli_epi16((__m512i)w, 8);
    const __m512i a_even = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)a, 8), 8);
    const __m512i a_odd = _mm512_srai_epi16((__m512i)a, 8);
    return sum + (Ints)_mm512_madd_epi16(w_even, a_even) + (Ints)_mm512_madd_epi16(w_odd, a_odd);
#elif SIMD_AVX2 && defined(__AVXVNNI__)
    return (Ints)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, (__m256i)a);
#else
    const Words unsigned_w = (Words)w, unsigned_a = (Words)a;
    for (int byte = 0; byte < 4; ++byte) {
        const Ints factor = (Ints)(unsigned_a << (24 - 8 * byte)) >> 24;
        sum += (Ints)((unsigned_w >> (8 * byte)) & 0xff) * factor;
    }
    return sum;
#endif
}

// Nearest integers, ties to even; for magnitudes below 2^22.
INLINE Ints round_to_ints(Floats value) {
    constexpr float SHIFT = 12582912.0f;  // 1.5 * 2^23: the integer appears in the low bits of the mantissa
    return as_ints(value + SHIFT) - 0x4b400000;
}

// Conversions between bytes and words, which compilers would do one by one.
INLINE Words widen(const uint8_t* from) {
#if SIMD_AVX512
    return (Words)_mm512_cvtepu8_epi32(load_as<__m128i>(from));
#elif SIMD_AVX2
    return (Words)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(load_as<int64_t>(from)));
#else
    return __builtin_convertvector(load_as<Bytes>(from), Words);
#endif
}

// For values within a signed byte.
INLINE SignedBytes narrow(Ints value) {
#if SIMD_AVX512
    return (SignedBytes)_mm512_cvtepi32_epi8((__m512i)value);
#elif SIMD_AVX2
    const __m128i low = _mm256_castsi256_si128((__m256i)value), high = _mm256_extracti128_si256((__m256i)value, 1);
    return (SignedBytes)_mm_cvtsi128_si64(_mm_packs_epi16(_mm_packs_epi32(low, high), low));
#else
    return __builtin_convertvector(value, SignedBytes);
#endif
}

#if SIMD_AVX2_WITHOUT_VNNI
// Shorts of eight integers a to h: a, c, b, d, e, g, f, h.
INLINE __m128i shorts(Ints value) {
    const __m256i order = _mm256_setr_epi32(0, 2, 1, 3, 4, 6, 5, 7);
    const __m256i sorted = _mm256_permutevar8x32_epi32((__m256i)value, order);
    return _mm_packs_epi32(_mm256_castsi256_si128(sorted), _mm256_extracti128_si256(sorted, 1));
}
#else
INLINE Ints shorts(Ints value) { return value; }  // nobody asks
#endif

INLINE float sum_of_lanes(Floats value) {
    float lanes[W];
    store(lanes, value);
    for (int half = W / 2; half; half /= 2)
        for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    return lanes[0];
}

INLINE float max_of_lanes(Floats value) {
#if SIMD_AVX512
    return _mm512_reduce_max_ps(value);
#endif
    float lanes[W];
    store(lanes, value);
    for (int half = W / 2; half; half /= 2)
        for (int i = 0; i < half; ++i) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    return lanes[0];
}

INLINE int32_t sum_of_lanes(Ints value) {
#if SIMD_AVX512
    return _mm512_reduce_add_epi32((__m512i)value);
#endif
    int32_t sum = 0;
    for (int i = 0; i < W; ++i) sum += value[i];
    return sum;
}

// 2^x to within 2 ulp for x up to 127; exactly 1 at 0, exactly 0 below -126 and for minus infinity.
INLINE Floats exp2(Floats x) {
    constexpr float SHIFT = 12582912.0f;  // as in round_to_ints
    const Floats inside = max(x, splat(-126.0f));
    const Floats shifted = inside + SHIFT;
    const Floats rest = inside - (shifted - SHIFT);  // within a half of 0
    Floats power = splat(1.5403530e-4f);
    power = fma(power, rest, splat(1.3333558e-3f));
    power = fma(power, rest, splat(9.6181291e-3f));
    power = fma(power, rest, splat(5.5504109e-2f));
    power = fma(power, rest, splat(2.4022651e-1f));
    power = fma(power, rest, splat(6.9314718e-1f));
    power = fma(power, rest, splat(1.0f));
    const Floats scaled = as_floats(as_ints(power) + (as_ints(shifted) << 23));
    return as_floats(as_ints(scaled) & (x >= -126.0f));
}

// 1 / (1 + e^-x)
INLINE Floats sigmoid(Floats x) { return 1.0f / (exp2(min(x * -1.44269504f, splat(126.0f))) + 1.0f); }

#if !(SIMD_AVX512 || SIMD_AVX2)
inline float to_float(Half half) {
    const uint32_t sign = (half.bits & 0x8000u) << 16, magnitude = half.bits & 0x7fffu;
    float value;
    if (magnitude >= 0x7c00u) {  // infinity, not a number
        const uint32_t bits = 0x7f800000u | (magnitude << 13);
        std::memcpy(&value, &bits, 4);
    } else {  // shifting the exponent's bias by a product treats subnormal numbers right as well
        const uint32_t bits = magnitude << 13;
        std::memcpy(&value, &bits, 4);
        value *= 5.192296858534828e33f;  // 2^112
    }
    return sign ? -value : value;
}

inline Half to_half(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const uint16_t sign = (bits >> 16) & 0x8000u;
    float magnitude = value < 0 ? -value : value;
    if (!(magnitude < 65520.0f)) return {uint16_t(sign | (magnitude == magnitude ? 0x7c00u : 0x7e00u))};
    magnitude *= 1.925929944387236e-34f;  // 2^-112
    std::memcpy(&bits, &magnitude, 4);
    bits += 0xfff + ((bits >> 13) & 1);
    return {uint16_t(sign | (bits >> 13))};
}
#endif

INLINE Floats load(const Half* from) {
#if SIMD_AVX512
    return _mm512_cvtph_ps(load_as<__m256i>(from));
#elif SIMD_AVX2
    return _mm256_cvtph_ps(load_as<__m128i>(from));
#else
    Floats value;
    for (int i = 0; i < W; ++i) value[i] = to_float(from[i]);
    return value;
#endif
}

INLINE void store(Half* to, Floats value) {
#if SIMD_AVX512
    store_as(to, _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif SIMD_AVX2
    store_as(to, _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
    for (int i = 0; i < W; ++i) to[i] = to_half(value[i]);
#endif
}

}  // namespace simd
