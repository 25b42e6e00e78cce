// Marching rays through empty space, as many at a time as a vector has lanes: in long steps to
// their next samples (Cohen and Sheffer 1994, "Proximity clouds"), then along samples that lie in a
// row.
#pragma once

#include "native/kernels/generic/math.h"

namespace daf::kernels {
namespace {

inline F Ceil(F v) {  // of what is above 0 and below 2^24
  const F whole = ToFloat(Truncate(v));
  return Add(whole, Select(Positive(Sub(v, whole)), Set(1.0f), Zero()));
}

void March(MarchArgs* args) {
  MarchArgs& a = *args;
  const F one = Set(1.0f), step = Set(a.step), per_step = Set(1 / a.step);
  const bool skips = a.distance != nullptr;
  const F cells = Set(a.cells), last = Set(a.cells - 0.5f), size = Set(1 / a.cells);
  const I side = SetI(static_cast<int32_t>(a.cells));
  uint32_t kept = 0, samples = 0;
  for (uint32_t begin = 0; begin < a.count; begin += kLanes) {
    // Lanes beyond the last ray repeat it, and are at their end from the start.
    const uint32_t rays = a.count - begin < kLanes ? a.count - begin : kLanes;
    uint32_t ids[kLanes];
    float real[kLanes];
    for (uint32_t l = 0; l < kLanes; ++l) {
      ids[l] = a.rays[begin + (l < rays ? l : rays - 1)];
      real[l] = l < rays ? 1 : 0;
    }
    const I ray = LoadI(ids);
    F origin[3], slope[3], inverse[3];
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x) {
      origin[x] = Gather(a.origin[x], ray);
      slope[x] = Gather(a.slope[x], ray);
      inverse[x] = Gather(a.inverse[x], ray);
    }
    const F first = Gather(a.first, ray),
            end = Select(Positive(Load(real)), Gather(a.end, ray), Set(-1.0f));
    F next = Gather(a.next, ray), at, p[3], cell[3];
    // Where the rays stand: whether before their end.
    const auto stand = [&]() __attribute__((always_inline)) {
      at = Fma(step, next, first);
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) p[x] = Min(Max(Fma(slope[x], at, origin[x]), Zero()), one);
      return Positive(Sub(end, at));
    };
    // How far from everything that is, and its cell.
    const auto distance = [&]() __attribute__((always_inline)) {
      I c[3];
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
        c[x] = Truncate(Min(Mul(p[x], cells), last));
        cell[x] = ToFloat(c[x]);
      }
      return ToFloat(GatherBytes(a.distance, AddI(MulI(AddI(MulI(c[2], side), c[1]), side), c[0])));
    };
    M inside = stand();
    F going = Keep(inside, one);  // 1 for rays between samples, else 0
    while (skips) {
      const F before = distance();
      going = Min(going, before);
      if (None(Positive(going))) break;
      // To beyond the walls ahead of the cube of empty cells around this one. A hundredth of a step
      // early, so that rounding never skips a point that its own position would have taken: what is
      // taken does not depend on the way there.
      const F behind = Sub(one, before);
      F exit = end;
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
        const F ahead = Select(Positive(inverse[x]), before, behind);
        const F wall = Mul(Add(cell[x], ahead), size);
        exit = Min(exit, Mul(Sub(wall, origin[x]), inverse[x]));
      }
      const F reach = Ceil(Sub(Mul(Sub(exit, first), per_step), Set(0.01f)));
      next = Select(Positive(going), Max(Add(next, one), reach), next);
      inside = stand();
      going = Keep(inside, going);
    }
    // The samples there, and those that follow them in a row.
    StorePackedI(a.rays + kept, inside, ray);
    kept += Count(inside);
    F taking = Keep(inside, one);
    for (uint32_t k = 0; k < a.run && !None(Positive(taking)); ++k) {
      if (k > 0) {
        inside = stand();
        taking = Keep(inside, taking);
        if (skips) taking = Keep(Positive(Sub(one, distance())), taking);
      }
      const M taken = Positive(taking);
      StorePacked(a.x + samples, taken, p[0]);
      StorePacked(a.y + samples, taken, p[1]);
      StorePacked(a.z + samples, taken, p[2]);
      StorePacked(a.t + samples, taken, at);
      StorePackedI(a.ray + samples, taken, ray);
      samples += Count(taken);
      next = Add(next, taking);
    }
    Store(real, next);
    for (uint32_t l = 0; l < rays; ++l) a.next[ids[l]] = real[l];
  }
  a.count = kept;
  a.samples = samples;
}

}  // namespace
}  // namespace daf::kernels
