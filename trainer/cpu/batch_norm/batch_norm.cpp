#include "trainer/cpu/batch_norm/batch_norm.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "trainer/cpu/batch_norm/kernels.hpp"
#include "trainer/cpu/pixel_type.hpp"
#include "trainer/cpu/share.hpp"

namespace sweep::trainer::cpu {
namespace {

/// Rows that are summed up by one thread, whose sums are then put together in their order.
constexpr std::int64_t kGroupRows = 1024;
/// Elements that are worth a thread.
constexpr std::int64_t kGrain = 1 << 14;

template <typename Pixel>
const Pixel* in(const at::Tensor& images) {
  return images.defined() ? static_cast<const Pixel*>(images.const_data_ptr()) : nullptr;
}

template <typename Pixel>
Pixel* out(at::Tensor& images) {
  return images.defined() ? static_cast<Pixel*>(images.mutable_data_ptr()) : nullptr;
}

std::int64_t rows_of(const at::Tensor& x) {
  return x.numel() / x.size(1);
}

ChannelConstants constants(const ChannelScaling& scaling) {
  return {scaling.mean.const_data_ptr<float>(), scaling.scale.const_data_ptr<float>(),
          scaling.bias.const_data_ptr<float>()};
}

/// Two values of each channel, for every group of rows: [groups][channels].
struct GroupSums {
  std::int64_t rows, channels, groups;
  std::vector<double> first, second;
};

std::int64_t rows_of_group(const GroupSums& sums, std::int64_t group) {
  return std::min(kGroupRows, sums.rows - group * kGroupRows);
}

/// Calls f(group, block, first sums, second sums) for all groups and columns, on all threads.
template <typename F>
GroupSums by_groups(const at::Tensor& x, F f) {
  const std::int64_t columns = norm_kernels()->block_columns;
  GroupSums sums{.rows = rows_of(x), .channels = x.size(1)};
  sums.groups = (sums.rows + kGroupRows - 1) / kGroupRows;
  sums.first.resize(static_cast<std::size_t>(sums.groups * sums.channels));
  sums.second.resize(sums.first.size());
  const std::int64_t blocks = (sums.channels + columns - 1) / columns;
  share(sums.groups * blocks, [&](std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) {
      const std::int64_t group = begin / blocks, column = begin % blocks * columns;
      const Block block{rows_of_group(sums, group), column,
                        std::min(sums.channels, column + columns)};
      f(group, block, sums.first.data() + group * sums.channels,
        sums.second.data() + group * sums.channels);
    }
  });
  return sums;
}

/// Calls f(begin, end) for ranges of rows, on all threads.
template <typename F>
void by_rows(const at::Tensor& x, F f) {
  const std::int64_t rows = rows_of(x), some = std::max<std::int64_t>(1, kGrain / x.size(1));
  share((rows + some - 1) / some,
        [&](std::int64_t begin, std::int64_t end) { f(begin * some, std::min(rows, end * some)); });
}

at::Tensor of_channels(const GroupSums& sums) {
  return at::empty({sums.channels}, at::kDouble);
}

/// By the formula of Chan, Golub and LeVeque (1979).
ChannelMoments put_together(const GroupSums& sums) {
  ChannelMoments moments{of_channels(sums), of_channels(sums)};
  auto *mean = moments.mean.mutable_data_ptr<double>(),
       *squares = moments.squares.mutable_data_ptr<double>();
  std::copy_n(sums.first.data(), sums.channels, mean);
  std::copy_n(sums.second.data(), sums.channels, squares);
  auto count = static_cast<double>(rows_of_group(sums, 0));
  for (std::int64_t group = 1; group < sums.groups; ++group) {
    const auto more = static_cast<double>(rows_of_group(sums, group));
    const double part = more / (count + more);
    const double* their_mean = sums.first.data() + group * sums.channels;
    const double* their_squares = sums.second.data() + group * sums.channels;
    for (std::int64_t c = 0; c < sums.channels; ++c) {
      const double difference = their_mean[c] - mean[c];
      mean[c] += difference * part;
      squares[c] += their_squares[c] + difference * difference * count * part;
    }
    count += more;
  }
  return moments;
}

at::Tensor added_up(const GroupSums& sums, const std::vector<double>& values) {
  auto total = at::zeros({sums.channels}, at::kDouble);
  auto* to = total.mutable_data_ptr<double>();
  for (std::int64_t group = 0; group < sums.groups; ++group)
    for (std::int64_t c = 0; c < sums.channels; ++c)
      to[c] += values[static_cast<std::size_t>(group * sums.channels + c)];
  return total;
}

}  // namespace

bool suits_batch_norm(const at::Tensor& x, const at::Tensor& residual) {
  const auto* kernels = norm_kernels();
  const auto is_image = [](const at::Tensor& images) {
    return images.device().is_cpu() && images.dim() == 4 && images.numel() > 0 &&
           images.is_contiguous(at::MemoryFormat::ChannelsLast);
  };
  return kernels && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         is_image(x) && x.size(1) % kernels->lanes == 0 &&
         (!residual.defined() || (is_image(residual) && residual.sizes() == x.sizes() &&
                                  residual.scalar_type() == x.scalar_type()));
}

ChannelMoments channel_moments(const at::Tensor& x) {
  return with_pixel_type(x, [&]<typename Pixel>(Pixel) {
    const auto* pixels = in<Pixel>(x);
    const std::int64_t channels = x.size(1);
    return put_together(
        by_groups(x, [&](std::int64_t group, const Block& block, double* mean, double* squares) {
          norm_kernels()->pixels.of<Pixel>().statistics(pixels + group * kGroupRows * channels,
                                                        channels, block, mean, squares);
        }));
  });
}

at::Tensor normalize(const at::Tensor& x, const at::Tensor& residual, const ChannelScaling& scaling,
                     bool relu) {
  auto y = at::empty_like(x);
  with_pixel_type(x, [&]<typename Pixel>(Pixel) {
    const auto *from = in<Pixel>(x), *added = in<Pixel>(residual);
    auto* to = out<Pixel>(y);
    const std::int64_t channels = x.size(1);
    by_rows(x, [&](std::int64_t begin, std::int64_t end) {
      norm_kernels()->pixels.of<Pixel>().normalize(
          {.x = from + begin * channels,
           .residual = added ? added + begin * channels : nullptr,
           .rows = end - begin,
           .channels = channels,
           .of = constants(scaling),
           .relu = relu,
           .y = to + begin * channels});
    });
  });
  return y;
}

NormGradient::NormGradient(at::Tensor gradient, at::Tensor x, at::Tensor y, ChannelScaling scaling,
                           bool relu)
    : gradient_(std::move(gradient)),
      x_(std::move(x)),
      y_(std::move(y)),
      scaling_(std::move(scaling)),
      relu_(relu) {}

NormGradient::Sums NormGradient::sums() {
  if (y_.defined()) to_residual_ = at::empty_like(x_);
  return with_pixel_type(x_, [&]<typename Pixel>(Pixel) -> Sums {
    const auto *gradient = in<Pixel>(gradient_), *x = in<Pixel>(x_), *y = in<Pixel>(y_);
    auto* to_residual = out<Pixel>(to_residual_);
    const auto sums =
        by_groups(x_, [&](std::int64_t group, const Block& block, double* sum, double* sum_with_x) {
          const std::int64_t before = group * kGroupRows * x_.size(1);
          norm_kernels()->pixels.of<Pixel>().gradient_sums(
              {.gradient = gradient + before,
               .x = x + before,
               .y = y ? y + before : nullptr,
               .channels = x_.size(1),
               .of = constants(scaling_),
               .relu = relu_,
               .to_residual = to_residual ? to_residual + before : nullptr},
              block, sum, sum_with_x);
        });
    return {added_up(sums, sums.first), added_up(sums, sums.second)};
  });
}

at::Tensor NormGradient::to_x(const at::Tensor& constant, const at::Tensor& of_x) const {
  auto to_x = at::empty_like(x_);
  const bool cut_already = to_residual_.defined();
  with_pixel_type(x_, [&]<typename Pixel>(Pixel) {
    const auto* gradient = in<Pixel>(cut_already ? to_residual_ : gradient_);
    const auto* x = in<Pixel>(x_);
    auto* to = out<Pixel>(to_x);
    by_rows(x_, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t before = begin * x_.size(1);
      norm_kernels()->pixels.of<Pixel>().gradient({.gradient = gradient + before,
                                                   .x = x + before,
                                                   .channels = x_.size(1),
                                                   .of = constants(scaling_),
                                                   .relu = relu_ && !cut_already},
                                                  end - begin, constant.const_data_ptr<float>(),
                                                  of_x.const_data_ptr<float>(), to + before);
    });
  });
  return to_x;
}

}  // namespace sweep::trainer::cpu
