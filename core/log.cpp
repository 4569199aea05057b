#include "core/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "core/text.hpp"

namespace sweep {

void init_log(std::string_view self) {
  auto logger = std::make_shared<spdlog::logger>(
      std::string(self), std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern(self.empty() ? "%H:%M:%S %^%l%$ %v" : "%H:%M:%S %^%l%$ [%n] %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_info(std::string_view text) {
  spdlog::info("{}", text);
}
void log_warning(std::string_view text) {
  spdlog::warn("{}", text);
}
void log_error(std::string_view text) {
  spdlog::error("{}", text);
}

}  // namespace sweep
