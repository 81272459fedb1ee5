#include "arena.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace millrace {
namespace {

// Eight sizes per doubling: batches of different lengths share blocks, and at most an eighth is wasted.
size_t capacityFor(size_t size) {
  size_t unit = 16;
  while (unit * 16 < size) unit *= 2;
  return std::max<size_t>(unit, (size + unit - 1) / unit * unit);
}

}  // namespace

int Arena::take(size_t size) {
  const size_t capacity = capacityFor(size);
  std::vector<float*>& kept = kept_[capacity];
  float* memory = nullptr;
  if (kept.empty()) {
    memory = static_cast<float*>(std::aligned_alloc(64, capacity * sizeof(float)));
    if (memory == nullptr) throw std::bad_alloc();
  } else {
    memory = kept.back();
    kept.pop_back();
    keptFloats_ -= capacity;
  }
  live_ += capacity;
  peak_ = std::max(peak_, live_);
  int id = static_cast<int>(slots_.size());
  if (unused_.empty()) {
    slots_.emplace_back();
  } else {
    id = unused_.back();
    unused_.pop_back();
  }
  slots_[id] = {memory, capacity};
  return id;
}

void Arena::give(int id) {
  Slot& slot = slots_[id];
  live_ -= slot.capacity;
  // No more is kept than was ever in use at once: memory stays flat whatever sizes come.
  if (live_ + keptFloats_ + slot.capacity <= peak_) {
    kept_[slot.capacity].push_back(slot.memory);
    keptFloats_ += slot.capacity;
  } else {
    std::free(slot.memory);
  }
  slot = {};
  unused_.push_back(id);
}

float* Arena::at(int id) const {
  return id >= 0 && static_cast<size_t>(id) < slots_.size() ? slots_[id].memory : nullptr;
}

}  // namespace millrace
