#include "arena.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace millrace {
namespace {

// From this many floats on, 64 KB, a block comes from the pool.
constexpr size_t LARGE = 1 << 14;

// Eight sizes per doubling: batches of different lengths share blocks, and at most an eighth is wasted.
size_t capacityFor(size_t size) {
  size_t unit = 16;
  while (unit * 16 < size) unit *= 2;
  return std::max<size_t>(unit, (size + unit - 1) / unit * unit);
}

}  // namespace

Arena::~Arena() {
  for (const Slot& slot : slots_)
    if (slot.size < LARGE) std::free(slot.memory);
  for (const auto& [capacity, blocks] : kept_)
    for (float* block : blocks) std::free(block);
}

int Arena::take(size_t size) {
  float* const memory = size >= LARGE ? takeLarge(size) : takeSmall(capacityFor(size));
  int id = static_cast<int>(slots_.size());
  if (unused_.empty()) {
    slots_.emplace_back();
  } else {
    id = unused_.back();
    unused_.pop_back();
  }
  slots_[id] = {memory, size};
  return id;
}

float* Arena::takeLarge(size_t size) {
  float* const memory = pool_.take(size);
  pooled_ += Pool::rounded(size);
  pooledPeak_ = std::max(pooledPeak_, pooled_);
  return memory;
}

float* Arena::takeSmall(size_t capacity) {
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
  return memory;
}

void Arena::give(int id) {
  Slot& slot = slots_[id];
  if (slot.size >= LARGE) giveLarge(slot.memory, slot.size);
  else giveSmall(slot.memory, capacityFor(slot.size));
  slot = {};
  unused_.push_back(id);
}

// What is kept is bounded by what was ever in use at once: memory stays flat whatever sizes come.
void Arena::giveLarge(float* memory, size_t size) {
  pool_.give(memory, size);
  pooled_ -= Pool::rounded(size);
  pool_.trim(2 * pooledPeak_ - pooled_);
}

void Arena::giveSmall(float* memory, size_t capacity) {
  live_ -= capacity;
  if (live_ + keptFloats_ + capacity <= peak_) {
    kept_[capacity].push_back(memory);
    keptFloats_ += capacity;
  } else {
    std::free(memory);
  }
}

float* Arena::at(int id) const {
  return id >= 0 && static_cast<size_t>(id) < slots_.size() ? slots_[id].memory : nullptr;
}

}  // namespace millrace
