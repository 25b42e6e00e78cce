// A head model made ready to be drawn thousands of times: what does not change from person to
// person.
#pragma once

#include <cstdint>
#include <vector>

#include "native/base/control.h"
#include "native/head/head_model.h"
#include "native/head/model/builtin.h"
#include "native/head/raster/texture.h"
#include "native/head/synth/dressed.h"
#include "native/head/synth/paint.h"
#include "native/head/synth/person.h"

namespace daf::head {

struct Figure {
  const HeadModel* model = nullptr;
  const HeadMarks* marks = nullptr;  // null: painted by vertex, not by texture
  DressedMesh mesh;
  std::vector<float> garment;   // [G][3]
  std::vector<float> openness;  // [V + G] share of the sky that the mean head leaves, 0…1
  std::vector<float> scalp;     // [V] 0 skin … 1 hair; only where painted by vertex
  std::vector<float> normals;   // [V][3] of the mean

  // Parts are known by the embedded head's names. Errors: kMemory, kCancelled.
  static Status Prepare(const HeadModel& model, const HeadMarks* marks, const TaskControl& control,
                        Figure* out);
};

// How someone is painted; many photos share it, as painting costs more than drawing.
struct Skin {
  Looks looks;
  std::vector<float> hair_modes;  // coefficients of the hair's modes, 0 for the others
  MipTexture albedo;              // of the embedded head
  std::vector<Colour> vertices;   // [render vertices] of any other
};

// Errors: kMemory, kCancelled.
Status PaintSkin(const Figure& figure, uint64_t seed, const TaskControl& control, Skin* out);

}  // namespace daf::head
