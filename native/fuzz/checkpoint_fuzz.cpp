// Any bytes as a field's checkpoint; one that is accepted must also answer.
#include "native/nerf/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  Budget::Process().SetLimit(size_t{256} << 20);
  SafetensorsFile file;
  std::unique_ptr<nerf::Model> model;
  if (!SafetensorsFile::Parse(data, size, &file).ok() || !nerf::Model::Load(file, &model).ok())
    return 0;
  const float points[6] = {0, 0, 0, 1e30f, -1, 0.5f}, directions[6] = {0, 0, 1, 1, 0, 0};
  float density[2], color[6];
  (void)model->Evaluate(points, directions, 2, density, color, TaskControl()).ok();
  return 0;
}
