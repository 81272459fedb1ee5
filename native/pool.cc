#include "pool.h"

#include <cstdlib>
#include <iterator>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace millrace {
namespace {

constexpr size_t HUGE_PAGE = (size_t(2) << 20) / sizeof(float), SLAB = 4 * HUGE_PAGE;

// Huge where the system gives them; ordinary pages elsewhere.
float* pages(size_t floats) {
  const size_t bytes = floats * sizeof(float);
  void* memory = std::aligned_alloc(HUGE_PAGE * sizeof(float), bytes);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<float*>(memory);
}

}  // namespace

Pool::~Pool() {
  for (const auto& [slab, length] : slabs_) std::free(slab);
}

float* Pool::take(size_t size) {
  const size_t wanted = rounded(size);
  auto piece = free_.begin();
  while (piece != free_.end() && piece->second < wanted) ++piece;
  if (piece == free_.end()) {
    const size_t length = wanted <= SLAB ? SLAB : (wanted + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    float* slab = pages(length);
    slabs_[slab] = length;
    freeFloats_ += length;
    piece = free_.emplace(slab, length).first;
  }
  float* const memory = piece->first;
  const size_t rest = piece->second - wanted;
  free_.erase(piece);
  if (rest > 0) free_.emplace(memory + wanted, rest);
  freeFloats_ -= wanted;
  return memory;
}

void Pool::give(float* memory, size_t size) {
  size_t length = rounded(size);
  freeFloats_ += length;
  const auto after = free_.find(memory + length);
  if (after != free_.end() && slabs_.count(memory + length) == 0) {
    length += after->second;
    free_.erase(after);
  }
  const auto next = free_.lower_bound(memory);
  if (next != free_.begin() && slabs_.count(memory) == 0) {
    const auto before = std::prev(next);
    if (before->first + before->second == memory) {
      before->second += length;
      return;
    }
  }
  free_.emplace(memory, length);
}

void Pool::trim(size_t floats) {
  for (auto piece = free_.begin(); piece != free_.end() && freeFloats_ > floats + SLAB;) {
    const auto slab = slabs_.find(piece->first);
    if (slab == slabs_.end() || slab->second != piece->second) {
      ++piece;
      continue;
    }
    std::free(piece->first);
    freeFloats_ -= piece->second;
    slabs_.erase(slab);
    piece = free_.erase(piece);
  }
}

}  // namespace millrace
