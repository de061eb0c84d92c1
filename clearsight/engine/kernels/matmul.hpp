// Products with weight matrices in panels, and the one floating-point tile that attention uses as well.
//
// A panel is 32 outputs of a matrix. Its bytes lie in the order in which a tile reads them:
//
//   float32   for each input k:          32 floats
//   int8      for each four inputs:      32 x 4 unsigned bytes (weight + 128); lane n of a vector holds the four
//                                        weights of output n, as the dot product of bytes wants them
//   int4      for each 32 inputs (576 bytes), outputs 0..15, then 16..31:
//                4 x 64 bytes            byte (n, i) of the j-th holds weights of output n: input 8 j + i in the low
//                                        four bits, input 8 j + 4 + i in the high four
//             then for each half          16 bytes steps, 16 bytes lows
//             weight + 128 = step * four bits + low, which never leaves 0..255, so int4 is int8 with 16 levels a
//             group and every result is that of int8
//
// Inputs of a product are packed in tiles of up to TILE rows: for each k (or four k, as bytes) the rows side by side.
// Where a processor has no dot product of bytes (PAIRS), int8 products multiply shorts instead: each four bytes a, b, c, d
// of a row are packed as two pairs of shorts, (a, c) and (b, d).
// Sums over bytes are exact integers and those over floats run over k from 0 up, one chain a number, so a row's
// result depends neither on its tile nor on who computes it.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "simd.hpp"

using simd::Floats;
using simd::Half;
using simd::Ints;
using simd::W;

constexpr int PANEL = 32;
constexpr int VECTORS = PANEL / W;
constexpr bool PAIRS = SIMD_AVX2_WITHOUT_VNNI;
constexpr int TILE = W == 16 ? 12 : PAIRS ? 4 : W == 8 ? 6 : 2;  // rows
constexpr int GROUP = 32;
constexpr int PREFETCH_DISTANCE = 2048;  // bytes; the processor's own prefetching stops at the end of a page
constexpr int GROUP_BYTES = GROUP * PANEL;
constexpr int PACKED_GROUP_BYTES = GROUP_BYTES / 2 + 2 * PANEL;

// Vectors of a panel that a tile computes at once, so that its accumulators fit the registers. A few rows take them all:
// for them reading is what takes time, and that goes fastest from front to back.
constexpr int columns_at_once(int rows) { return W == 8 && rows > 2 ? 2 : VECTORS; }

enum class Kind : int { FLOAT32 = 0, INT8 = 1, INT4 = 2 };

struct Linear {
    Kind kind;
    int inputs;   // a multiple of 32
    int outputs;  // a multiple of 32
    const uint8_t* panels;
    const float* scales;  // one an output, unless float32

    int num_panels() const { return outputs / PANEL; }
    size_t panel_bytes() const {
        switch (kind) {
            case Kind::FLOAT32: return size_t(inputs) * PANEL * sizeof(float);
            case Kind::INT8: return size_t(inputs) * PANEL;
            default: return size_t(inputs / GROUP) * PACKED_GROUP_BYTES;
        }
    }
};

// How rows fall into tiles: as few as possible, as even as possible.
struct Tiling {
    int rows;
    int tiles;
    explicit Tiling(int rows) : rows(rows), tiles((rows + TILE - 1) / TILE) {}
    int begin(int tile) const { return int(int64_t(rows) * tile / tiles); }
    int tile_of(int row) const { return int((int64_t(row + 1) * tiles - 1) / rows); }
};

// Rows of inputs packed for products.
class Inputs {
   public:
    void reserve(int rows, int width) {
        if (bytes_.size() < size_t(rows) * width * sizeof(float) + 64) bytes_.resize(size_t(rows) * width * sizeof(float) + 64);
        if (scales_.size() < size_t(rows)) scales_.resize(rows), sums_.resize(rows);
        if (PAIRS && group_sums_.size() < size_t(rows) * width / GROUP) group_sums_.resize(size_t(rows) * width / GROUP);
    }

    void shape(int rows, int width, Kind kind) {
        tiling_ = Tiling(rows);
        width_ = width;
        kind_ = kind;
    }

    // Packs one row; the row's bytes are the nearest of 255 even steps up to its largest magnitude.
    void put(int row, const float* values) {
        const int tile = tiling_.tile_of(row), first = tiling_.begin(tile);
        const int count = tiling_.begin(tile + 1) - first;
        if (kind_ == Kind::FLOAT32) {
            float* to = floats(first) + (row - first);
            for (int k = 0; k < width_; ++k) to[size_t(k) * count] = values[k];
            return;
        }
        Floats largest{};
        for (int k = 0; k < width_; k += W) largest = simd::max(largest, simd::abs(simd::load(values + k)));
        const float scale = simd::max_of_lanes(largest) / 127.0f;
        const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
        int32_t* to = words(first) + (row - first);
        int32_t* group_sums = PAIRS ? group_sums_.data() + size_t(first) * (width_ / GROUP) + (row - first) : nullptr;
        Ints total{};
        for (int begin = 0; begin < width_; begin += GROUP) {
            Ints sum{};
            for (int k = begin; k < begin + GROUP; k += W) {
                const Ints q = simd::round_to_ints(simd::load(values + k) * inverse);
                sum += q;
                constexpr int BYTES = W / 4, SHORTS = W / 2;
                int32_t packed[SHORTS];
                if (PAIRS && kind_ == Kind::INT8) {
                    simd::store_as(packed, simd::shorts(q));
                    for (int i = 0; i < SHORTS; ++i) to[size_t(k / 2 + i) * count] = packed[i];
                } else {
                    simd::store_as(packed, simd::narrow(q));
                    for (int i = 0; i < BYTES; ++i) to[size_t(k / 4 + i) * count] = packed[i];
                }
            }
            if (PAIRS) group_sums[size_t(begin / GROUP) * count] = simd::sum_of_lanes(sum);
            total += sum;
        }
        scales_[row] = scale;
        sums_[row] = simd::sum_of_lanes(total) * 128;
    }

    const Tiling& tiling() const { return tiling_; }
    const void* tile(int first) const { return bytes_.data() + offset(first); }
    const int32_t* group_sums(int first) const { return group_sums_.data() + size_t(first) * (width_ / GROUP); }  // PAIRS only
    const float* scales() const { return scales_.data(); }
    const int32_t* sums() const { return sums_.data(); }  // 128 times the sum of the row's bytes

   private:
    size_t offset(int first) const {
        const size_t bytes = kind_ == Kind::FLOAT32 ? sizeof(float) : PAIRS && kind_ == Kind::INT8 ? sizeof(int16_t) : 1;
        return size_t(first) * width_ * bytes;
    }
    float* floats(int first) { return reinterpret_cast<float*>(bytes_.data() + offset(first)); }
    int32_t* words(int first) { return reinterpret_cast<int32_t*>(bytes_.data() + offset(first)); }

    std::vector<uint8_t> bytes_;
    std::vector<float> scales_;
    std::vector<int32_t> sums_;
    std::vector<int32_t> group_sums_;  // as tiles are: for each group the rows side by side
    Tiling tiling_{1};
    int width_ = 0;
    Kind kind_ = Kind::FLOAT32;
};

// sum[r][v] += a[r][k] * b[k][v] for ascending k. `b` holds a pointer for each vector of columns.
template <int Rows, int RowStride, int KStride, class T, int Vectors>
INLINE void multiply_add(Floats (&sum)[Rows][Vectors], const float* a, const T* const* b, ptrdiff_t b_stride, int depth) {
    for (int k = 0; k < depth; ++k) {
        Floats columns[Vectors];
        for (int v = 0; v < Vectors; ++v) columns[v] = simd::load(b[v] + k * b_stride);
        for (int r = 0; r < Rows; ++r) {
            const Floats x = simd::splat(a[r * RowStride + k * KStride]);
            for (int v = 0; v < Vectors; ++v) sum[r][v] = simd::fma(x, columns[v], sum[r][v]);
        }
    }
}

// What a tile of a linear layer needs to know; `out` receives Rows x PANEL floats.
struct TileCall {
    const uint8_t* panel;
    const void* inputs;
    int depth;
    const float* weight_scales;
    const float* row_scales;
    const int32_t* row_sums;
    const int32_t* group_sums;
    float* out;
};

template <int Rows>
void tile_float32(const TileCall& call) {
    constexpr int COLUMNS = columns_at_once(Rows);
    const float* panel = reinterpret_cast<const float*>(call.panel);
    for (int first = 0; first < VECTORS; first += COLUMNS) {
        Floats sum[Rows][COLUMNS] = {};
        const float* columns[COLUMNS];
        for (int v = 0; v < COLUMNS; ++v) columns[v] = panel + (first + v) * W;
        multiply_add<Rows, 1, Rows>(sum, static_cast<const float*>(call.inputs), columns, PANEL, call.depth);
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v < COLUMNS; ++v) simd::store(call.out + r * PANEL + (first + v) * W, sum[r][v]);
    }
}

// Asks for the weights that come a little later.
INLINE void fetch_ahead(const uint8_t* weights, int bytes) {
    for (int line = 0; line < bytes; line += 64) __builtin_prefetch(weights + PREFETCH_DISTANCE + line);
}

// Writes vectors [begin, end) of a packed int4 group as those of the int8 group it stands for.
INLINE void expand_group(const uint8_t* from, uint8_t* to, int begin = 0, int end = VECTORS) {
    for (int v = begin; v < end; ++v) {
        const int half = v * W / 16, lane = v * W % 16;
        const uint8_t* parameters = from + GROUP_BYTES / 2 + half * 32 + lane;
        const auto step = simd::widen(parameters);
        const auto low = simd::widen(parameters + 16);
        const auto steps = reinterpret_cast<simd::Shorts>(step | step << 16);
        const auto lows = low * 0x01010101u;
        for (int j = 0; j < GROUP / 8; ++j) {
            const auto both = simd::load_as<simd::Shorts>(from + half * 256 + j * 64 + lane * 4);
            // a step times four bits fits a byte, so two bytes are multiplied at once without a carry between them
            const auto first = reinterpret_cast<simd::Words>((both & 0x0f0f) * steps) + lows;
            const auto second = reinterpret_cast<simd::Words>((both >> 4 & 0x0f0f) * steps) + lows;
            simd::store_as(to + (2 * j) * 4 * PANEL + v * W * 4, first);
            simd::store_as(to + (2 * j + 1) * 4 * PANEL + v * W * 4, second);
        }
    }
}

// The results of exact sums over bytes.
template <int Rows, int Vectors>
INLINE void put_results(const TileCall& call, const Ints (&sum)[Rows][Vectors], int first) {
    for (int r = 0; r < Rows; ++r)
        for (int v = 0; v < Vectors; ++v) {
            const int column = (first + v) * W;
            const Floats exact = __builtin_convertvector(sum[r][v] - call.row_sums[r], Floats);
            simd::store(call.out + r * PANEL + column,
                        exact * call.row_scales[r] * simd::load(call.weight_scales + column));
        }
}

template <int Rows, bool Packed>
void tile_bytes(const TileCall& call) {
    constexpr int COLUMNS = columns_at_once(Rows);
    for (int first = 0; first < VECTORS; first += COLUMNS) {
        Ints sum[Rows][COLUMNS] = {};
        const int32_t* a = static_cast<const int32_t*>(call.inputs);
        const uint8_t* w = call.panel;
        for (int group = 0; group < call.depth / GROUP; ++group) {
            alignas(64) uint8_t expanded[Packed ? GROUP_BYTES : 1];
            const uint8_t* weights = w;
            constexpr int bytes = Packed ? PACKED_GROUP_BYTES : GROUP_BYTES;
            if (first == 0) fetch_ahead(w, bytes);
            if constexpr (Packed) {
                expand_group(w, expanded, first, first + COLUMNS);
                weights = expanded;
            }
            for (int step = 0; step < GROUP / 4; ++step) {
                Ints columns[COLUMNS];
                for (int v = 0; v < COLUMNS; ++v)
                    columns[v] = simd::load_as<Ints>(weights + step * 4 * PANEL + (first + v) * W * 4);
                for (int r = 0; r < Rows; ++r) {
                    const Ints x = simd::splat(a[r]);
                    for (int v = 0; v < COLUMNS; ++v) sum[r][v] = simd::dot4(sum[r][v], columns[v], x);
                }
                a += Rows;
            }
            w += bytes;
        }
        put_results(call, sum, first);
    }
}

#if SIMD_AVX2_WITHOUT_VNNI
// int8 as products of shorts. Weights are not asked for ahead: on Zen that is slower by a tenth than leaving it to the
// processor, while int4 without it takes half as long again.
template <int Rows>
void tile_pairs(const TileCall& call) {
    constexpr int COLUMNS = columns_at_once(Rows);
    for (int first = 0; first < VECTORS; first += COLUMNS) {
        Ints sum[Rows][COLUMNS] = {};
        const int32_t* a = static_cast<const int32_t*>(call.inputs);
        const uint8_t* w = call.panel;
        for (int group = 0; group < call.depth / GROUP; ++group) {
            for (int step = 0; step < GROUP / 4; ++step) {
                __m256i even[COLUMNS], odd[COLUMNS];
                for (int v = 0; v < COLUMNS; ++v) {
                    const auto four = simd::load_as<__m256i>(w + step * 4 * PANEL + (first + v) * W * 4);
                    even[v] = _mm256_and_si256(four, _mm256_set1_epi16(0xff));
                    odd[v] = _mm256_srli_epi16(four, 8);
                }
                for (int r = 0; r < Rows; ++r) {
                    const __m256i x = _mm256_set1_epi32(a[r]), y = _mm256_set1_epi32(a[Rows + r]);
                    for (int v = 0; v < COLUMNS; ++v) {
                        sum[r][v] += (Ints)_mm256_madd_epi16(even[v], x);
                        sum[r][v] += (Ints)_mm256_madd_epi16(odd[v], y);
                    }
                }
                a += 2 * Rows;
            }
            w += GROUP_BYTES;
        }
        put_results(call, sum, first);
    }
}

// int4 without expanding it: a group's sum of four bits times bytes fits a short (32 * 15 * 127 / 2 = 30,480 a lane),
// so steps and lows come in once a group: sum of (step * bits + low) * a = step * sum of bits * a + low * sum of a.
template <int Rows>
void tile_nibbles(const TileCall& call) {
    constexpr int COLUMNS = columns_at_once(Rows);
    const __m256i four_bits = _mm256_set1_epi8(0x0f);
    for (int first = 0; first < VECTORS; first += COLUMNS) {
        Ints sum[Rows][COLUMNS] = {};
        const int32_t* a = static_cast<const int32_t*>(call.inputs);
        const int32_t* group_sums = call.group_sums;
        const uint8_t* w = call.panel;
        for (int group = 0; group < call.depth / GROUP; ++group) {
            if (first == 0) fetch_ahead(w, PACKED_GROUP_BYTES);
            __m256i shorts[Rows][COLUMNS] = {};
#pragma GCC unroll 1  // unrolled, the sums no longer fit the registers
            for (int step = 0; step < GROUP / 4; ++step) {
                __m256i bits[COLUMNS];
                for (int v = 0; v < COLUMNS; ++v) {
                    const int half = (first + v) * W / 16, lane = (first + v) * W % 16;
                    const auto both = simd::load_as<__m256i>(w + half * 256 + step / 2 * 64 + lane * 4);
                    bits[v] = _mm256_and_si256(_mm256_srl_epi16(both, _mm_cvtsi32_si128(step % 2 * 4)), four_bits);
                }
                for (int r = 0; r < Rows; ++r) {
                    const __m256i x = _mm256_set1_epi32(a[r]);
                    for (int v = 0; v < COLUMNS; ++v)
                        shorts[r][v] = _mm256_add_epi16(shorts[r][v], _mm256_maddubs_epi16(bits[v], x));
                }
                a += Rows;
            }
            for (int v = 0; v < COLUMNS; ++v) {
                const int half = (first + v) * W / 16, lane = (first + v) * W % 16;
                const uint8_t* parameters = w + GROUP_BYTES / 2 + half * 32 + lane;
                const auto step = simd::widen(parameters);
                const auto steps = (__m256i)(step | step << 16), low = (__m256i)simd::widen(parameters + 16);
                for (int r = 0; r < Rows; ++r) {
                    // of the sum only the lower short counts, as the upper one meets 0
                    const __m256i lows = _mm256_madd_epi16(low, _mm256_set1_epi32(group_sums[r]));
                    sum[r][v] += (Ints)_mm256_madd_epi16(shorts[r][v], steps) + (Ints)lows;
                }
            }
            group_sums += Rows;
            w += PACKED_GROUP_BYTES;
        }
        put_results(call, sum, first);
    }
}
#endif

using TileFunction = void (*)(const TileCall&);

template <int... Row>
TileFunction tile_function(Kind kind, int rows, std::integer_sequence<int, Row...>) {
#if SIMD_AVX2_WITHOUT_VNNI
    static constexpr TileFunction functions[3][TILE] = {
        {tile_float32<Row + 1>...}, {tile_pairs<Row + 1>...}, {tile_nibbles<Row + 1>...}};
#else
    static constexpr TileFunction functions[3][TILE] = {
        {tile_float32<Row + 1>...}, {tile_bytes<Row + 1, false>...}, {tile_bytes<Row + 1, true>...}};
#endif
    return functions[int(kind)][rows - 1];
}

inline TileFunction tile_function(Kind kind, int rows) {
    return tile_function(kind, rows, std::make_integer_sequence<int, TILE>());
}

// Multiplies all rows of `inputs` with panels [begin, end) and hands on each row's PANEL results:
// use(row, first output, values). `expanded` is scratch for one int8 panel.
template <class Use>
void multiply(const Linear& linear, const Inputs& inputs, int begin, int end, std::vector<uint8_t>& expanded, const Use& use) {
    const Tiling& tiling = inputs.tiling();
    const bool expand = !PAIRS && linear.kind == Kind::INT4 && tiling.tiles > 1;
    if (expand && expanded.size() < size_t(linear.inputs) * PANEL) expanded.resize(size_t(linear.inputs) * PANEL);
    alignas(64) float results[TILE * PANEL];
    for (int panel = begin; panel < end; ++panel) {
        const uint8_t* weights = linear.panels + panel * linear.panel_bytes();
        Kind kind = linear.kind;
        if (expand) {
            for (int group = 0; group < linear.inputs / GROUP; ++group) {
                fetch_ahead(weights + group * PACKED_GROUP_BYTES, PACKED_GROUP_BYTES);
                expand_group(weights + group * PACKED_GROUP_BYTES, expanded.data() + group * GROUP_BYTES);
            }
            weights = expanded.data();
            kind = Kind::INT8;
        }
        const float* weight_scales = linear.scales ? linear.scales + panel * PANEL : nullptr;
        for (int tile = 0; tile < tiling.tiles; ++tile) {
            const int first = tiling.begin(tile), count = tiling.begin(tile + 1) - first;
            tile_function(kind, count)({weights, inputs.tile(first), linear.inputs, weight_scales, inputs.scales() + first,
                                        inputs.sums() + first, inputs.group_sums(first), results});
            for (int r = 0; r < count; ++r) use(first + r, panel * PANEL, results + r * PANEL);
        }
    }
}
