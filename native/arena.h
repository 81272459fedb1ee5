// Memory of tensors, known by number. Blocks given back are used again, so that a training step allocates nothing.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

namespace millrace {

class Arena {
 public:
  // A block of at least `size` floats, not cleared.
  int take(size_t size);
  void give(int id);
  // nullptr for a number that is not in use.
  float* at(int id) const;
  size_t inUse() const { return slots_.size() - unused_.size(); }

 private:
  struct Slot {
    float* memory = nullptr;
    size_t capacity = 0;
  };

  std::vector<Slot> slots_;
  std::vector<int> unused_;
  std::map<size_t, std::vector<float*>> kept_;
  size_t live_ = 0, peak_ = 0, keptFloats_ = 0;
};

}  // namespace millrace
