-- For wrk: POST of 100 bytes to ACTORS counters in turn (0: GET of /v1/version, which runs no turn).
local actors = tonumber(os.getenv("ACTORS") or "1")
local input = "inc" .. string.rep(" ", 97)
local requests, at = {}, 0

function init()
    for i = 0, math.max(actors, 1) - 1 do
        if actors == 0 then
            requests[i] = wrk.format("GET", "/v1/version")
        else
            requests[i] = wrk.format("POST", "/v1/actors/a" .. i .. "/messages", nil, input)
        end
    end
    at = math.random(0, math.max(actors, 1) - 1)
end

function request()
    at = (at + 1) % math.max(actors, 1)
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('{"rate":%.0f,"p50_ms":%.3f,"p99_ms":%.3f,"requests":%d,"failed":%d}\n',
        summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
