// Any bytes as a head model; one that is accepted must also take a shape.
#include "native/base/arena.h"
#include "native/fuzz/input_file.h"
#include "native/head/head_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace daf;
  Budget::Process().SetLimit(size_t{256} << 20);
  const fuzz::InputFile file(data, size);
  head::HeadModel model;
  if (!head::HeadModel::Load(file.path(), &model).ok()) return 0;
  std::vector<float> shape(size_t{model.position_count} * 3);
  const float one = 1;
  model.Shape(&one, model.identity_names.empty() ? 0 : 1, &one,
              model.expression_names.empty() ? 0 : 1, shape.data());
  return 0;
}
