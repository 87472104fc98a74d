-- wrk: create tasks, each with another payload of the same length. Arguments: the type.
-- The request is put together from ready-made pieces, so that little of the machine goes
-- into making the load.
local threads = 0
local head, tail
local number

function setup(thread)
   threads = threads + 1
   thread:set("first", 1000000 * threads)
end

function init(args)
   number = first
   tail = string.format('"items":[1,2,3],"note":"as usual"},"type":"%s"}',
                        args[1] or "demo.noop")
   local length = #'{"payload":{"order":1000000,"customer":"c-1000000",' + #tail
   head = "POST /api/v1/tasks HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
      .. "Content-Length: " .. length .. '\r\n\r\n{"payload":{"order":'
end

function request()
   number = number + 1
   return head .. number .. ',"customer":"c-' .. number .. '",' .. tail
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,'
      .. '"errors":%d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
      latency:percentile(99) / 1000, latency.max / 1000,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
