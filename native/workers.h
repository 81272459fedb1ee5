// Threads that share the parts of one kernel. A part's result never depends on who computes it, so neither number nor
// timing of threads changes a bit.
#pragma once

#include <cstddef>
#include <functional>

namespace millrace {

// Threads at work, the caller's included: MILLRACE_THREADS, else the processors this process may use.
int threadCount();

// Calls work(0) .. work(parts - 1), each once, on any thread; returns when all are done. Not reentrant.
void inParallel(size_t parts, const std::function<void(size_t)>& work);

// The same over [0, size) in pieces of at least `grain`: work(begin, end).
void inPieces(size_t size, size_t grain, const std::function<void(size_t, size_t)>& work);

}  // namespace millrace
