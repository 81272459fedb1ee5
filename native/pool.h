// Memory of large tensors: cut from slabs of huge pages, so that a walk down a column does not miss the translation cache at
// every row. Free pieces that touch become one.
#pragma once

#include <cstddef>
#include <map>

namespace millrace {

class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  ~Pool();
  // A piece of at least `size` floats, a multiple of GRAIN long, not cleared.
  float* take(size_t size);
  void give(float* memory, size_t size);

  // Floats that a piece of `size` takes.
  static size_t rounded(size_t size) { return (size + GRAIN - 1) / GRAIN * GRAIN; }
  // Gives slabs without any piece in use back to the system until no more than `floats` and one slab are free.
  void trim(size_t floats);

 private:
  // A page of memory.
  static constexpr size_t GRAIN = 1024;

  std::map<float*, size_t> slabs_, free_;
  size_t freeFloats_ = 0;
};

}  // namespace millrace
