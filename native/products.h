// Matrix products with an end: bias and activation are applied while a tile of the result is still in registers' reach.
#pragma once

#include <cstddef>

namespace millrace {

enum class Activation { none, relu, leakyRelu, sigmoid };

// C [m, n] = activation(A [m, k] B [k, n] + bias [n]) for each of `batch` neighbouring matrices. A transposed operand lies
// in memory as its transpose. Every element is a sum over k in one fixed order, whatever the tiling and the threads.
struct Product {
  const float* a;
  const float* b;
  float* c;
  size_t batch, m, k, n;
  bool transposeA, transposeB;
  const float* bias;
  Activation activation;
  float slope;
  // Shaped as C: where it is not positive C becomes 0, before `addend` is added. Either may be absent; `addend` may be C itself.
  const float* mask = nullptr;
  const float* addend = nullptr;
};

void multiply(const Product& product);

}  // namespace millrace
