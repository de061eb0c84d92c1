// A Llama decoder over paged keys and values, for new tokens of many sequences at once.
//
// Two ways through a layer, chosen by the number of rows and equal bit for bit: with many rows a thread takes a block
// of rows from the attention of one layer to that of the next, so nothing wide leaves its cache; with few rows
// the threads share out the panels of each matrix, so that every weight is read from memory once.
//
// Of a block of the cache a layer holds [key-value head][dimension][offset] for keys and
// [key-value head][offset][dimension] for values: attention reads both as columns.
#include <cmath>
#include <memory>
#include <mutex>

#include "attention.hpp"
#include "pool.hpp"

namespace {

struct Shape {
    int32_t hidden, intermediate, layers, heads, kv_heads, head_dim, vocabulary, block_size, num_blocks, threads;
    int32_t weights, head, half_cache;
    float norm_epsilon;
};

struct Batch {
    int32_t rows, sequences, table_width, wanted;
    const float* embeddings;
    const int32_t *positions, *slots, *query_starts, *context_lens, *block_tables, *wanted_rows;
};

struct Layer {
    const float* attention_norm;
    Linear qkv, output;
    const float* mlp_norm;
    Linear gate_up, down;
};

void normalise(const float* x, const float* weight, int width, float epsilon, float* out) {
    Floats squares{};
    for (int i = 0; i < width; i += W) {
        const Floats value = simd::load(x + i);
        squares = simd::fma(value, value, squares);
    }
    const float factor = 1.0f / std::sqrt(simd::sum_of_lanes(squares) / float(width) + epsilon);
    for (int i = 0; i < width; i += W) simd::store(out + i, simd::load(x + i) * factor * simd::load(weight + i));
}

template <class Cache>
class Decoder {
   public:
    Decoder(const Shape& shape, const void* const* tensors, const float* cosines, const float* sines, void* cache)
        : s_(shape), cosines_(cosines), sines_(sines), pool_(shape.threads), workers_(shape.threads) {
        const Kind kind = Kind(shape.weights);
        const int query_width = s_.heads * s_.head_dim;
        for (int i = 0; i < s_.layers; ++i) {
            Layer layer;
            layer.attention_norm = static_cast<const float*>(*tensors++);
            layer.qkv = next(tensors, kind, s_.hidden, qkv_width());
            layer.output = next(tensors, kind, query_width, s_.hidden);
            layer.mlp_norm = static_cast<const float*>(*tensors++);
            layer.gate_up = next(tensors, kind, s_.hidden, 2 * s_.intermediate);
            layer.down = next(tensors, kind, s_.intermediate, s_.hidden);
            layers_.push_back(layer);
        }
        final_norm_ = static_cast<const float*>(*tensors++);
        head_ = next(tensors, Kind(shape.head), s_.hidden, (s_.vocabulary + PANEL - 1) / PANEL * PANEL);
        keys_ = static_cast<Cache*>(cache);
        values_ = keys_ + s_.layers * layer_size();
    }

    void forward(const Batch& batch, float* logits) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!batch.rows) return;
        batch_ = &batch;
        x_.assign(batch.embeddings, batch.embeddings + size_t(batch.rows) * s_.hidden);
        grow(qkv_, size_t(batch.rows) * qkv_width());
        grow(attended_, size_t(batch.rows) * s_.heads * s_.head_dim);
        plan_attention();
        few_rows() ? by_panels() : by_rows();
        score(logits);
    }

   private:
    static constexpr int ROWS_A_THREAD = 12;  // from here on a thread gets rows of its own
    static constexpr int BLOCK_ROWS = 60;     // and no more than this at once
    static constexpr int SHARED_ROWS = 4;     // from here on preparing few rows is worth sharing out

    // What a thread needs for itself.
    struct Worker {
        Inputs inputs;
        std::vector<float> row, wide;
        std::vector<uint8_t> expanded;
        Attention attention;
        alignas(64) float keys[MAX_HEAD_DIM * KEY_TILE];
        alignas(64) float values[MAX_HEAD_DIM * KEY_TILE];
    };

    // Queries of one key-value head of one sequence, rows [begin, end) of the batch.
    struct Queries {
        int sequence, kv_head, begin, end;
    };

    static Linear next(const void* const*& tensors, Kind kind, int inputs, int outputs) {
        const auto* panels = static_cast<const uint8_t*>(*tensors++);
        return {kind, inputs, outputs, panels, static_cast<const float*>(*tensors++)};
    }

    static void grow(std::vector<float>& values, size_t size) {
        if (values.size() < size) values.resize(size);
    }

    int qkv_width() const { return (s_.heads + 2 * s_.kv_heads) * s_.head_dim; }
    int group() const { return s_.heads / s_.kv_heads; }
    size_t head_stride() const { return size_t(s_.head_dim) * s_.block_size; }
    size_t block_stride() const { return s_.kv_heads * head_stride(); }
    size_t layer_size() const { return s_.num_blocks * block_stride(); }
    float* residual(int row) { return x_.data() + size_t(row) * s_.hidden; }

    // The costliest pieces come first, so that threads end together.
    void plan_attention() {
        queries_.clear();
        const int tokens = std::max(1, MAX_QUERY_ROWS / group());
        for (int sequence = 0; sequence < batch_->sequences; ++sequence)
            for (int end = batch_->query_starts[sequence + 1]; end > batch_->query_starts[sequence]; end -= tokens)
                for (int head = 0; head < s_.kv_heads; ++head)
                    queries_.push_back({sequence, head, std::max(end - tokens, batch_->query_starts[sequence]), end});
        std::stable_sort(queries_.begin(), queries_.end(),
                         [this](const Queries& a, const Queries& b) { return cost(a) > cost(b); });
    }

    int64_t cost(const Queries& q) const { return int64_t(q.end - q.begin) * (batch_->positions[q.end - 1] + 1); }

    void by_rows() {
        const int threads = pool_.threads();
        const int rounds = (batch_->rows + threads * BLOCK_ROWS - 1) / (threads * BLOCK_ROWS);
        const int size = (batch_->rows + rounds * threads - 1) / (rounds * threads);
        const int blocks = (batch_->rows + size - 1) / size;
        const auto each_block = [&](const auto& body) {
            pool_.run(blocks, [&](int block, int worker) {
                body(block * size, std::min(size, batch_->rows - block * size), workers_[worker]);
            });
        };
        each_block([&](int first, int count, Worker& w) { project_rows(0, first, count, w); });
        for (int i = 0; i < s_.layers; ++i) {
            attend(i);
            each_block([&](int first, int count, Worker& w) {
                const Linear &output = layers_[i].output, &gate_up = layers_[i].gate_up, &down = layers_[i].down;
                pack_attended(first, count, w);
                multiply(output, w.inputs, 0, output.num_panels(), w.expanded, adder(first));
                pack_normalised(layers_[i].mlp_norm, first, count, w);
                grow(w.wide, size_t(count) * s_.intermediate);
                multiply(gate_up, w.inputs, 0, gate_up.num_panels(), w.expanded, gate(w.wide.data()));
                pack_gated(count, w, w.wide.data());
                multiply(down, w.inputs, 0, down.num_panels(), w.expanded, adder(first));
                if (i + 1 < s_.layers) project_rows(i + 1, first, count, w);
            });
        }
    }

    void project_rows(int layer, int first, int count, Worker& w) {
        const Linear& qkv = layers_[layer].qkv;
        pack_normalised(layers_[layer].attention_norm, first, count, w);
        multiply(qkv, w.inputs, 0, qkv.num_panels(), w.expanded, storer(qkv_.data() + size_t(first) * qkv_width(), qkv_width()));
        for (int row = first; row < first + count; ++row) place(layer, row);
    }

    void by_panels() {
        Worker& shared = workers_[0];
        const int rows = batch_->rows;
        grow(shared.wide, size_t(rows) * s_.intermediate);
        for (int i = 0; i < s_.layers; ++i) {
            share_normalised(layers_[i].attention_norm);
            each_panel(layers_[i].qkv, storer(qkv_.data(), qkv_width()));
            if (!one_token_each()) share_rows([&](int row, int) { place(i, row); });
            attend(i);
            shape_inputs(shared, rows, s_.heads * s_.head_dim);
            share_rows([&](int row, int) { put_attended(row, row, shared.inputs); });
            each_panel(layers_[i].output, adder(0));
            share_normalised(layers_[i].mlp_norm);
            each_panel(layers_[i].gate_up, gate(shared.wide.data()));
            shape_inputs(shared, rows, s_.intermediate);
            share_rows([&](int row, int) { shared.inputs.put(row, shared.wide.data() + size_t(row) * s_.intermediate); });
            each_panel(layers_[i].down, adder(0));
        }
    }

    bool few_rows() const { return batch_->rows < ROWS_A_THREAD * pool_.threads(); }

    // Whether no sequence has a second new token that would see the first one's keys.
    bool one_token_each() const {
        for (int i = 0; i < batch_->sequences; ++i)
            if (batch_->query_starts[i + 1] - batch_->query_starts[i] > 1) return false;
        return true;
    }

    // body(row, worker) for each row, by one thread while there are too few to wake another for.
    template <class Body>
    void share_rows(const Body& body) {
        if (batch_->rows >= SHARED_ROWS) return pool_.run(batch_->rows, body);
        for (int row = 0; row < batch_->rows; ++row) body(row, 0);
    }

    void share_normalised(const float* weight) {
        Inputs& inputs = workers_[0].inputs;
        shape_inputs(workers_[0], batch_->rows, s_.hidden);
        share_rows([&](int row, int worker) { put_normalised(weight, row, row, workers_[worker], inputs); });
    }

    // Shares out a matrix; all threads read the inputs that the first worker holds.
    template <class Use>
    void each_panel(const Linear& linear, const Use& use) {
        const int panels = linear.num_panels();
        const int chunks = std::min(panels, pool_.threads() == 1 ? 1 : 6 * pool_.threads());
        pool_.run(chunks, [&](int chunk, int worker) {
            multiply(linear, workers_[0].inputs, int(int64_t(panels) * chunk / chunks),
                     int(int64_t(panels) * (chunk + 1) / chunks), workers_[worker].expanded, use);
        });
    }

    void score(float* logits) {
        Worker& shared = workers_[0];
        if (!batch_->wanted) return;
        shared.inputs.reserve(batch_->wanted, s_.hidden);
        shared.inputs.shape(batch_->wanted, s_.hidden, head_.kind);
        grow(shared.row, s_.hidden);
        for (int i = 0; i < batch_->wanted; ++i) {
            normalise(residual(batch_->wanted_rows[i]), final_norm_, s_.hidden, s_.norm_epsilon, shared.row.data());
            shared.inputs.put(i, shared.row.data());
        }
        each_panel(head_, [&](int row, int column, const float* values) {
            std::copy_n(values, std::min(PANEL, s_.vocabulary - column), logits + size_t(row) * s_.vocabulary + column);
        });
    }

    // What becomes of a product's results; rows count from the first packed row.
    auto storer(float* to, int width) {
        return [=](int row, int column, const float* values) {
            std::copy_n(values, PANEL, to + size_t(row) * width + column);
        };
    }

    auto adder(int first) {
        return [this, first](int row, int column, const float* values) {
            float* to = residual(first + row) + column;
            for (int i = 0; i < PANEL; i += W) simd::store(to + i, simd::load(to + i) + simd::load(values + i));
        };
    }

    // A panel holds 16 outputs of the gate and the 16 that they gate.
    auto gate(float* to) {
        return [=](int row, int column, const float* values) {
            float* out = to + size_t(row) * s_.intermediate + column / 2;
            for (int i = 0; i < PANEL / 2; i += W)
                simd::store(out + i, simd::load(values + i) * simd::sigmoid(simd::load(values + i)) *
                                     simd::load(values + PANEL / 2 + i));
        };
    }

    void pack_normalised(const float* weight, int first, int count, Worker& w) {
        shape_inputs(w, count, s_.hidden);
        for (int row = 0; row < count; ++row) put_normalised(weight, first + row, row, w, w.inputs);
    }

    // Row `from` of the batch becomes row `to` of the inputs; `w` lends its scratch.
    void put_normalised(const float* weight, int from, int to, Worker& w, Inputs& inputs) {
        grow(w.row, s_.hidden);
        normalise(residual(from), weight, s_.hidden, s_.norm_epsilon, w.row.data());
        inputs.put(to, w.row.data());
    }

    void pack_attended(int first, int count, Worker& w) {
        shape_inputs(w, count, s_.heads * s_.head_dim);
        for (int row = 0; row < count; ++row) put_attended(first + row, row, w.inputs);
    }

    void put_attended(int from, int to, Inputs& inputs) {
        inputs.put(to, attended_.data() + size_t(from) * s_.heads * s_.head_dim);
    }

    void pack_gated(int count, Worker& w, const float* gated) {
        shape_inputs(w, count, s_.intermediate);
        for (int row = 0; row < count; ++row) w.inputs.put(row, gated + size_t(row) * s_.intermediate);
    }

    void shape_inputs(Worker& w, int rows, int width) {
        w.inputs.reserve(rows, width);
        w.inputs.shape(rows, width, Kind(s_.weights));
    }

    void place(int layer, int row) {
        for (int head = 0; head < s_.kv_heads; ++head) place(layer, row, head);
    }

    // Turns a row's queries and key of one key-value head to its position and puts key and value into the cache.
    void place(int layer, int row, int kv_head) {
        float* heads = qkv_.data() + size_t(row) * qkv_width();
        float* key = heads + (s_.heads + kv_head) * s_.head_dim;
        for (int member = 0; member < group(); ++member) turn(heads + (kv_head * group() + member) * s_.head_dim, row);
        turn(key, row);
        const int slot = batch_->slots[row];
        const size_t block = layer * layer_size() + (slot / s_.block_size) * block_stride() + kv_head * head_stride();
        const int offset = slot % s_.block_size;
        const float* value = key + s_.kv_heads * s_.head_dim;
        Cache* keys = keys_ + block + offset;
        Cache* values = values_ + block + offset * s_.head_dim;
        for (int d = 0; d < s_.head_dim; d += W) {
            Cache lanes[W];
            simd::store(lanes, simd::load(key + d));
            for (int i = 0; i < W; ++i) keys[size_t(d + i) * s_.block_size] = lanes[i];
            simd::store(values + d, simd::load(value + d));
        }
    }

    void turn(float* head, int row) const {
        const int half = s_.head_dim / 2;
        const float* cosines = cosines_ + size_t(batch_->positions[row]) * half;
        const float* sines = sines_ + size_t(batch_->positions[row]) * half;
        for (int i = 0; i < half; i += W) {
            const Floats a = simd::load(head + i), b = simd::load(head + half + i);
            const Floats c = simd::load(cosines + i), s = simd::load(sines + i);
            simd::store(head + i, a * c - b * s);
            simd::store(head + half + i, b * c + a * s);
        }
    }

    void attend(int layer) {
        const bool place_here = few_rows() && one_token_each();
        pool_.run(int(queries_.size()), [&](int chunk, int worker) {
            const Queries& q = queries_[chunk];
            if (place_here) place(layer, q.begin, q.kv_head);
            attend(layer, q, chunk + 1 < int(queries_.size()) ? &queries_[chunk + 1] : nullptr, workers_[worker]);
        });
    }

    void attend(int layer, const Queries& q, const Queries* next, Worker& w) {
        Attention& attention = w.attention;
        attention.start((q.end - q.begin) * group(), s_.head_dim);
        for (int token = q.begin, row = 0; token < q.end; ++token) {
            const float* from = qkv_.data() + size_t(token) * qkv_width() + q.kv_head * group() * s_.head_dim;
            for (int member = 0; member < group(); ++member, ++row)
                attention.set_query(row, from + member * s_.head_dim, batch_->positions[token] + 1);
        }
        const int keys = batch_->positions[q.end - 1] + 1;
        const bool gather = s_.block_size % W != 0 || (q.end - q.begin) * group() > 2 * TILE;
        for (int key = 0; key < keys; key += KEY_TILE) {
            if (key + KEY_TILE < keys)
                fetch_tile(layer, q, key + KEY_TILE);
            else if (next)
                fetch_tile(layer, *next, 0);
            if (gather)
                attention.add(gathered_tile(layer, q, key, std::min(KEY_TILE, keys - key), w), key);
            else
                attention.add(tile_in_place(layer, q, key, std::min(KEY_TILE, keys - key)), key);
        }
        for (int token = q.begin, row = 0; token < q.end; ++token)
            for (int member = 0; member < group(); ++member, ++row)
                attention.finish(row, attended_.data() + (size_t(token) * s_.heads + q.kv_head * group() + member) * s_.head_dim);
    }

    size_t offset_of_block(int layer, const Queries& q, int key) const {
        const int block = batch_->block_tables[size_t(q.sequence) * batch_->table_width + key / s_.block_size];
        return layer * layer_size() + block * block_stride() + q.kv_head * head_stride();
    }

    // Asks for a tile that is wanted soon: a block's pieces are too short for the processor to see them coming.
    void fetch_tile(int layer, const Queries& q, int first) const {
        const int end = std::min(first + KEY_TILE, batch_->positions[q.end - 1] + 1);
        const size_t bytes = head_stride() * sizeof(Cache);
        for (int key = first; key < end; key += s_.block_size - key % s_.block_size) {
            const size_t block = offset_of_block(layer, q, key);
            for (const Cache* piece : {keys_ + block, values_ + block})
                for (size_t line = 0; line < bytes; line += 64)
                    __builtin_prefetch(reinterpret_cast<const char*>(piece) + line);
        }
    }

    KeyTile<Cache> tile_in_place(int layer, const Queries& q, int first, int count) const {
        KeyTile<Cache> tile;
        tile.key_stride = s_.block_size;
        tile.value_stride = s_.head_dim;
        tile.segment = std::min(s_.block_size, KEY_TILE);
        const int last = first + count - 1;  // vectors beyond it are read as well, and masked: give them some memory
        for (int v = 0; v < KEY_TILE / W; ++v) {
            const int key = std::min(first + v * W, last / W * W);
            tile.keys[v] = keys_ + offset_of_block(layer, q, key) + key % s_.block_size;
        }
        for (int i = 0; i * tile.segment < count; ++i) {
            const int key = first + i * tile.segment;
            tile.values[i] = values_ + offset_of_block(layer, q, key) + size_t(key % s_.block_size) * s_.head_dim;
        }
        return tile;
    }

    KeyTile<float> gathered_tile(int layer, const Queries& q, int first, int count, Worker& w) const {
        for (int key = first; key < first + count;) {
            const int offset = key % s_.block_size;
            const int run = std::min({s_.block_size - offset, first + count - key});
            const size_t block = offset_of_block(layer, q, key);
            copy_keys(keys_ + block + offset, run, w.keys + key - first);
            const Cache* values = values_ + block + size_t(offset) * s_.head_dim;
            float* to = w.values + (key - first) * s_.head_dim;
            for (int i = 0; i < run * s_.head_dim; i += W) simd::store(to + i, simd::load(values + i));
            key += run;
        }
        KeyTile<float> tile;
        tile.key_stride = KEY_TILE;
        for (int v = 0; v < KEY_TILE / W; ++v) tile.keys[v] = w.keys + v * W;
        tile.values[0] = w.values;
        tile.value_stride = s_.head_dim;
        tile.segment = KEY_TILE;
        return tile;
    }

    void copy_keys(const Cache* from, int run, float* to) const {
        for (int d = 0; d < s_.head_dim; ++d, from += s_.block_size, to += KEY_TILE) {
            if (s_.block_size % W == 0) {
                for (int i = 0; i < run; i += W) simd::store(to + i, simd::load(from + i));
            } else {
                Cache lanes[W] = {};
                float wide[W];
                for (int i = 0; i < run; i += W) {
                    const int count = std::min(W, run - i);
                    std::copy_n(from + i, count, lanes);
                    simd::store(wide, simd::load(lanes));
                    std::copy_n(wide, count, to + i);
                }
            }
        }
    }

    const Shape s_;
    const float *cosines_, *sines_, *final_norm_;
    std::vector<Layer> layers_;
    Linear head_;
    Cache *keys_, *values_;
    Pool pool_;
    std::vector<Worker> workers_;
    std::mutex mutex_;
    const Batch* batch_ = nullptr;
    std::vector<Queries> queries_;
    std::vector<float> x_, qkv_, attended_;
};

// The one class behind the C interface, whatever the cache holds.
struct AnyDecoder {
    std::unique_ptr<Decoder<float>> wide;
    std::unique_ptr<Decoder<Half>> half;
};

}  // namespace

extern "C" {

void* decoder_create(const Shape* shape, const void* const* tensors, const float* cosines, const float* sines, void* cache) {
    auto any = std::make_unique<AnyDecoder>();
    if (shape->half_cache)
        any->half = std::make_unique<Decoder<Half>>(*shape, tensors, cosines, sines, cache);
    else
        any->wide = std::make_unique<Decoder<float>>(*shape, tensors, cosines, sines, cache);
    return any.release();
}

void decoder_destroy(void* decoder) { delete static_cast<AnyDecoder*>(decoder); }

void decoder_forward(void* decoder, const Batch* batch, float* logits) {
    auto* any = static_cast<AnyDecoder*>(decoder);
    any->half ? any->half->forward(*batch, logits) : any->wide->forward(*batch, logits);
}
}
