#include "products.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "workers.h"

namespace millrace {
namespace {

// A tile of C is ROWS x COLUMNS accumulators of vectors; two vectors wide, so that six or eight rows fill the registers.
#if defined(__AVX512F__)
constexpr size_t LANES = 16, ROWS = 12;
#elif defined(__AVX2__)
constexpr size_t LANES = 8, ROWS = 6;
#else
constexpr size_t LANES = 4, ROWS = 4;
#endif
constexpr size_t COLUMNS = 2 * LANES;
// Of k at a time: a packed panel of B (32 KB) stays in the nearest cache.
constexpr size_t DEPTH = 256;

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef float Anywhere __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Anywhere*>(from); }

inline void store(float* to, Vector v) { *reinterpret_cast<Anywhere*>(to) = v; }

// acc[R][2] += A rows x packed panel; element (i, k) of A is a[i * rowStep + k * depthStep].
template <size_t R>
inline void accumulate(const float* a, size_t rowStep, size_t depthStep, const float* panel, size_t depth,
                       float* tile, bool fresh) {
  Vector acc[R][2];
#pragma GCC unroll 16
  for (size_t i = 0; i < R; i++) {
    acc[i][0] = fresh ? Vector{} : load(tile + i * COLUMNS);
    acc[i][1] = fresh ? Vector{} : load(tile + i * COLUMNS + LANES);
  }
  for (size_t k = 0; k < depth; k++) {
    const Vector left = load(panel), right = load(panel + LANES);
    panel += COLUMNS;
#pragma GCC unroll 16
    for (size_t i = 0; i < R; i++) {
      const float value = a[i * rowStep];
      acc[i][0] += value * left;
      acc[i][1] += value * right;
    }
    a += depthStep;
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < R; i++) {
    store(tile + i * COLUMNS, acc[i][0]);
    store(tile + i * COLUMNS + LANES, acc[i][1]);
  }
}

void accumulateRows(size_t rows, const float* a, size_t rowStep, size_t depthStep, const float* panel, size_t depth,
                    float* tile, bool fresh) {
  size_t i = 0;
  for (; i + ROWS <= rows; i += ROWS)
    accumulate<ROWS>(a + i * rowStep, rowStep, depthStep, panel, depth, tile + i * COLUMNS, fresh);
  for (; i + 4 <= rows; i += 4)
    accumulate<4>(a + i * rowStep, rowStep, depthStep, panel, depth, tile + i * COLUMNS, fresh);
  for (; i < rows; i++)
    accumulate<1>(a + i * rowStep, rowStep, depthStep, panel, depth, tile + i * COLUMNS, fresh);
}

// Rows k0 .. k0 + depth of the columns j .. j + width of B, side by side, zeros to the right.
void pack(const Product& p, const float* b, size_t k0, size_t depth, size_t j, size_t width, float* panel) {
  if (!p.transposeB) {
    for (size_t k = 0; k < depth; k++) {
      const float* from = b + (k0 + k) * p.n + j;
      float* to = panel + k * COLUMNS;
      if (width == COLUMNS) std::memcpy(to, from, COLUMNS * sizeof(float));
      else
        for (size_t c = 0; c < COLUMNS; c++) to[c] = c < width ? from[c] : 0;
    }
    return;
  }
  for (size_t c = 0; c < COLUMNS; c++) {
    const float* from = b + (j + c) * p.k + k0;
    if (c < width)
      for (size_t k = 0; k < depth; k++) panel[k * COLUMNS + c] = from[k];
    else
      for (size_t k = 0; k < depth; k++) panel[k * COLUMNS + c] = 0;
  }
}

inline float activate(float x, Activation activation, float slope) {
  switch (activation) {
    case Activation::relu:
      return x < 0 ? 0 : x;  // NaN stays NaN: it must be seen
    case Activation::leakyRelu:
      return x < 0 ? slope * x : x;
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::none:
      break;
  }
  return x;
}

// The same for an end without bias and activation.
void finishGradient(const Product& p, const float* tile, size_t rows, size_t width, size_t offset, float* c) {
  for (size_t i = 0; i < rows; i++) {
    const float* from = tile + i * COLUMNS;
    float* to = c + offset + i * p.n;
    const float* mask = p.mask == nullptr ? nullptr : p.mask + (c - p.c) + offset + i * p.n;
    const float* addend = p.addend == nullptr ? nullptr : p.addend + (c - p.c) + offset + i * p.n;
    if (mask != nullptr && addend != nullptr)
      for (size_t x = 0; x < width; x++) to[x] = addend[x] + (mask[x] > 0 ? from[x] : 0);
    else if (mask != nullptr)
      for (size_t x = 0; x < width; x++) to[x] = mask[x] > 0 ? from[x] : 0;
    else
      for (size_t x = 0; x < width; x++) to[x] = addend[x] + from[x];
  }
}

void finish(const Product& p, const float* tile, size_t rows, size_t width, size_t j, float* c) {
  if (p.mask != nullptr || p.addend != nullptr) return finishGradient(p, tile, rows, width, j, c);
  float bias[COLUMNS] = {};
  if (p.bias != nullptr) std::copy(p.bias + j, p.bias + j + width, bias);
  for (size_t i = 0; i < rows; i++) {
    const float* from = tile + i * COLUMNS;
    float* to = c + i * p.n + j;
    if (p.activation == Activation::relu && width == COLUMNS)
      for (size_t x = 0; x < COLUMNS; x++) {
        const float sum = from[x] + bias[x];
        to[x] = sum < 0 ? 0 : sum;
      }
    else if (p.activation == Activation::none && width == COLUMNS)
      for (size_t x = 0; x < COLUMNS; x++) to[x] = from[x] + bias[x];
    else
      for (size_t x = 0; x < width; x++) to[x] = activate(from[x] + bias[x], p.activation, p.slope);
  }
}

// Rows of C that share a packed panel; their unfinished tiles (24 KB) wait between two depths.
constexpr size_t ROW_BLOCK = 16 * ROWS;

// Columns j .. j + COLUMNS of the rows begin .. end of one matrix of the batch.
void multiplyPanel(const Product& p, size_t matrix, size_t j, size_t begin, size_t end) {
  alignas(64) static thread_local float panel[DEPTH * COLUMNS];
  alignas(64) static thread_local float tile[ROWS * COLUMNS];
  const float* a = p.a + matrix * p.m * p.k;
  const float* b = p.b + matrix * p.k * p.n;
  float* c = p.c + matrix * p.m * p.n;
  const size_t rowStep = p.transposeA ? 1 : p.k, depthStep = p.transposeA ? p.m : 1;
  const size_t width = std::min(COLUMNS, p.n - j);
  if (p.k <= DEPTH) {
    pack(p, b, 0, p.k, j, width, panel);
    for (size_t i = begin; i < end; i += ROWS) {
      const size_t rows = std::min(ROWS, end - i);
      accumulateRows(rows, a + i * rowStep, rowStep, depthStep, panel, p.k, tile, true);
      finish(p, tile, rows, width, j, c + i * p.n);
    }
    return;
  }
  alignas(64) static thread_local float tiles[ROW_BLOCK * COLUMNS];
  for (size_t i = begin; i < end; i += ROW_BLOCK) {
    const size_t rows = std::min(ROW_BLOCK, end - i);
    for (size_t k0 = 0; k0 < p.k; k0 += DEPTH) {
      const size_t depth = std::min(DEPTH, p.k - k0);
      pack(p, b, k0, depth, j, width, panel);
      accumulateRows(rows, a + i * rowStep + k0 * depthStep, rowStep, depthStep, panel, depth, tiles, k0 == 0);
    }
    finish(p, tiles, rows, width, j, c + i * p.n);
  }
}

}  // namespace

void multiply(const Product& p) {
  const size_t panels = (p.n + COLUMNS - 1) / COLUMNS;
  const double work = double(p.batch) * p.m * p.k * panels * COLUMNS;
  // Below this a second thread costs more than it takes over.
  const size_t wanted = work < 300e3 || threadCount() == 1 ? 1 : 4 * threadCount();
  const size_t across = p.batch * panels;
  size_t blocks = std::max<size_t>(1, std::min((wanted + across - 1) / across, p.m / (2 * ROWS)));
  const size_t block = ((p.m + blocks - 1) / blocks + ROWS - 1) / ROWS * ROWS;
  blocks = (p.m + block - 1) / block;
  const auto part = [&](size_t index) {
    const size_t row = index % blocks, rest = index / blocks;
    multiplyPanel(p, rest / panels, rest % panels * COLUMNS, row * block, std::min(p.m, (row + 1) * block));
  };
  const size_t parts = across * blocks;
  if (wanted == 1)
    for (size_t index = 0; index < parts; index++) part(index);
  else
    inParallel(parts, part);
}

}  // namespace millrace
