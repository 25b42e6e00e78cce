// For tests: what every instruction set's table goes through.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "native/kernels/kernels.h"

namespace daf::kernels {

// DAF_EACH_ISA(Suite) runs the cases of a suite that is derived from this with every table that the
// machine can use.
class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!IsaSupported(GetParam())) GTEST_SKIP() << IsaName(GetParam()) << ": this machine lacks it";
    table_ = TableFor(GetParam());
    ASSERT_NE(table_, nullptr);
    EXPECT_STREQ(table_->name, IsaName(GetParam()));
  }
  const Table* table_ = nullptr;
};

#define DAF_EACH_ISA(suite)                    \
  INSTANTIATE_TEST_SUITE_P(                    \
      Isas, suite, ::testing::ValuesIn(kIsas), \
      [](const ::testing::TestParamInfo<Isa>& one) { return std::string(IsaName(one.param)); })

}  // namespace daf::kernels
