#include "workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace {
namespace {

// Kernels of one training step follow each other within microseconds: worth a short wait before a thread goes to sleep.
constexpr auto PATIENCE = std::chrono::microseconds(40);

int processors() {
  if (const char* setting = getenv("MILLRACE_THREADS")) {
    const int wanted = atoi(setting);
    if (wanted > 0) return std::min(wanted, 64);
  }
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, std::min(CPU_COUNT(&allowed), 16));
#endif
  return std::max(1u, std::min(std::thread::hardware_concurrency(), 16u));
}

class Workers {
 public:
  Workers() : count_(processors()) {
    // Signals are for the thread that JavaScript runs on.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 1; i < count_; i++) std::thread([this] { serve(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  int count() const { return count_; }

  void run(size_t parts, const std::function<void(size_t)>& work) {
    if (parts <= 1 || count_ == 1) {
      for (size_t part = 0; part < parts; part++) work(part);
      return;
    }
    std::lock_guard<std::mutex> one(calls_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      parts_ = parts;
      next_.store(0);
      left_.store(parts);
      round_.fetch_add(1);
      open_ = true;
    }
    if (sleeping_.load() > 0) wake_.notify_all();
    take(work, parts);
    while (left_.load() > 0) pause();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = false;
    }
    // A worker that entered this round late must have left before `work` dies.
    while (inside_.load() > 0) pause();
  }

 private:
  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    static thread_local unsigned turns = 0;
    if ((++turns & 1023) == 0) sched_yield();
  }

  void take(const std::function<void(size_t)>& work, size_t parts) {
    for (size_t part = next_.fetch_add(1); part < parts; part = next_.fetch_add(1)) {
      work(part);
      left_.fetch_sub(1);
    }
  }

  void serve() {
    unsigned seen = 0;
    for (;;) {
      awaitRound(seen);
      const std::function<void(size_t)>* work = nullptr;
      size_t parts = 0;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        seen = round_.load();
        if (!open_) continue;
        work = work_;
        parts = parts_;
        inside_.fetch_add(1);
      }
      take(*work, parts);
      inside_.fetch_sub(1);
    }
  }

  void awaitRound(unsigned seen) {
    const auto until = std::chrono::steady_clock::now() + PATIENCE;
    for (unsigned turn = 1; round_.load() == seen; turn++) {
      pause();
      if ((turn & 63) == 0 && std::chrono::steady_clock::now() > until) break;
    }
    if (round_.load() != seen) return;
    std::unique_lock<std::mutex> lock(mutex_);
    sleeping_.fetch_add(1);
    wake_.wait(lock, [&] { return round_.load() != seen; });
    sleeping_.fetch_sub(1);
  }

  const int count_;
  std::mutex calls_, mutex_;
  std::condition_variable wake_;
  const std::function<void(size_t)>* work_ = nullptr;
  size_t parts_ = 0;
  bool open_ = false;
  std::atomic<size_t> next_{0}, left_{0};
  std::atomic<unsigned> round_{0};
  std::atomic<int> sleeping_{0}, inside_{0};
};

// Lives as long as the process: its threads may outlast every static object.
Workers& workers() {
  static Workers* all = new Workers();
  return *all;
}

}  // namespace

int threadCount() { return workers().count(); }

void inParallel(size_t parts, const std::function<void(size_t)>& work) { workers().run(parts, work); }

void inPieces(size_t size, size_t grain, const std::function<void(size_t, size_t)>& work) {
  const size_t parts = std::max<size_t>(1, std::min<size_t>(size / grain, 4 * threadCount()));
  if (parts == 1) return work(0, size);
  // Whole cache lines for every piece.
  const size_t piece = ((size + parts - 1) / parts + 15) / 16 * 16;
  inParallel((size + piece - 1) / piece,
             [&](size_t part) { work(part * piece, std::min(size, (part + 1) * piece)); });
}

}  // namespace millrace
