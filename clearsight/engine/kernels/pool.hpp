// A small pool of threads for regions of a few microseconds on machines that have other things to do.
//
// A region is `count` chunks. Whoever is awake claims one chunk after another; the calling thread claims as well, so
// a worker that the system does not run is never waited for, unless it is inside a chunk. Workers watch for the next
// region for a moment and then sleep. Chunks must not depend on each other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

class Pool {
   public:
    explicit Pool(int threads) {
        for (int worker = 1; worker < threads; ++worker)
            workers_.emplace_back([this, worker] { work(worker); });
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            stopping_.store(true);
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    int threads() const { return int(workers_.size()) + 1; }

    // Calls body(chunk, worker) for each chunk in [0, count); worker is in [0, threads()) and names scratch memory.
    template <class Body>
    void run(int count, const Body& body) {
        if (workers_.empty() || count <= 1) {
            for (int chunk = 0; chunk < count; ++chunk) body(chunk, 0);
            return;
        }
        body_ = &body;
        call_ = [](const void* object, int chunk, int worker) {
            (*static_cast<const Body*>(object))(chunk, worker);
        };
        done_.store(0, std::memory_order_relaxed);
        epoch_ = (epoch_ + 1) & 0xffff;
        ticket_.store(pack(epoch_, count, 0));
        if (sleeping_.load()) {
            { std::lock_guard<std::mutex> lock(mutex_); }
            wake_.notify_all();
        }
        claim_all(0);
        for (int spins = 0; done_.load(std::memory_order_acquire) != count; ++spins)
            spins < SPINS ? pause() : std::this_thread::yield();
    }

   private:
    static constexpr int SPINS = 2000;  // some 30 to 90 microseconds

    // One word holds the region's number, its number of chunks and the next unclaimed chunk, so that a late worker
    // can't claim a chunk of one region with what it read of another.
    static uint64_t pack(uint64_t epoch, uint64_t count, uint64_t next) { return epoch << 48 | count << 24 | next; }
    static int count_of(uint64_t ticket) { return int(ticket >> 24 & 0xffffff); }
    static int next_of(uint64_t ticket) { return int(ticket & 0xffffff); }
    static bool open(uint64_t ticket) { return next_of(ticket) < count_of(ticket); }

    static void pause() {
#if defined(__x86_64__)
        _mm_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    void claim_all(int worker) {
        uint64_t ticket = ticket_.load(std::memory_order_acquire);
        while (open(ticket)) {
            if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
            call_(body_, next_of(ticket), worker);
            done_.fetch_add(1, std::memory_order_release);
            ticket = ticket_.load(std::memory_order_acquire);
        }
    }

    void work(int worker) {
        int spins = 0;
        while (!stopping_.load(std::memory_order_relaxed)) {
            if (open(ticket_.load(std::memory_order_acquire))) {
                claim_all(worker);
                spins = 0;
            } else if (++spins < SPINS) {
                pause();
            } else {
                std::unique_lock<std::mutex> lock(mutex_);
                sleeping_.fetch_add(1);
                wake_.wait(lock, [this] { return stopping_.load() || open(ticket_.load()); });
                sleeping_.fetch_sub(1);
                spins = 0;
            }
        }
    }

    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<bool> stopping_{false};
    std::atomic<int> sleeping_{0};
    alignas(64) std::atomic<uint64_t> ticket_{0};
    alignas(64) std::atomic<int> done_{0};
    uint64_t epoch_ = 0;
    const void* body_ = nullptr;
    void (*call_)(const void*, int, int) = nullptr;
};
