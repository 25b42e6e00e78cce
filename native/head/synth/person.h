// A person who does not exist: shape and looks drawn from one seed.
#pragma once

#include <cstdint>
#include <vector>

#include "native/head/head_model.h"

namespace daf::head {

enum class HairStyle { kShort, kLong, kBald, kReceding, kBun, kCropped };

// Looks, all within their stated ranges; the defaults are an average adult.
struct Looks {
  uint32_t grain = 1;               // seed of everything random on the skin
  float masculine = 0;              // −1…1
  float age = 0.3f;                 // 0 (20 years) … 1 (75)
  float melanin = 0.45f;            // 0.05 (palest) … 2
  float blood = 0.45f;              // 0.3…0.65
  float freckles = 0, stubble = 0;  // 0…1
  int moles = 3;
  float brow_density = 0.7f, brow_width = 1;  // 0.3…1; share of the average
  float lip_colour = 0;                       // 0 natural … 1 painted
  float hair[3] = {0.05f, 0.032f, 0.02f};     // linear RGB
  float grey = 0;                             // share of grey hair, 0…1
  float iris[3] = {0.10f, 0.06f, 0.035f};     // linear RGB
  HairStyle style = HairStyle::kShort;
  bool marks = false;  // a mole on the left cheek and a letter L on the neck's left, for tests
};

struct Person {
  std::vector<float>
      identity;  // coefficients of the model's modes, about N(0,1); hair modes by style
  Looks looks;
};

// The same (seed, index) is the same person on every machine with the same model.
Person MakePerson(const HeadModel& model, uint64_t seed, uint32_t index, bool marks);

}  // namespace daf::head
