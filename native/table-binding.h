// Kernels on rows of a table as functions for JavaScript; src/tensors/kernel-binding.ts says what each takes.
#pragma once

#include "call.h"

namespace millrace {

napi_value adagradRowsOf(const Call& call);
napi_value lookUpRowsOf(const Call& call);

}  // namespace millrace
