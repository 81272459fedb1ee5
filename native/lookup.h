// Rows of a table by their keys: the search of src/embeddings/key-index.ts, with the misses of neighbouring keys overlapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace {

// Entries of one shard of the index: a 5-bit tag, top of a key's lo, and row + 1; 0 is empty.
struct Shard {
  const uint32_t* entries;
  size_t size;
};

// Record of row r: words (r mod 2^pageBits) recordWidth .. of pages[r >> pageBits]; its key is the first two of them.
struct Lookup {
  std::vector<Shard> shards;
  std::vector<const uint32_t*> pages;
  size_t pageBits, recordWidth, valueAt, width;
  const uint32_t *hi, *lo;
  size_t count;
  // Written: the row of each key, -1 where there is none.
  int32_t* rows;
  // Written where there is a row: its `width` words from `valueAt` on, as they are.
  uint32_t* values;
};

// How many keys have no row.
size_t lookUpRows(const Lookup& lookup);

}  // namespace millrace
