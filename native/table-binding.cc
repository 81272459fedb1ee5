#include "table-binding.h"

#include "kernels.h"
#include "lookup.h"

namespace millrace {

napi_value adagradRowsOf(const Call& call) {
  size_t places = 0, length = 0, moved = 0;
  const double* at = call.values<double>(1, napi_float64_array, places);
  if (places < 5) throw std::invalid_argument("a longer array was expected");
  RowBlock block;
  for (const auto& [page, size] : call.arrays<float>(0, napi_float32_array)) block.pages.push_back(page);
  block.pageBits = at[0], block.recordWidth = at[1], block.valueAt = at[2], block.stateAt = at[3], block.width = at[4];
  block.rows = call.values<int32_t>(2, napi_int32_array, block.count);
  block.gradient = call.floats(3, length);
  block.moved = call.values<uint8_t>(4, napi_uint8_array, moved);
  if (length < block.count * block.width || moved < block.count) throw std::invalid_argument("a longer array was expected");
  for (size_t i = 0; i < block.count; i++)
    if (block.rows[i] >= 0 && block.rows[i] >> block.pageBits >= int64_t(block.pages.size()))
      throw std::invalid_argument("a row that does not exist");
  adagradRows(block, call.number(5), call.number(6), call.number(7));
  return nullptr;
}

napi_value lookUpRowsOf(const Call& call) {
  size_t places = 0, rows = 0, values = 0, keys = 0;
  const double* at = call.values<double>(2, napi_float64_array, places);
  if (places < 4) throw std::invalid_argument("a longer array was expected");
  Lookup lookup;
  for (const auto& [entries, size] : call.arrays<uint32_t>(0, napi_uint32_array)) lookup.shards.push_back({entries, size});
  for (const auto& [page, size] : call.arrays<uint32_t>(1, napi_uint32_array)) lookup.pages.push_back(page);
  lookup.pageBits = at[0], lookup.recordWidth = at[1], lookup.valueAt = at[2], lookup.width = at[3];
  lookup.count = call.size(5);
  lookup.hi = call.values<uint32_t>(3, napi_uint32_array, keys);
  if (keys < lookup.count) throw std::invalid_argument("a longer array was expected");
  lookup.lo = call.values<uint32_t>(4, napi_uint32_array, keys);
  lookup.rows = call.values<int32_t>(6, napi_int32_array, rows);
  lookup.values = reinterpret_cast<uint32_t*>(call.floats(7, values));
  if (keys < lookup.count || rows < lookup.count || values < lookup.count * lookup.width || lookup.shards.size() != 256)
    throw std::invalid_argument("a longer array was expected");
  return call.result(static_cast<double>(lookUpRows(lookup)));
}

}  // namespace millrace
