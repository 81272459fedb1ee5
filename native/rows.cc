#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "workers.h"

namespace millrace {
namespace {

constexpr size_t GRAIN = 1 << 14;

template <class F>
void eachRow(size_t rows, size_t width, const F& work) {
  inPieces(rows, GRAIN / std::max<size_t>(width, 1) + 1, [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) work(row);
  });
}

// Floats that are summed as float32 before they are added up as float64.
constexpr size_t BLOCK = 4096;
constexpr size_t LANES = 16;

typedef float Lanes __attribute__((vector_size(LANES * 4)));
typedef float Anywhere __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const Anywhere*>(from); }

// Sum of f(i) over [0, size): `vectors` gives sixteen neighbouring values, `value` one. Four sums of sixteen lanes side by side,
// as vectors by name: from an array of lanes the compiler makes one addition after the other.
template <class V, class F>
inline double blockSum(size_t size, const V& vectors, const F& value) {
  Lanes sums[4] = {};
  size_t i = 0;
  for (; i + 4 * LANES <= size; i += 4 * LANES)
    for (size_t u = 0; u < 4; u++) sums[u] += vectors(i + u * LANES);
  for (; i + LANES <= size; i += LANES) sums[0] += vectors(i);
  const Lanes all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double sum = 0;
  for (size_t l = 0; l < LANES; l++) sum += all[l];
  for (; i < size; i++) sum += value(i);
  return sum;
}

inline double blockTotal(const float* x, size_t size) {
  return blockSum(size, [=](size_t i) { return load(x + i); }, [=](size_t i) { return x[i]; });
}

inline double blockDot(const float* a, const float* b, size_t size) {
  return blockSum(size, [=](size_t i) { return load(a + i) * load(b + i); }, [=](size_t i) { return a[i] * b[i]; });
}

// sum(begin, size) over all blocks.
template <class F>
double sumInBlocks(size_t size, const F& sum) {
  const size_t blocks = (size + BLOCK - 1) / BLOCK;
  std::vector<double> sums(blocks);
  inPieces(blocks, 16, [&](size_t begin, size_t end) {
    for (size_t b = begin; b < end; b++) sums[b] = sum(b * BLOCK, std::min(size - b * BLOCK, BLOCK));
  });
  double all = 0;
  for (double part : sums) all += part;
  return all;
}

}  // namespace

double total(const float* x, size_t size) {
  return sumInBlocks(size, [=](size_t begin, size_t count) { return blockTotal(x + begin, count); });
}

double dot(const float* a, const float* b, size_t size) {
  return sumInBlocks(size, [=](size_t begin, size_t count) { return blockDot(a + begin, b + begin, count); });
}

void gram(double* out, const Arrays& arrays, size_t size) {
  const size_t count = arrays.size(), pairs = count * (count + 1) / 2, blocks = (size + BLOCK - 1) / BLOCK;
  std::vector<double> sums(blocks * pairs);
  // Block by block for all pairs: each array comes from memory once, not once per pair.
  inPieces(blocks, 1 + 16 / pairs, [&](size_t first, size_t last) {
    for (size_t block = first; block < last; block++) {
      const size_t begin = block * BLOCK, length = std::min(size - begin, BLOCK);
      double* sum = &sums[block * pairs];
      for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++) *sum++ = blockDot(arrays[i] + begin, arrays[j] + begin, length);
    }
  });
  for (size_t i = 0, pair = 0; i < count; i++)
    for (size_t j = 0; j <= i; j++, pair++) {
      double sum = 0;
      for (size_t block = 0; block < blocks; block++) sum += sums[block * pairs + pair];
      out[i * count + j] = out[j * count + i] = sum;
    }
}

void softmax(float* out, const float* x, size_t rows, size_t width) {
  eachRow(rows, width * 4, [=](size_t row) {
    const float* from = x + row * width;
    float* to = out + row * width;
    float top = from[0];
    for (size_t c = 1; c < width; c++) top = std::max(top, from[c]);
    float sum = 0;
    for (size_t c = 0; c < width; c++) sum += to[c] = std::exp(from[c] - top);
    for (size_t c = 0; c < width; c++) to[c] /= sum;
  });
}

void softmaxGradient(float* out, const float* dy, const float* y, size_t rows, size_t width) {
  eachRow(rows, width, [=](size_t row) {
    const float *d = dy + row * width, *v = y + row * width;
    float inner = 0;
    for (size_t c = 0; c < width; c++) inner += d[c] * v[c];
    for (size_t c = 0; c < width; c++) out[row * width + c] = v[c] * (d[c] - inner);
  });
}

void copyColumns(float* out, size_t to, size_t toWidth, const float* x, size_t from, size_t fromWidth, size_t size,
                 size_t rows) {
  eachRow(rows, size, [=](size_t row) {
    std::memcpy(out + row * toWidth + to, x + row * fromWidth + from, size * sizeof(float));
  });
}

void transpose(float* out, const float* x, size_t batch, size_t rows, size_t columns) {
  constexpr size_t TILE = 16;
  const size_t bands = (rows + TILE - 1) / TILE;
  inPieces(batch * bands, GRAIN / (TILE * std::max<size_t>(columns, 1)) + 1, [=](size_t begin, size_t end) {
    for (size_t band = begin; band < end; band++) {
      const float* from = x + band / bands * rows * columns;
      float* to = out + band / bands * rows * columns;
      const size_t top = band % bands * TILE, bottom = std::min(rows, top + TILE);
      for (size_t c0 = 0; c0 < columns; c0 += TILE)
        for (size_t c = c0; c < std::min(columns, c0 + TILE); c++)
          for (size_t r = top; r < bottom; r++) to[c * rows + r] = from[r * columns + c];
    }
  });
}

void repeatEach(float* out, const float* x, size_t size, size_t width) {
  eachRow(size, width, [=](size_t i) { std::fill(out + i * width, out + (i + 1) * width, x[i]); });
}

void sumColumns(float* out, const float* x, size_t rows, size_t width) {
  eachRow(rows, width, [=](size_t row) {
    out[row] = blockTotal(x + row * width, width);
  });
}

void sumRows(float* out, const float* x, size_t rows, size_t width) {
  // Blocks of rows summed as float32, then added as float64: a column's order does not depend on the cut. Rows stream by, the
  // sums of a strip of columns stay in the nearest cache.
  constexpr size_t ROWS = 64, STRIP = 512;
  const size_t vectors = (width + LANES - 1) / LANES;
  inPieces(vectors, GRAIN / (LANES * std::max<size_t>(rows, 1)) + 1, [=](size_t first, size_t last) {
    const size_t end = std::min(width, last * LANES);
    for (size_t begin = first * LANES; begin < end; begin += STRIP) {
      const size_t count = std::min(STRIP, end - begin);
      double sums[STRIP] = {};
      for (size_t r0 = 0; r0 < rows; r0 += ROWS) {
        float block[STRIP] = {};
        for (size_t r = r0; r < std::min(rows, r0 + ROWS); r++)
          for (size_t c = 0; c < count; c++) block[c] += x[r * width + begin + c];
        for (size_t c = 0; c < count; c++) sums[c] += block[c];
      }
      std::copy(sums, sums + count, out + begin);
    }
  });
}

void mix(float* out, const float* gates, const Arrays& experts, size_t rows, size_t width) {
  const size_t count = experts.size();
  eachRow(rows, width * count, [&, count](size_t row) {
    float* to = out + row * width;
    std::memset(to, 0, width * sizeof(float));
    for (size_t k = 0; k < count; k++) {
      const float weight = gates[row * count + k];
      const float* from = experts[k] + row * width;
      for (size_t c = 0; c < width; c++) to[c] += weight * from[c];
    }
  });
}

void mixExpertGradient(float* out, const float* dy, const float* gates, size_t k, size_t count, size_t rows, size_t width) {
  eachRow(rows, width, [=](size_t row) {
    const float weight = gates[row * count + k];
    for (size_t c = 0; c < width; c++) out[row * width + c] = weight * dy[row * width + c];
  });
}

void mixturesGradient(float* out, const std::vector<MixTerm>& terms, const float* mask, size_t rows, size_t width) {
  eachRow(rows, width * (terms.size() + 1), [&](size_t row) {
    float* to = out + row * width;
    const float first = terms[0].gates[row * terms[0].count + terms[0].k];
    const float* from = terms[0].dy + row * width;
    for (size_t c = 0; c < width; c++) to[c] = first * from[c];
    for (size_t t = 1; t < terms.size(); t++) {
      const float weight = terms[t].gates[row * terms[t].count + terms[t].k];
      const float* more = terms[t].dy + row * width;
      for (size_t c = 0; c < width; c++) to[c] += weight * more[c];
    }
    if (mask == nullptr) return;
    const float* open = mask + row * width;
    for (size_t c = 0; c < width; c++) {
      const float value = to[c];
      to[c] = open[c] > 0 ? value : 0;
    }
  });
}

void mixGatesGradient(float* out, const float* dy, const Arrays& experts, size_t rows, size_t width) {
  const size_t count = experts.size();
  eachRow(rows, width * count, [&, count](size_t row) {
    const float* d = dy + row * width;
    for (size_t k = 0; k < count; k++) out[row * count + k] = blockDot(d, experts[k] + row * width, width);
  });
}

}  // namespace millrace
