// Steps of table rows. Nothing is contracted to fused operations: the bytes are those of the same step in JavaScript.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

#include <cmath>

#include "kernels.h"
#include "workers.h"

namespace millrace {
namespace {

// Rows that are worth a thread.
constexpr size_t GRAIN = 1 << 10;
// Rows whose memory is asked for ahead of time, and floats of a cache line.
constexpr size_t AHEAD = 16, LINE = 16;

void askForRecord(const RowBlock& block, size_t row) {
  const size_t mask = (size_t(1) << block.pageBits) - 1;
  const float* record = block.pages[row >> block.pageBits] + (row & mask) * block.recordWidth;
  for (size_t c = 0; c < block.width + LINE; c += LINE) {
    __builtin_prefetch(record + block.valueAt + c, 1);
    __builtin_prefetch(record + block.stateAt + c, 1);
  }
}

bool isZero(const float* x, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (x[i] != 0) return false;
  return true;
}

}  // namespace

void adagradRows(const RowBlock& block, double rate, double epsilon, double keep) {
  const size_t width = block.width, mask = (size_t(1) << block.pageBits) - 1;
  inPieces(block.count, GRAIN, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      if (i + AHEAD < end && block.rows[i + AHEAD] >= 0) askForRecord(block, block.rows[i + AHEAD]);
      const int32_t row = block.rows[i];
      const float* gradient = block.gradient + i * width;
      block.moved[i] = row >= 0 && !isZero(gradient, width);
      if (!block.moved[i]) continue;
      float* record = block.pages[row >> block.pageBits] + (row & mask) * block.recordWidth;
      float *values = record + block.valueAt, *state = record + block.stateAt;
      for (size_t c = 0; c < width; c++) {
        const double g = gradient[c], n = keep * state[c] + g * g;
        state[c] = n;
        values[c] = values[c] - rate * g / (std::sqrt(n) + epsilon);
      }
    }
  });
}

}  // namespace millrace
