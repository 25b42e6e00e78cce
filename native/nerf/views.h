// The pictures that a field learns from, kept small: colour and alpha in bytes, depth in floats.
#pragma once

#include <vector>

#include "native/base/arena.h"
#include "native/nerf/occupancy.h"
#include "native/nerf/space.h"

namespace daf::nerf {

// A caller's picture; everything is copied.
struct ViewInput {
  bool supervised = false;  // rendered: colour, opacity and depth are the truth
  Camera camera;
  const uint8_t* rgb8 = nullptr;    // [height][width][3]; one of the two
  const float* rgb = nullptr;       // in [0, 1]
  const uint8_t* alpha8 = nullptr;  // [height][width]; one of the two, or neither for 1 everywhere
  const float* alpha = nullptr;
  const float* depth =
      nullptr;  // [height][width] along the viewing direction; 0 or infinity where nothing is hit
};

struct View {
  bool supervised;
  Camera camera;
  const uint8_t* rgba;  // [height][width][4]
  const float* depth;   // null: unknown
};

// Errors: kBadArgument for a camera that cannot have taken a picture.
Status CheckCamera(const Camera& camera);

class ViewSet {
 public:
  explicit ViewSet(Arena* arena) : arena_(*arena) {}
  // Errors: kBadArgument for an impossible camera, missing colour, a supervised view without depth;
  // kMemory.
  Status Add(const ViewInput& input);
  const std::vector<View>& photos() const { return photos_; }
  const std::vector<View>& supervised() const { return supervised_; }
  bool empty() const { return photos_.empty() && supervised_.empty(); }

  // Forbids every cell that some supervised view sees to be empty: its projection, grown by
  // `margin` (a length), holds neither an opaque pixel nor a surface nearer than the cell. Errors:
  // kCancelled.
  Status Carve(const Box& box, float margin, Occupancy* grid, const TaskControl& control) const;

 private:
  Arena& arena_;
  std::vector<View> photos_, supervised_;
};

}  // namespace daf::nerf
