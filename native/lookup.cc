#include "lookup.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "workers.h"

namespace millrace {
namespace {

// Keys whose misses are in flight together, and keys that are worth a thread.
constexpr size_t AHEAD = 32, GRAIN = 1024;
constexpr uint32_t ROW_MASK = (uint32_t(1) << 27) - 1;
// Words of a cache line.
constexpr size_t LINE = 16;

inline const uint32_t* recordOf(const Lookup& l, size_t row) {
  return l.pages[row >> l.pageBits] + (row & ((size_t(1) << l.pageBits) - 1)) * l.recordWidth;
}

inline const Shard& shardOf(const Lookup& l, uint32_t hi) { return l.shards[hi >> 24]; }

// Low 24 bits of hi, scaled to the size: `home` of the index.
inline size_t homeOf(uint32_t hi, size_t size) { return uint64_t(hi & 0xffffff) * size >> 24; }

// The row of key i, -1 when there is none.
int32_t find(const Lookup& l, size_t i) {
  const uint32_t hi = l.hi[i], lo = l.lo[i], tag = lo >> 27;
  const Shard& shard = shardOf(l, hi);
  size_t at = homeOf(hi, shard.size);
  for (uint32_t entry = shard.entries[at]; entry != 0; entry = shard.entries[at]) {
    if (entry >> 27 == tag) {
      const size_t row = (entry & ROW_MASK) - 1;
      // An entry of a page that is not there would be a broken index: no row is better than a crash.
      if (row >> l.pageBits >= l.pages.size()) return -1;
      const uint32_t* record = recordOf(l, row);
      if (record[0] == hi && record[1] == lo) return static_cast<int32_t>(row);
    }
    if (++at == shard.size) at = 0;
  }
  return -1;
}

// Asks for the record that key i most likely has.
inline void askForRecord(const Lookup& l, size_t i) {
  const Shard& shard = shardOf(l, l.hi[i]);
  const uint32_t entry = shard.entries[homeOf(l.hi[i], shard.size)] & ROW_MASK;
  if (entry == 0 || (entry - 1) >> l.pageBits >= l.pages.size()) return;
  const uint32_t* record = recordOf(l, entry - 1);
  for (size_t word = 0; word < l.valueAt + l.width + LINE; word += LINE) __builtin_prefetch(record + word);
}

}  // namespace

size_t lookUpRows(const Lookup& l) {
  std::atomic<size_t> unseen{0};
  inPieces(l.count, GRAIN, [&](size_t begin, size_t end) {
    size_t without = 0;
    for (size_t i = begin; i < end + 2 * AHEAD; i++) {
      if (i < end) {
        const Shard& shard = shardOf(l, l.hi[i]);
        __builtin_prefetch(shard.entries + homeOf(l.hi[i], shard.size));
      }
      if (i >= begin + AHEAD && i < end + AHEAD) askForRecord(l, i - AHEAD);
      if (i < begin + 2 * AHEAD) continue;
      const size_t ready = i - 2 * AHEAD;
      const int32_t row = find(l, ready);
      l.rows[ready] = row;
      if (row < 0) without++;
      else std::memcpy(l.values + ready * l.width, recordOf(l, row) + l.valueAt, l.width * sizeof(uint32_t));
    }
    unseen += without;
  });
  return unseen;
}

}  // namespace millrace
