// One call from JavaScript: its arguments as C++ values. Wrong arguments throw; `guarded` turns that into a JavaScript error.
#pragma once

#include <node_api.h>

#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arena.h"
#include "kernels.h"

namespace millrace {

class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env(env) {
    void* data = nullptr;
    check(napi_get_cb_info(env, info, &count_, arguments_, nullptr, &data));
    arena = static_cast<Arena*>(data);
  }

  double number(size_t i) const {
    double value = 0;
    check(napi_get_value_double(env, argument(i), &value));
    return value;
  }

  size_t size(size_t i) const { return static_cast<size_t>(number(i)); }

  bool flag(size_t i) const { return number(i) != 0; }

  // The values of a tensor.
  float* tensor(size_t i) const { return memory(argument(i)); }

  // The same; nullptr for the number -1.
  float* optionalTensor(size_t i) const { return number(i) < 0 ? nullptr : tensor(i); }

  Arrays tensors(size_t i) const {
    uint32_t length = 0;
    check(napi_get_array_length(env, argument(i), &length));
    Arrays all(length);
    for (uint32_t k = 0; k < length; k++) {
      napi_value element;
      check(napi_get_element(env, argument(i), k, &element));
      all[k] = memory(element);
    }
    return all;
  }

  // A typed array's own memory, and how many values it has.
  template <class T>
  T* values(size_t i, napi_typedarray_type wanted, size_t& length) const {
    napi_typedarray_type type;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, argument(i), &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted)
      throw std::invalid_argument("a typed array of another type was expected");
    return static_cast<T*>(data);
  }

  float* floats(size_t i, size_t& length) const { return values<float>(i, napi_float32_array, length); }

  // The memory of a list of typed arrays, and how many values each has.
  template <class T>
  std::vector<std::pair<T*, size_t>> arrays(size_t i, napi_typedarray_type wanted) const {
    uint32_t length = 0;
    check(napi_get_array_length(env, argument(i), &length));
    std::vector<std::pair<T*, size_t>> all(length);
    for (uint32_t k = 0; k < length; k++) {
      // Without a scope every element would stay alive until the call returns.
      napi_handle_scope scope;
      check(napi_open_handle_scope(env, &scope));
      napi_value element;
      napi_typedarray_type type = napi_int8_array;
      void* data = nullptr;
      size_t size = 0;
      const bool found = napi_get_element(env, argument(i), k, &element) == napi_ok &&
                         napi_get_typedarray_info(env, element, &type, &size, &data, nullptr, nullptr) == napi_ok;
      napi_close_handle_scope(env, scope);
      if (!found || type != wanted) throw std::invalid_argument("a typed array of another type was expected");
      all[k] = {static_cast<T*>(data), size};
    }
    return all;
  }

  // nullptr when the argument is undefined.
  const double* optionalDoubles(size_t i) const {
    napi_valuetype type = napi_undefined;
    check(napi_typeof(env, argument(i), &type));
    size_t length = 0;
    return type == napi_undefined ? nullptr : values<double>(i, napi_float64_array, length);
  }

  napi_value result(double value) const {
    napi_value out;
    check(napi_create_double(env, value, &out));
    return out;
  }

  napi_value result(int value) const {
    napi_value out;
    check(napi_create_int32(env, value, &out));
    return out;
  }

  static void check(napi_status status) {
    if (status != napi_ok) throw std::invalid_argument("an argument of another type was expected");
  }

  napi_env env;
  Arena* arena = nullptr;

 private:
  napi_value argument(size_t i) const {
    if (i >= count_) throw std::invalid_argument("an argument is missing");
    return arguments_[i];
  }

  float* memory(napi_value value) const {
    int32_t id = -1;
    check(napi_get_value_int32(env, value, &id));
    float* found = arena->at(id);
    if (found == nullptr) throw std::invalid_argument("a tensor that does not exist");
    return found;
  }

  size_t count_ = 16;
  napi_value arguments_[16];
};

// A function for JavaScript out of one on a Call.
template <napi_value (*work)(const Call&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return work(Call(env, info));
  } catch (const std::exception& error) {
    napi_throw_error(env, "ENGINE", error.what());
    return nullptr;
  }
}

}  // namespace millrace
