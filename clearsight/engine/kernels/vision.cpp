// A vision transformer over square tiles, and the projection of its folded patches to image tokens.
//
// Rows are patches, tile after tile. A thread takes a block of rows from the attention of one layer to that of the
// next; attention goes by tile, head and block of queries. Of each layer the keys lie transposed and the values
// compact, so that attention reads both as columns.
#include <cmath>
#include <memory>
#include <mutex>

#include "attention.hpp"
#include "pool.hpp"

namespace {

struct VisionShape {
    int32_t hidden, intermediate, layers, heads, head_dim, side, patch_size, channels, scale_factor, token_width, threads;
    int32_t weights;
    float norm_epsilon;
};

// A matrix and, except for the patch embedding and the projection, a bias for each output.
struct Biased {
    Linear linear;
    const float* bias;
};

struct Norm {
    const float *weight, *bias;
};

struct VisionLayer {
    Norm attention_norm;
    Biased qkv, output;
    Norm mlp_norm;
    Biased up, down;
};

void normalise(const float* x, const Norm& norm, int width, float epsilon, float* out) {
    Floats sum{}, squares{};
    for (int i = 0; i < width; i += W) sum += simd::load(x + i);
    const float mean = simd::sum_of_lanes(sum) / float(width);
    for (int i = 0; i < width; i += W) {
        const Floats centred = simd::load(x + i) - mean;
        squares = simd::fma(centred, centred, squares);
    }
    const float factor = 1.0f / std::sqrt(simd::sum_of_lanes(squares) / float(width) + epsilon);
    for (int i = 0; i < width; i += W)
        simd::store(out + i, simd::fma((simd::load(x + i) - mean) * factor, simd::load(norm.weight + i), simd::load(norm.bias + i)));
}

// The tanh form of GELU; x * (1 + tanh(u)) / 2 is x * sigmoid(2 u).
INLINE Floats gelu(Floats x) {
    return x * simd::sigmoid(x * simd::fma(x * x, simd::splat(0.0713548163f), simd::splat(1.5957691216f)));
}

class Vision {
   public:
    Vision(const VisionShape& shape, const void* const* tensors) : s_(shape), pool_(shape.threads), workers_(shape.threads) {
        const Kind kind = Kind(shape.weights);
        patch_embedding_ = matrix(tensors, Kind::FLOAT32, patch_inputs(), s_.hidden);
        positions_ = static_cast<const float*>(*tensors++);
        for (int i = 0; i < s_.layers; ++i) {
            VisionLayer layer;
            layer.attention_norm = norm(tensors);
            layer.qkv = biased(tensors, kind, s_.hidden, 3 * s_.hidden);
            layer.output = biased(tensors, kind, s_.hidden, s_.hidden);
            layer.mlp_norm = norm(tensors);
            layer.up = biased(tensors, kind, s_.hidden, s_.intermediate);
            layer.down = biased(tensors, kind, s_.intermediate, s_.hidden);
            layers_.push_back(layer);
        }
        final_norm_ = norm(tensors);
        projection_ = matrix(tensors, kind, s_.hidden * s_.scale_factor * s_.scale_factor, s_.token_width);
    }

    void encode(int tiles, const float* pixels, float* tokens) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!tiles) return;
        const int rows = tiles * patches();
        x_.resize(size_t(rows) * s_.hidden);
        queries_.resize(x_.size());
        attended_.resize(x_.size());
        keys_.resize(size_t(tiles) * s_.hidden * key_stride());
        values_.resize(x_.size());
        each_block(rows, [&](int first, int count, Worker& w) {
            embed(pixels, first, count, w);
            project(0, first, count, w);
        });
        for (int i = 0; i < s_.layers; ++i) {
            attend(tiles);
            each_block(rows, [&](int first, int count, Worker& w) {
                transform(i, first, count, w);
                if (i + 1 < s_.layers) project(i + 1, first, count, w);
            });
        }
        each_block(tiles * tokens_a_tile(), [&](int first, int count, Worker& w) { connect(first, count, w, tokens); });
    }

   private:
    static constexpr int BLOCK_ROWS = 60;

    struct Worker {
        Inputs inputs;
        std::vector<float> row, wide;
        std::vector<uint8_t> expanded;
        Attention attention;
    };

    static Linear matrix(const void* const*& tensors, Kind kind, int inputs, int outputs) {
        const auto* panels = static_cast<const uint8_t*>(*tensors++);
        return {kind, inputs, outputs, panels, static_cast<const float*>(*tensors++)};
    }

    static Biased biased(const void* const*& tensors, Kind kind, int inputs, int outputs) {
        const Linear linear = matrix(tensors, kind, inputs, outputs);
        return {linear, static_cast<const float*>(*tensors++)};
    }

    static Norm norm(const void* const*& tensors) {
        const auto* weight = static_cast<const float*>(*tensors++);
        return {weight, static_cast<const float*>(*tensors++)};
    }

    int patches() const { return s_.side * s_.side; }
    int tokens_a_tile() const { return patches() / (s_.scale_factor * s_.scale_factor); }
    int patch_numbers() const { return s_.channels * s_.patch_size * s_.patch_size; }
    int patch_inputs() const { return (patch_numbers() + GROUP - 1) / GROUP * GROUP; }
    // Whole tiles of keys, and a little more so that the dimensions do not meet in one set of the cache.
    int key_stride() const { return (patches() + KEY_TILE - 1) / KEY_TILE * KEY_TILE + 16; }

    template <class Body>
    void each_block(int rows, const Body& body) {
        const int rounds = (rows + pool_.threads() * BLOCK_ROWS - 1) / (pool_.threads() * BLOCK_ROWS);
        const int size = (rows + rounds * pool_.threads() - 1) / (rounds * pool_.threads());
        pool_.run((rows + size - 1) / size, [&](int block, int worker) {
            body(block * size, std::min(size, rows - block * size), workers_[worker]);
        });
    }

    float* residual(int row) { return x_.data() + size_t(row) * s_.hidden; }

    // Cuts patches out of the pixels, channel by channel and row by row, and embeds them in their places.
    void embed(const float* pixels, int first, int count, Worker& w) {
        const int width = s_.side * s_.patch_size;
        w.row.assign(std::max(patch_inputs(), s_.hidden), 0.0f);
        shape(w, count, patch_inputs(), Kind::FLOAT32);
        for (int row = 0; row < count; ++row) {
            const int tile = (first + row) / patches(), patch = (first + row) % patches();
            const float* corner = pixels + size_t(tile) * s_.channels * width * width +
                                  size_t(patch / s_.side) * s_.patch_size * width + patch % s_.side * s_.patch_size;
            float* to = w.row.data();
            for (int channel = 0; channel < s_.channels; ++channel)
                for (int y = 0; y < s_.patch_size; ++y, to += s_.patch_size)
                    std::copy_n(corner + (size_t(channel) * width + y) * width, s_.patch_size, to);
            w.inputs.put(row, w.row.data());
        }
        multiply(patch_embedding_, w.inputs, 0, patch_embedding_.num_panels(), w.expanded,
                 [&](int row, int column, const float* values) {
                     const float* place = positions_ + size_t((first + row) % patches()) * s_.hidden + column;
                     float* to = residual(first + row) + column;
                     for (int i = 0; i < PANEL; i += W) simd::store(to + i, simd::load(values + i) + simd::load(place + i));
                 });
    }

    void project(int layer, int first, int count, Worker& w) {
        const Biased& qkv = layers_[layer].qkv;
        pack_normalised(layers_[layer].attention_norm, first, count, w);
        multiply(qkv.linear, w.inputs, 0, qkv.linear.num_panels(), w.expanded, [&](int row, int column, const float* values) {
            float sums[PANEL];
            for (int i = 0; i < PANEL; i += W)
                simd::store(sums + i, simd::load(values + i) + simd::load(qkv.bias + column + i));
            place(first + row, column, sums);
        });
    }

    // Puts 32 outputs of the joint projection where attention looks for them; a panel lies within one head.
    void place(int row, int column, const float* values) {
        const int part = column / s_.hidden, channel = column % s_.hidden;
        const int tile = row / patches(), patch = row % patches();
        if (part == 0) {
            std::copy_n(values, PANEL, queries_.data() + size_t(row) * s_.hidden + channel);
        } else if (part == 1) {
            float* to = keys_.data() + (size_t(tile) * s_.hidden + channel) * key_stride() + patch;
            for (int i = 0; i < PANEL; ++i) to[size_t(i) * key_stride()] = values[i];
        } else {
            const int head = channel / s_.head_dim;
            float* to = values_.data() + (size_t(tile) * s_.heads + head) * patches() * s_.head_dim;
            std::copy_n(values, PANEL, to + size_t(patch) * s_.head_dim + channel % s_.head_dim);
        }
    }

    void attend(int tiles) {
        const int blocks = (patches() + MAX_QUERY_ROWS - 1) / MAX_QUERY_ROWS;
        pool_.run(tiles * s_.heads * blocks, [&](int chunk, int worker) {
            const int begin = chunk % blocks * MAX_QUERY_ROWS;
            attend(chunk / blocks / s_.heads, chunk / blocks % s_.heads, begin,
                   std::min(MAX_QUERY_ROWS, patches() - begin), workers_[worker].attention);
        });
    }

    void attend(int tile, int head, int begin, int count, Attention& attention) {
        attention.start(count, s_.head_dim);
        const size_t first = (size_t(tile) * patches() + begin) * s_.hidden + head * s_.head_dim;
        for (int row = 0; row < count; ++row)
            attention.set_query(row, queries_.data() + first + size_t(row) * s_.hidden, patches());
        KeyTile<float> keys;
        keys.key_stride = key_stride();
        keys.value_stride = s_.head_dim;
        keys.segment = KEY_TILE;
        const float* head_keys = keys_.data() + (size_t(tile) * s_.heads + head) * s_.head_dim * key_stride();
        const float* head_values = values_.data() + (size_t(tile) * s_.heads + head) * patches() * s_.head_dim;
        for (int key = 0; key < patches(); key += KEY_TILE) {
            for (int v = 0; v < KEY_TILE / W; ++v) keys.keys[v] = head_keys + key + v * W;
            keys.values[0] = head_values + size_t(key) * s_.head_dim;
            attention.add(keys, key);
        }
        for (int row = 0; row < count; ++row) attention.finish(row, attended_.data() + first + size_t(row) * s_.hidden);
    }

    // From a layer's attention to its end.
    void transform(int layer, int first, int count, Worker& w) {
        const VisionLayer& l = layers_[layer];
        shape(w, count, s_.hidden, Kind(s_.weights));
        for (int row = 0; row < count; ++row) w.inputs.put(row, attended_.data() + size_t(first + row) * s_.hidden);
        add_product(l.output, first, w);
        pack_normalised(l.mlp_norm, first, count, w);
        w.wide.resize(size_t(count) * s_.intermediate);
        multiply(l.up.linear, w.inputs, 0, l.up.linear.num_panels(), w.expanded, [&](int row, int column, const float* values) {
            float* to = w.wide.data() + size_t(row) * s_.intermediate + column;
            for (int i = 0; i < PANEL; i += W)
                simd::store(to + i, gelu(simd::load(values + i) + simd::load(l.up.bias + column + i)));
        });
        shape(w, count, s_.intermediate, Kind(s_.weights));
        for (int row = 0; row < count; ++row) w.inputs.put(row, w.wide.data() + size_t(row) * s_.intermediate);
        add_product(l.down, first, w);
    }

    void add_product(const Biased& matrix, int first, Worker& w) {
        multiply(matrix.linear, w.inputs, 0, matrix.linear.num_panels(), w.expanded,
                 [&](int row, int column, const float* values) {
                     float* to = residual(first + row) + column;
                     for (int i = 0; i < PANEL; i += W)
                         simd::store(to + i, simd::load(to + i) + (simd::load(values + i) + simd::load(matrix.bias + column + i)));
                 });
    }

    // Folds squares of patches into image tokens [first, first + count) and projects them.
    void connect(int first, int count, Worker& w, float* tokens) {
        const int factor = s_.scale_factor, folded = s_.side / factor;
        w.wide.resize(size_t(projection_.inputs));
        shape(w, count, projection_.inputs, projection_.kind);
        for (int row = 0; row < count; ++row) {
            const int tile = (first + row) / tokens_a_tile(), token = (first + row) % tokens_a_tile();
            const int top = token / folded * factor, left = token % folded * factor;
            float* to = w.wide.data();
            for (int y = top; y < top + factor; ++y)
                for (int x = left; x < left + factor; ++x, to += s_.hidden)
                    normalise(residual(tile * patches() + y * s_.side + x), final_norm_, s_.hidden, s_.norm_epsilon, to);
            w.inputs.put(row, w.wide.data());
        }
        multiply(projection_, w.inputs, 0, projection_.num_panels(), w.expanded, [&](int row, int column, const float* values) {
            std::copy_n(values, PANEL, tokens + size_t(first + row) * s_.token_width + column);
        });
    }

    void pack_normalised(const Norm& norm, int first, int count, Worker& w) {
        shape(w, count, s_.hidden, Kind(s_.weights));
        w.row.resize(std::max(patch_inputs(), s_.hidden));
        for (int row = 0; row < count; ++row) {
            normalise(residual(first + row), norm, s_.hidden, s_.norm_epsilon, w.row.data());
            w.inputs.put(row, w.row.data());
        }
    }

    static void shape(Worker& w, int rows, int width, Kind kind) {
        w.inputs.reserve(rows, width);
        w.inputs.shape(rows, width, kind);
    }

    const VisionShape s_;
    Linear patch_embedding_, projection_;
    const float* positions_;
    std::vector<VisionLayer> layers_;
    Norm final_norm_;
    Pool pool_;
    std::vector<Worker> workers_;
    std::mutex mutex_;
    std::vector<float> x_, queries_, keys_, values_, attended_;
};

}  // namespace

extern "C" {

void* vision_create(const VisionShape* shape, const void* const* tensors) {
    return std::make_unique<Vision>(*shape, tensors).release();
}

void vision_destroy(void* vision) { delete static_cast<Vision*>(vision); }

void vision_encode(void* vision, int tiles, const float* pixels, float* tokens) {
    static_cast<Vision*>(vision)->encode(tiles, pixels, tokens);
}
}
