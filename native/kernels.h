// Element-wise, row-wise and reducing kernels on float arrays. Sums go through fixed blocks in float64, so threads do not
// change them. `size` counts floats; matrices are row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace {

enum class Binary { add, subtract, multiply };

// In the order of UNARY in src/tensors/kernel-engine.ts.
enum class Unary { relu, leakyRelu, sigmoid, exp, log, sin, softplus };

// How the second operand is walked: element (row, column) is b[row * rowStep + column * columnStep].
struct Walk {
  size_t width, rowStep, columnStep;
};

using Arrays = std::vector<const float*>;

void binary(Binary kind, float* out, const float* a, const float* b, size_t size, Walk walk);
void affine(float* out, const float* x, size_t size, float factor, float offset);
void unary(Unary kind, float* out, const float* x, size_t size, float slope);
void unaryGradient(Unary kind, float* out, const float* dy, const float* x, const float* y, size_t size, float slope);

void softmax(float* out, const float* x, size_t rows, size_t width);
void softmaxGradient(float* out, const float* dy, const float* y, size_t rows, size_t width);

// Columns from .. from + size of rows `fromWidth` wide to columns to .. of rows `toWidth` wide.
void copyColumns(float* out, size_t to, size_t toWidth, const float* x, size_t from, size_t fromWidth, size_t size,
                 size_t rows);
void transpose(float* out, const float* x, size_t batch, size_t rows, size_t columns);
void repeatEach(float* out, const float* x, size_t size, size_t width);

double total(const float* x, size_t size);
double dot(const float* a, const float* b, size_t size);
// All dot products, row-major; the bytes of `dot` for each.
void gram(double* out, const Arrays& arrays, size_t size);
void sumRows(float* out, const float* x, size_t rows, size_t width);
void sumColumns(float* out, const float* x, size_t rows, size_t width);

// sum over k of gates[:, k] experts[k], and its gradients; experts are [rows, width], gates [rows, K].
void mix(float* out, const float* gates, const Arrays& experts, size_t rows, size_t width);
void mixExpertGradient(float* out, const float* dy, const float* gates, size_t k, size_t count, size_t rows, size_t width);
// The gradient of one expert by several mixtures: sum over t of dy[t] * gates[t][:, k[t]], gates `count[t]` wide, times 0 where
// `mask`, if given, is not positive.
struct MixTerm {
  const float *dy, *gates;
  size_t k, count;
};
void mixturesGradient(float* out, const std::vector<MixTerm>& terms, const float* mask, size_t rows, size_t width);
void mixGatesGradient(float* out, const float* dy, const Arrays& experts, size_t rows, size_t width);

void weightedSum(float* out, const Arrays& arrays, const double* coefficients, size_t size);

// Adam (Kingma and Ba 2015, algorithm 1) with the step's constants worked out by the caller.
struct AdamStep {
  float beta1, beta2, rate, floor, scale;
};
// Rows of an embedding table: record of row r is the words (r mod 2^pageBits) recordWidth .. of pages[r >> pageBits].
struct RowBlock {
  std::vector<float*> pages;
  size_t pageBits, recordWidth, valueAt, stateAt, width;
  const int32_t* rows;
  size_t count;
  const float* gradient;
  // Written: 1 where a row was stepped, 0 where its number is negative or its gradient all zero.
  uint8_t* moved;
};

// Adagrad (Duchi, Hazan and Singer 2011): n = keep n + g^2; w -= rate g / (sqrt(n) + epsilon), in float64 as JavaScript has it.
void adagradRows(const RowBlock& block, double rate, double epsilon, double keep);

void adam(float* values, float* mean, float* square, const float* gradient, size_t size, const AdamStep& step);

}  // namespace millrace
