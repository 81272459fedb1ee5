// Memory of tensors, known by number. Blocks given back are used again, so that a training step allocates nothing.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "pool.h"

namespace millrace {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  ~Arena();
  // A block of at least `size` floats, not cleared.
  int take(size_t size);
  void give(int id);
  // nullptr for a number that is not in use.
  float* at(int id) const;
  size_t inUse() const { return slots_.size() - unused_.size(); }

 private:
  struct Slot {
    float* memory = nullptr;
    size_t size = 0;
  };

  float* takeLarge(size_t size);
  float* takeSmall(size_t capacity);
  void giveLarge(float* memory, size_t size);
  void giveSmall(float* memory, size_t capacity);

  std::vector<Slot> slots_;
  std::vector<int> unused_;
  // Small blocks given back, by size.
  std::map<size_t, std::vector<float*>> kept_;
  size_t live_ = 0, peak_ = 0, keptFloats_ = 0;
  Pool pool_;
  size_t pooled_ = 0, pooledPeak_ = 0;
};

}  // namespace millrace
