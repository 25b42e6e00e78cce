// Floats as text that reads back as the same floats.
#pragma once

#include <cstddef>
#include <string>

namespace daf::mesh {

// Appends `values` in lines of `width`, each begun with `prefix` and ended with a newline, numbers
// a space apart: in the fewest digits that read back as the same float, written as ECMAScript
// writes numbers. Finite values.
void AppendLines(const char* prefix, const float* values, size_t count, size_t width,
                 std::string* out);

}  // namespace daf::mesh
