// One texel's colour on each part of the head; see albedo.h.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "native/head/model/builtin.h"
#include "native/head/synth/person.h"

namespace daf::head {

struct Colour {
  float r = 0, g = 0, b = 0;  // linear
};
inline Colour Blend(Colour a, Colour b, float t) {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}
inline Colour Scale(Colour a, float s) { return {a.r * s, a.g * s, a.b * s}; }
inline float Ramp(float low, float high, float v) {
  const float t = (v - low) / (high - low);
  const float c = t < 0 ? 0 : t > 1 ? 1 : t;
  return c * c * (3 - 2 * c);
}

// A place on the mean head, in the texture, and how far inside the hairline.
struct Place {
  float x, y, z;
  float u, v;
  float hair;
};

struct Spot {
  float x, y, z, radius, strength;
};

class Painter {
 public:
  Painter(const HeadModel& model, const HeadMarks& marks, const Looks& looks);
  Colour Skin(const Place& p) const;
  Colour MouthLining(const Place& p) const;
  Colour Socket(const Place& p) const;
  Colour Eye(const Place& p, int side) const;
  Colour Tooth(const Place& p, bool upper) const;
  Colour Tongue(const Place& p) const;
  // *alpha: opacity of the strands.
  Colour Hair(const Place& p, float* alpha) const;

 private:
  Colour Pigment(float melanin, float blood) const;
  Colour HairColour(float strand) const;
  float Brow(const Place& p) const;
  float Beard(const Place& p) const;
  bool LetterL(const Place& p) const;

  const HeadMarks& marks_;
  const Looks& looks_;
  std::vector<Spot> moles_;
};

}  // namespace daf::head
