// Softmax attention over tiles of 64 keys, in order, with a running maximum.
//
// Tiles begin at multiples of 64 of the key's place in its sequence and a row's sums run over keys from 0 up, so a
// row's result does not depend on the rows computed with it: a prompt in one piece, in pieces or token by token gives
// the same bits. Keys that a row must not see get the probability 0, which leaves its sums as they are.
#pragma once

#include <cmath>
#include <limits>

#include "matmul.hpp"

constexpr int KEY_TILE = 64;
constexpr int MAX_QUERY_ROWS = 96;
constexpr int MAX_HEAD_DIM = 128;
constexpr int FEW_QUERIES = W == 16 ? 4 : 0;  // rows whose sums over a whole tile fit the registers

// One tile of keys, dimensions first, and its values, dimensions last.
template <class T>
struct KeyTile {
    const T* keys[KEY_TILE / W];        // vector v: keys v * W and on; next dimension `key_stride` further
    ptrdiff_t key_stride;
    const T* values[KEY_TILE];          // segment i: keys i * segment and on, `value_stride` apart
    ptrdiff_t value_stride;
    int segment;
};

template <class T>
struct ProductCall {
    const float* a;
    const T* const* columns;
    ptrdiff_t stride;
    int depth;
    float* sums;
    ptrdiff_t sums_stride;
    const float* decay;  // what each row's former sums are multiplied with; null: there are none
};

template <int Rows, int RowStride, class T>
void product(const ProductCall<T>& call) {
    constexpr int COLUMNS = columns_at_once(Rows);
    for (int first = 0; first < VECTORS; first += COLUMNS) {
        float* sums = call.sums + first * W;
        Floats sum[Rows][COLUMNS] = {};
        if (call.decay)
            for (int r = 0; r < Rows; ++r)
                for (int v = 0; v < COLUMNS; ++v)
                    sum[r][v] = simd::load(sums + r * call.sums_stride + v * W) * call.decay[r];
        multiply_add<Rows, RowStride, 1>(sum, call.a, call.columns + first, call.stride, call.depth);
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v < COLUMNS; ++v) simd::store(sums + r * call.sums_stride + v * W, sum[r][v]);
    }
}

template <int RowStride, class T, int... Row>
void product(const ProductCall<T>& call, int rows, std::integer_sequence<int, Row...>) {
    static constexpr void (*functions[TILE])(const ProductCall<T>&) = {product<Row + 1, RowStride, T>...};
    functions[rows - 1](call);
}

template <int RowStride, class T>
void product(const ProductCall<T>& call, int rows) {
    product<RowStride, T>(call, rows, std::make_integer_sequence<int, TILE>());
}

// Rows of queries on their way through the tiles of keys.
class Attention {
   public:
    void start(int rows, int head_dim) {
        rows_ = rows;
        head_dim_ = head_dim;
        stride_ = head_dim <= KEY_TILE ? KEY_TILE : MAX_HEAD_DIM;
        std::fill(sums_, sums_ + rows * stride_, 0.0f);
        std::fill(maximum_, maximum_ + rows, -std::numeric_limits<float>::infinity());
        std::fill(total_, total_ + rows, Floats{});
    }

    // `visible` counts the keys that the row may see; it must not fall from row to row.
    void set_query(int row, const float* values, int visible) {
        constexpr float LOG2_E = 1.44269504f;  // probabilities are powers of two: one product here saves one for each key
        const float scale = LOG2_E / std::sqrt(float(head_dim_));
        for (int d = 0; d < head_dim_; d += W) simd::store(queries_ + row * stride_ + d, simd::load(values + d) * scale);
        visible_[row] = visible;
    }

    template <class T>
    void add(const KeyTile<T>& tile, int first_key) {
        int begin = 0;
        while (visible_[begin] <= first_key) ++begin;
        const int keys = std::min(KEY_TILE, visible_[rows_ - 1] - first_key);
        if (FEW_QUERIES && begin == 0 && rows_ <= FEW_QUERIES && head_dim_ == KEY_TILE) {
            few(tile, first_key, keys, std::make_integer_sequence<int, FEW_QUERIES>());
            return;
        }
        for (int row = begin; row < rows_; row += TILE) score(tile, row, std::min(TILE, rows_ - row), keys);
        for (int row = begin; row < rows_; ++row) soften(row, first_key, keys);
        for (int row = begin; row < rows_; row += TILE) weigh(tile, row, std::min(TILE, rows_ - row), keys);
    }

    void finish(int row, float* out) const {
        const float inverse = 1.0f / simd::sum_of_lanes(total_[row]);
        for (int d = 0; d < head_dim_; d += W) simd::store(out + d, simd::load(sums_ + row * stride_ + d) * inverse);
    }

   private:
    // Rows of one new token are few: all of a tile's keys, or of its dimensions, fit the registers beside them.
    template <class T, int... Row>
    void few(const KeyTile<T>& tile, int first_key, int keys, std::integer_sequence<int, Row...>) {
        static constexpr void (Attention::*functions[])(const KeyTile<T>&, int, int) = {&Attention::few<Row + 1, T>..., nullptr};
        (this->*functions[rows_ - 1])(tile, first_key, keys);
    }

    template <int Rows, class T>
    void few(const KeyTile<T>& tile, int first_key, int keys) {
        constexpr int WIDE = KEY_TILE / W;
        Floats sum[Rows][WIDE] = {};
        const T* columns[WIDE];
        for (int v = 0; v < WIDE; ++v) columns[v] = tile.keys[v];
        multiply_add<Rows, KEY_TILE, 1>(sum, queries_, columns, tile.key_stride, KEY_TILE);
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v < WIDE; ++v) simd::store(scores_ + r * KEY_TILE + v * W, sum[r][v]);
        for (int r = 0; r < Rows; ++r) soften(r, first_key, keys);
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v < WIDE; ++v) sum[r][v] = simd::load(sums_ + r * KEY_TILE + v * W) * decay_[r];
        for (int key = 0; key < keys; key += tile.segment) {
            for (int v = 0; v < WIDE; ++v) columns[v] = tile.values[key / tile.segment] + v * W;
            multiply_add<Rows, KEY_TILE, 1>(sum, scores_ + key, columns, tile.value_stride, std::min(tile.segment, keys - key));
        }
        for (int r = 0; r < Rows; ++r)
            for (int v = 0; v < WIDE; ++v) simd::store(sums_ + r * KEY_TILE + v * W, sum[r][v]);
    }

    template <class T>
    void score(const KeyTile<T>& tile, int row, int count, int keys) {
        for (int key = 0; key < keys; key += PANEL) {
            const ProductCall<T> call{queries_ + row * stride_, tile.keys + key / W,           tile.key_stride, head_dim_,
                                      scores_ + row * KEY_TILE + key, KEY_TILE, nullptr};
            stride_ == KEY_TILE ? product<KEY_TILE>(call, count) : product<MAX_HEAD_DIM>(call, count);
        }
    }

    // Scores to probabilities that are relative to the largest score so far.
    void soften(int row, int first_key, int keys) {
        float* scores = scores_ + row * KEY_TILE;
        const int visible = visible_[row] - first_key;
        Ints lane;
        for (int i = 0; i < W; ++i) lane[i] = i;
        const Floats unseen = simd::splat(-std::numeric_limits<float>::infinity());
        Floats largest = unseen;
        for (int key = 0; key < keys; key += W) {
            Floats score = simd::load(scores + key);
            if (key + W > visible) score = lane + key < visible ? score : unseen;
            simd::store(scores + key, score);
            largest = simd::max(largest, score);
        }
        const float maximum = std::max(maximum_[row], simd::max_of_lanes(largest));
        decay_[row] = simd::exp2(simd::splat(maximum_[row] - maximum))[0];
        maximum_[row] = maximum;
        Floats total = total_[row] * decay_[row];
        for (int key = 0; key < keys; key += W) {
            const Floats probability = simd::exp2(simd::load(scores + key) - maximum);
            simd::store(scores + key, probability);
            total += probability;
        }
        total_[row] = total;
    }

    template <class T>
    void weigh(const KeyTile<T>& tile, int row, int count, int keys) {
        static constexpr struct Ones {
            float values[TILE];
            constexpr Ones() : values() {
                for (float& value : values) value = 1.0f;
            }
        } ones;
        for (int d = 0; d < head_dim_; d += PANEL)
            for (int key = 0; key < keys; key += tile.segment) {
                const T* columns[VECTORS];
                for (int v = 0; v < VECTORS; ++v) columns[v] = tile.values[key / tile.segment] + d + v * W;
                product<KEY_TILE>(ProductCall<T>{scores_ + row * KEY_TILE + key, columns, tile.value_stride,
                                                 std::min(tile.segment, keys - key), sums_ + row * stride_ + d, stride_,
                                                 key ? ones.values : decay_ + row},
                                  count);
            }
    }

    int rows_ = 0, head_dim_ = 0, stride_ = 0;
    alignas(64) float queries_[MAX_QUERY_ROWS * MAX_HEAD_DIM];
    alignas(64) float scores_[MAX_QUERY_ROWS * KEY_TILE];
    alignas(64) float sums_[MAX_QUERY_ROWS * MAX_HEAD_DIM];
    alignas(64) Floats total_[MAX_QUERY_ROWS];
    float maximum_[MAX_QUERY_ROWS], decay_[MAX_QUERY_ROWS];
    int visible_[MAX_QUERY_ROWS];
};
