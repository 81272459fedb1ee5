// The kernels as functions for JavaScript; src/tensors/kernel-binding.ts says what each takes.
#include <algorithm>
#include <cstring>

#include "call.h"
#include "kernels.h"
#include "products.h"
#include "table-binding.h"
#include "workers.h"

namespace millrace {
namespace {

// A new tensor of this many floats, written by `write`.
template <class F>
napi_value filled(const Call& call, size_t size, const F& write) {
  const int id = call.arena->take(size);
  write(call.arena->at(id));
  return call.result(id);
}

napi_value upload(const Call& call) {
  size_t length = 0;
  const float* from = call.floats(0, length);
  return filled(call, length, [&](float* out) { std::memcpy(out, from, length * sizeof(float)); });
}

napi_value read(const Call& call) {
  size_t length = 0;
  float* to = call.floats(1, length);
  std::memcpy(to, call.tensor(0), length * sizeof(float));
  return nullptr;
}

napi_value release(const Call& call) {
  call.tensor(0);
  call.arena->give(static_cast<int>(call.number(0)));
  return nullptr;
}

napi_value inUse(const Call& call) { return call.result(static_cast<double>(call.arena->inUse())); }

napi_value threads(const Call& call) { return call.result(threadCount()); }

napi_value product(const Call& call) {
  Product p;
  p.a = call.tensor(0), p.b = call.tensor(1);
  p.batch = call.size(2), p.m = call.size(3), p.k = call.size(4), p.n = call.size(5);
  p.transposeA = call.flag(6), p.transposeB = call.flag(7);
  p.bias = call.optionalTensor(8);
  p.activation = static_cast<Activation>(call.size(9));
  p.slope = call.number(10);
  return filled(call, p.batch * p.m * p.n, [&](float* out) {
    p.c = out;
    multiply(p);
  });
}

// dz [m, k] weight [n, k]ᵀ, masked, onto what `addend` holds: in its memory if `inPlace`.
napi_value inputGradient(const Call& call) {
  Product p;
  p.a = call.tensor(0), p.b = call.tensor(1);
  p.batch = 1, p.m = call.size(2), p.k = call.size(3), p.n = call.size(4);
  p.transposeA = false, p.transposeB = true;
  p.bias = nullptr, p.activation = Activation::none, p.slope = 0;
  p.mask = call.optionalTensor(5), p.addend = call.optionalTensor(6);
  if (call.flag(7)) {
    p.c = call.tensor(6);
    multiply(p);
    return call.result(call.number(6));
  }
  return filled(call, p.m * p.n, [&](float* out) {
    p.c = out;
    multiply(p);
  });
}

napi_value binaryOf(const Call& call) {
  const size_t size = call.size(3);
  const Walk walk{call.size(4), call.size(5), call.size(6)};
  return filled(call, size, [&](float* out) {
    binary(static_cast<Binary>(call.size(0)), out, call.tensor(1), call.tensor(2), size, walk);
  });
}

napi_value affineOf(const Call& call) {
  const size_t size = call.size(1);
  return filled(call, size,
                [&](float* out) { affine(out, call.tensor(0), size, call.number(2), call.number(3)); });
}

napi_value unaryOf(const Call& call) {
  const size_t size = call.size(2);
  return filled(call, size, [&](float* out) {
    unary(static_cast<Unary>(call.size(0)), out, call.tensor(1), size, call.number(3));
  });
}

napi_value unaryGradientOf(const Call& call) {
  const size_t size = call.size(4);
  return filled(call, size, [&](float* out) {
    unaryGradient(static_cast<Unary>(call.size(0)), out, call.tensor(1), call.tensor(2), call.tensor(3), size,
                  call.number(5));
  });
}

napi_value softmaxOf(const Call& call) {
  const size_t rows = call.size(1), width = call.size(2);
  return filled(call, rows * width, [&](float* out) { softmax(out, call.tensor(0), rows, width); });
}

napi_value softmaxGradientOf(const Call& call) {
  const size_t rows = call.size(2), width = call.size(3);
  return filled(call, rows * width,
                [&](float* out) { softmaxGradient(out, call.tensor(0), call.tensor(1), rows, width); });
}

napi_value concat(const Call& call) {
  const Arrays parts = call.tensors(0);
  size_t count = 0, width = 0;
  const double* widths = call.values<double>(1, napi_float64_array, count);
  const size_t rows = call.size(2);
  for (size_t i = 0; i < count; i++) width += widths[i];
  return filled(call, rows * width, [&](float* out) {
    size_t to = 0;
    for (size_t i = 0; i < parts.size(); i++) {
      const size_t size = widths[i];
      copyColumns(out, to, width, parts[i], 0, size, size, rows);
      to += size;
    }
  });
}

napi_value slice(const Call& call) {
  const size_t rows = call.size(1), width = call.size(2), begin = call.size(3), size = call.size(4);
  return filled(call, rows * size,
                [&](float* out) { copyColumns(out, 0, size, call.tensor(0), begin, width, size, rows); });
}

napi_value pad(const Call& call) {
  const size_t rows = call.size(1), size = call.size(2), begin = call.size(3), width = call.size(4);
  return filled(call, rows * width, [&](float* out) {
    std::memset(out, 0, rows * width * sizeof(float));
    copyColumns(out, begin, width, call.tensor(0), 0, size, size, rows);
  });
}

napi_value transposeOf(const Call& call) {
  const size_t batch = call.size(1), rows = call.size(2), columns = call.size(3);
  return filled(call, batch * rows * columns,
                [&](float* out) { transpose(out, call.tensor(0), batch, rows, columns); });
}

napi_value sum(const Call& call) {
  const size_t size = call.size(1);
  return filled(call, 1, [&](float* out) { out[0] = total(call.tensor(0), size); });
}

napi_value sumLast(const Call& call) {
  const size_t rows = call.size(1), width = call.size(2);
  return filled(call, rows, [&](float* out) { sumColumns(out, call.tensor(0), rows, width); });
}

napi_value sumRowsOf(const Call& call) {
  const size_t rows = call.size(1), width = call.size(2);
  return filled(call, width, [&](float* out) { sumRows(out, call.tensor(0), rows, width); });
}

napi_value repeatLast(const Call& call) {
  const size_t size = call.size(1), width = call.size(2);
  return filled(call, size * width, [&](float* out) { repeatEach(out, call.tensor(0), size, width); });
}

napi_value mixOf(const Call& call) {
  const size_t rows = call.size(2), width = call.size(3);
  return filled(call, rows * width,
                [&](float* out) { mix(out, call.tensor(0), call.tensors(1), rows, width); });
}

napi_value mixExpertGradientOf(const Call& call) {
  const size_t k = call.size(2), count = call.size(3), rows = call.size(4), width = call.size(5);
  return filled(call, rows * width, [&](float* out) {
    mixExpertGradient(out, call.tensor(0), call.tensor(1), k, count, rows, width);
  });
}

napi_value mixturesGradientOf(const Call& call) {
  const Arrays cotangents = call.tensors(0), gates = call.tensors(1);
  size_t length = 0;
  const double* places = call.values<double>(2, napi_float64_array, length);
  const size_t rows = call.size(3), width = call.size(4);
  if (cotangents.empty() || gates.size() != cotangents.size() || length < 2 * gates.size())
    throw std::invalid_argument("a longer array was expected");
  std::vector<MixTerm> terms;
  for (size_t t = 0; t < gates.size(); t++)
    terms.push_back({cotangents[t], gates[t], size_t(places[2 * t]), size_t(places[2 * t + 1])});
  const float* mask = call.optionalTensor(5);
  return filled(call, rows * width, [&](float* out) { mixturesGradient(out, terms, mask, rows, width); });
}

napi_value mixGatesGradientOf(const Call& call) {
  const Arrays experts = call.tensors(1);
  const size_t rows = call.size(2), width = call.size(3);
  return filled(call, rows * experts.size(),
                [&](float* out) { mixGatesGradient(out, call.tensor(0), experts, rows, width); });
}

napi_value weightedSumOf(const Call& call) {
  const Arrays arrays = call.tensors(0);
  const size_t size = call.size(1);
  const double* coefficients = call.optionalDoubles(2);
  return filled(call, size, [&](float* out) { weightedSum(out, arrays, coefficients, size); });
}

napi_value gramOf(const Call& call) {
  const Arrays arrays = call.tensors(0);
  size_t length = 0;
  const size_t size = call.size(1), count = arrays.size();
  double* out = call.values<double>(2, napi_float64_array, length);
  if (length < count * count) throw std::invalid_argument("a longer array was expected");
  gram(out, arrays, size);
  return nullptr;
}

// Sum of squares over all tensors: not finite as soon as one value is not.
napi_value squares(const Call& call) {
  const size_t size = call.size(1);
  const float* x = call.tensor(0);
  return call.result(dot(x, x, size));
}

napi_value adamOf(const Call& call) {
  size_t size = 0, means = 0, squares = 0;
  float* values = call.floats(0, size);
  float* mean = call.floats(1, means);
  float* square = call.floats(2, squares);
  if (means != size || squares != size) throw std::invalid_argument("moments of another length");
  const AdamStep step{float(call.number(4)), float(call.number(5)), float(call.number(6)), float(call.number(7)),
                      float(call.number(8))};
  adam(values, mean, square, call.tensor(3), size, step);
  return nullptr;
}

void define(napi_env env, napi_value exports, Arena* arena, const char* name, napi_callback work) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, work, arena, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

napi_value init(napi_env env, napi_value exports) {
  // One arena for every JavaScript thread that loads the addon; it dies with the thread's environment.
  Arena* arena = new Arena();
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Arena*>(data); }, arena);
#define KERNEL(name, work) define(env, exports, arena, name, guarded<work>)
  KERNEL("upload", upload);
  KERNEL("read", read);
  KERNEL("release", release);
  KERNEL("inUse", inUse);
  KERNEL("threads", threads);
  KERNEL("product", product);
  KERNEL("inputGradient", inputGradient);
  KERNEL("binary", binaryOf);
  KERNEL("affine", affineOf);
  KERNEL("unary", unaryOf);
  KERNEL("unaryGradient", unaryGradientOf);
  KERNEL("softmax", softmaxOf);
  KERNEL("softmaxGradient", softmaxGradientOf);
  KERNEL("concat", concat);
  KERNEL("slice", slice);
  KERNEL("pad", pad);
  KERNEL("transpose", transposeOf);
  KERNEL("sum", sum);
  KERNEL("sumLast", sumLast);
  KERNEL("sumRows", sumRowsOf);
  KERNEL("repeatLast", repeatLast);
  KERNEL("mix", mixOf);
  KERNEL("mixExpertGradient", mixExpertGradientOf);
  KERNEL("mixturesGradient", mixturesGradientOf);
  KERNEL("mixGatesGradient", mixGatesGradientOf);
  KERNEL("weightedSum", weightedSumOf);
  KERNEL("gram", gramOf);
  KERNEL("squares", squares);
  KERNEL("adam", adamOf);
  KERNEL("adagradRows", adagradRowsOf);
  KERNEL("lookUpRows", lookUpRowsOf);
#undef KERNEL
  return exports;
}

}  // namespace
}  // namespace millrace

NAPI_MODULE_INIT() { return millrace::init(env, exports); }
