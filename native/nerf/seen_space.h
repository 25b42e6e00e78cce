// What pictures tell about a box: where they look through, and where they see nothing because
// something stands before it. Behind surfaces nothing was ever learnt, and what a field holds there
// is of no interest to a mesh; nor is the haze that it may hold in between.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/nerf/model.h"

namespace daf::nerf {

class SeenSpace {
 public:
  // Beyond ± this the density has no say.
  static constexpr float kCertain = 4;

  // The part of the model that is looked at, in units of the field; cells along each of its axes.
  struct Region {
    float low[3], high[3];
    uint32_t cells = 96;
  };
  // Takes one density of every cell that the occupancy grid leaves and follows the light of each
  // picture through them. A bounded model is looked at from all around; an unbounded one by the
  // cameras that it learnt from, and what they see nothing of counts as solid as far as it lies in
  // balls that touch what they see (so that heads seen from the front get a round back). *queries
  // grows by the densities asked. An unbounded model that does not know its cameras: nothing is
  // known then. Errors: kMemory, kCancelled.
  Status Find(Model* model, const Region& region, const TaskControl& control, uint64_t* queries);

  bool known() const { return gate_ != nullptr; }
  // What is added to the logarithm of density / level: −2 kCertain where pictures look through,
  // 2 kCertain in what they see nothing of, and in between around surfaces. 0 where nothing is
  // known.
  float Gate(const float point[3]) const;
  // Whether pictures show the surface at a point with this unit normal; all of it where that is not
  // known.
  bool knows_shown() const { return light_ != nullptr; }
  bool Shown(const float point[3], const float normal[3]) const;
  // The density per unit of length at which a surface lies: a low quantile of those where half of
  // a picture's light has ended, so that the surface has few holes. 0 where no light ends.
  Status SurfaceDensity(Model* model, const TaskControl& control, float* density) const;

 private:
  friend class SeenSpaceFinder;

  Region region_;
  Arena arena_;
  float At(const float* lattice, const float point[3]) const;

  float* gate_ = nullptr;    // at the middle of each cell
  float* light_ = nullptr;   // likewise, of an unbounded model: what reaches it
  std::vector<float> ends_;  // [n][3] where half of the light of some rays ends
};

}  // namespace daf::nerf
