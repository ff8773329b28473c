// SPDX-License-Identifier: Apache-2.0
// metrics_server.h - as much of HTTP as a scraper needs, on a unix or loopback socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/fd.h"

#include "metrics_text.h"

// "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT". Other addresses are refused: what
// containers do is nobody else's business.
Result<UniqueFd> listen_on(const std::string& address);

struct HttpRequest {
  int status = 200;  // 400, 404 and 405 for what is no GET of /metrics
  MetricsFormat format = MetricsFormat::Prometheus;
};
// The head of a request, to the empty line. Pure.
HttpRequest parse_request(std::string_view head);

// Until SIGTERM or SIGINT. One thread: a client that sends or reads slowly keeps
// nobody waiting, and is dropped after ten seconds.
Result<void> serve_metrics(FdRef listener, const std::function<std::string(MetricsFormat)>& text);
