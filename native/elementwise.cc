#include <cmath>

#include "kernels.h"
#include "workers.h"

namespace millrace {
namespace {

// Floats that are worth a thread: 64 KB.
constexpr size_t GRAIN = 1 << 14;

template <class F>
void map(size_t size, const F& at) {
  inPieces(size, GRAIN, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) at(i);
  });
}

template <class F>
void combine(float* out, const float* a, const float* b, size_t size, Walk w, const F& f) {
  if (w.columnStep == 1 && w.rowStep == w.width) return map(size, [=](size_t i) { out[i] = f(a[i], b[i]); });
  if (w.columnStep == 0 && w.rowStep == 0) {
    const float value = b[0];
    return map(size, [=](size_t i) { out[i] = f(a[i], value); });
  }
  const size_t width = w.width;
  inPieces(size / width, GRAIN / width + 1, [=](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const float* left = a + row * width;
      float* to = out + row * width;
      if (w.columnStep == 1)
        for (size_t c = 0; c < width; c++) to[c] = f(left[c], b[c]);
      else
        for (size_t c = 0; c < width; c++) to[c] = f(left[c], b[row]);
    }
  });
}

}  // namespace

void binary(Binary kind, float* out, const float* a, const float* b, size_t size, Walk walk) {
  switch (kind) {
    case Binary::add:
      return combine(out, a, b, size, walk, [](float x, float y) { return x + y; });
    case Binary::subtract:
      return combine(out, a, b, size, walk, [](float x, float y) { return x - y; });
    case Binary::multiply:
      return combine(out, a, b, size, walk, [](float x, float y) { return x * y; });
  }
}

void affine(float* out, const float* x, size_t size, float factor, float offset) {
  map(size, [=](size_t i) { out[i] = factor * x[i] + offset; });
}

// NaN passes through every one of them: a loss that is not finite must be seen.
void unary(Unary kind, float* out, const float* x, size_t size, float slope) {
  switch (kind) {
    case Unary::relu:
      return map(size, [=](size_t i) { out[i] = x[i] < 0 ? 0 : x[i]; });
    case Unary::leakyRelu:
      return map(size, [=](size_t i) { out[i] = x[i] < 0 ? slope * x[i] : x[i]; });
    case Unary::sigmoid:
      return map(size, [=](size_t i) { out[i] = 1 / (1 + std::exp(-x[i])); });
    case Unary::exp:
      return map(size, [=](size_t i) { out[i] = std::exp(x[i]); });
    case Unary::log:
      return map(size, [=](size_t i) { out[i] = std::log(x[i]); });
    case Unary::sin:
      return map(size, [=](size_t i) { out[i] = std::sin(x[i]); });
    case Unary::softplus:
      return map(size, [=](size_t i) {
        out[i] = (x[i] < 0 ? 0 : x[i]) + std::log1p(std::exp(-std::fabs(x[i])));
      });
  }
}

void unaryGradient(Unary kind, float* out, const float* dy, const float* x, const float* y, size_t size, float slope) {
  switch (kind) {
    case Unary::relu:
      return map(size, [=](size_t i) {
        const float d = dy[i];
        out[i] = y[i] > 0 ? d : 0;
      });
    case Unary::leakyRelu:
      return map(size, [=](size_t i) {
        const float d = dy[i];
        out[i] = y[i] > 0 ? d : slope * d;
      });
    case Unary::sigmoid:
      return map(size, [=](size_t i) { out[i] = dy[i] * y[i] * (1 - y[i]); });
    case Unary::exp:
      return map(size, [=](size_t i) { out[i] = dy[i] * y[i]; });
    case Unary::log:
      return map(size, [=](size_t i) { out[i] = dy[i] / x[i]; });
    case Unary::sin:
      return map(size, [=](size_t i) { out[i] = dy[i] * std::cos(x[i]); });
    case Unary::softplus:
      return map(size, [=](size_t i) { out[i] = dy[i] / (1 + std::exp(-x[i])); });
  }
}

void weightedSum(float* out, const Arrays& arrays, const double* coefficients, size_t size) {
  const size_t count = arrays.size();
  inPieces(size, GRAIN, [&](size_t begin, size_t end) {
    const float first = coefficients == nullptr ? 1 : coefficients[0];
    const float* x = arrays[0];
    for (size_t i = begin; i < end; i++) out[i] = first * x[i];
    size_t k = 1;
    for (; k + 1 < count; k += 2) {
      const float a = coefficients == nullptr ? 1 : coefficients[k];
      const float b = coefficients == nullptr ? 1 : coefficients[k + 1];
      const float *u = arrays[k], *v = arrays[k + 1];
      for (size_t i = begin; i < end; i++) out[i] = out[i] + a * u[i] + b * v[i];
    }
    if (k < count) {
      const float a = coefficients == nullptr ? 1 : coefficients[k];
      const float* u = arrays[k];
      for (size_t i = begin; i < end; i++) out[i] = out[i] + a * u[i];
    }
  });
}

void adam(float* values, float* mean, float* square, const float* gradient, size_t size, const AdamStep& s) {
  map(size, [=](size_t i) {
    const float g = gradient[i] * s.scale;
    const float m = s.beta1 * mean[i] + (1 - s.beta1) * g;
    const float v = s.beta2 * square[i] + (1 - s.beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    values[i] -= s.rate * m / (std::sqrt(v) + s.floor);
  });
}

}  // namespace millrace
